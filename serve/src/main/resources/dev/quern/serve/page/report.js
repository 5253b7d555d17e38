// Which provider runs which operator of the model, as `quern explain` prints it.

import * as api from './api.js';

const summary = document.getElementById('report');
const open = document.getElementById('open-report');
const dialog = document.getElementById('choices');
const body = document.getElementById('choices-body');

open.addEventListener('click', () => dialog.showModal());
document.getElementById('close-report').addEventListener('click', () => dialog.close());

let shown = null; // the model whose report it is

/** Shows the report of a model. It has one as soon as it is loaded. */
export async function show(model) {
  if (shown === model) {
    return;
  }
  const found = (await api.report()).find((report) => report.model === model);
  shown = found ? model : null;
  open.hidden = !found;
  if (!found) {
    summary.replaceChildren(made('p', 'This model is loaded when it is first asked.', 'hint'));
    return;
  }
  summary.replaceChildren(facts(found));
  body.replaceChildren(choices(found), providers(found));
}

/** Operators by provider, and what the model runs on. */
function facts(report) {
  const list = made('dl');
  const operators = Map.groupBy(report.choices, (choice) => choice.provider);
  for (const [provider, chosen] of operators) {
    const names = new Set(chosen.map((choice) => choice.operator));
    list.append(made('dt', provider), made('dd', [...names].join(', ')));
  }
  list.append(made('dt', 'threads'), made('dd', String(report.threads)));
  list.append(made('dt', 'context'), made('dd', `${report.context.toLocaleString('en')} tokens`));
  return list;
}

function choices(report) {
  const rows = report.choices.map((choice) => [
    choice.operator,
    choice.spec,
    String(choice.uses),
    choice.provider,
    Object.entries(choice.refusals)
      .map(([provider, reason]) => `${provider}: ${reason}`)
      .join('\n'),
  ]);
  return table('Operators', ['operator', 'shape', 'uses', 'runs on', 'not on'], rows);
}

function providers(report) {
  const rows = report.providers.map(({ name, ready, verdict }) => [name, ready ? 'ready' : 'not ready', verdict]);
  return table('Providers', ['provider', 'state', 'verdict'], rows);
}

function table(caption, heads, rows) {
  const node = made('table');
  const head = made('thead');
  const line = made('tr');
  for (const text of heads) {
    const cell = made('th', text);
    cell.scope = 'col';
    line.append(cell);
  }
  head.append(line);
  const all = made('tbody');
  for (const row of rows) {
    const cells = made('tr');
    cells.append(...row.map((text, i) => rowCell(text, i, heads[i])));
    all.append(cells);
  }
  node.append(made('caption', caption), head, all);
  return node;
}

function rowCell(text, i, head) {
  const cell = made(i === 0 ? 'th' : 'td', text);
  if (i === 0) {
    cell.scope = 'row';
  }
  cell.dataset.head = head; // shown before the text where the screen is too small for columns
  return cell;
}

function made(name, text = '', className = '') {
  const node = document.createElement(name);
  node.textContent = text;
  if (className) {
    node.className = className;
  }
  return node;
}
