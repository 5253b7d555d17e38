// The small part of Markdown that models write most, as DOM nodes. What a model writes is
// untrusted: it becomes text nodes alone, and no address of it is ever fetched or linked.

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`\n]*)$/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+(.*)$/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])([ \t]+)(?=\S)/;
const DEEPEST = 6; // lists in lists

/** Shows a text that grows: blocks that are as they were stay, with what is selected in them. */
export class View {
  #shown = []; // for each child its block as text

  /** @param {HTMLElement} place the view's own */
  constructor(place) {
    this.place = place;
  }

  show(text) {
    const found = blocks(text.split('\n'), 0);
    found.forEach((block, i) => {
      const key = JSON.stringify(block);
      if (this.#shown[i] === key) {
        return;
      }
      const node = element(block);
      if (i < this.place.children.length) {
        this.place.children[i].replaceWith(node);
      } else {
        this.place.append(node);
      }
      this.#shown[i] = key;
    });
    while (this.place.children.length > found.length) {
      this.place.lastChild.remove();
    }
    this.#shown.length = found.length;
  }
}

/** @return {object[]} code, headings, lists and paragraphs */
function blocks(lines, depth) {
  const found = [];
  let i = 0;
  while (i < lines.length) {
    const line = lines[i];
    const fence = FENCE.exec(line);
    const heading = HEADING.exec(line);
    if (line.trim() === '') {
      i++;
    } else if (fence) {
      const end = fenceEnd(lines, i + 1, fence[1]);
      found.push({ kind: 'code', language: fence[2].trim(), text: lines.slice(i + 1, end).join('\n') });
      i = end + 1;
    } else if (heading) {
      found.push({ kind: 'heading', level: heading[1].length, text: heading[2] });
      i++;
    } else if (depth < DEEPEST && ITEM.test(line)) {
      const end = listEnd(lines, i);
      found.push(list(lines.slice(i, end), depth));
      i = end;
    } else {
      const end = paragraphEnd(lines, i, depth);
      found.push({ kind: 'paragraph', text: lines.slice(i, end).join('\n').trim() });
      i = end;
    }
  }
  return found;
}

function fenceEnd(lines, from, fence) {
  for (let i = from; i < lines.length; i++) {
    const line = lines[i].trim();
    if (line.length >= fence.length && line === fence[0].repeat(line.length)) {
      return i;
    }
  }
  return lines.length;
}

function paragraphEnd(lines, from, depth) {
  let i = from + 1;
  while (
    i < lines.length &&
    lines[i].trim() !== '' &&
    !FENCE.test(lines[i]) &&
    !HEADING.test(lines[i]) &&
    !(depth < DEEPEST && ITEM.test(lines[i]))
  ) {
    i++;
  }
  return i;
}

const isOrdered = (item) => /\d/.test(item[2]);

function listEnd(lines, from) {
  const ordered = isOrdered(ITEM.exec(lines[from]));
  let end = from + 1;
  for (let i = from + 1; i < lines.length; i++) {
    const item = ITEM.exec(lines[i]);
    if (lines[i].trim() === '') {
      continue; // belongs to the list if more of it follows
    }
    const within = /^( {2,}|\t)/.test(lines[i]);
    const flowsOn = lines[i - 1].trim() !== '' && !FENCE.test(lines[i]) && !HEADING.test(lines[i]) && !item;
    if (!within && !flowsOn && !(item && isOrdered(item) === ordered)) {
      break;
    }
    end = i + 1;
  }
  return end;
}

function list(lines, depth) {
  const first = ITEM.exec(lines[0]);
  const items = [];
  for (const line of lines) {
    const item = ITEM.exec(line);
    if (item && item[1].length <= first[1].length + 1) {
      items.push({ width: item[0].length, lines: [line.slice(item[0].length)] });
    } else {
      const { width, lines: own } = items.at(-1);
      own.push(line.replace(new RegExp(`^(?: {1,${width}}|\\t)`), ''));
    }
  }
  return {
    kind: 'list',
    ordered: isOrdered(first),
    start: isOrdered(first) ? parseInt(first[2], 10) : 1,
    items: items.map((item) => blocks(item.lines, depth + 1)),
  };
}

function element(block) {
  switch (block.kind) {
    case 'code':
      return code(block);
    case 'heading': {
      const heading = document.createElement('h3'); // below a turn's; models skip levels, and pages must not
      heading.className = block.level > 2 ? 'minor' : '';
      heading.append(...inline(block.text));
      return heading;
    }
    case 'list': {
      const node = document.createElement(block.ordered ? 'ol' : 'ul');
      if (block.start !== 1) {
        node.setAttribute('start', String(block.start));
      }
      for (const item of block.items) {
        const entry = document.createElement('li');
        entry.append(...item.map(element));
        node.append(entry);
      }
      return node;
    }
    default: {
      const paragraph = document.createElement('p');
      paragraph.append(...inline(block.text));
      return paragraph;
    }
  }
}

function code(block) {
  const pre = document.createElement('pre');
  pre.tabIndex = 0; // wide lines are scrolled by keyboard too
  pre.setAttribute('role', 'group');
  pre.setAttribute('aria-label', block.language ? 'Code, ' + block.language : 'Code');
  const inner = document.createElement('code');
  inner.textContent = block.text;
  pre.append(inner);
  return pre;
}

/** Text with code, strong and emphasized parts. */
function inline(text) {
  const nodes = [];
  const unclosed = new Set(); // lengths of runs of backticks that no other follows: looked for once
  let plain = 0; // where text begins that is not yet a node
  const runs = /`+/g;
  for (let run = runs.exec(text); run; run = runs.exec(text)) {
    const begin = run.index + run[0].length;
    const end = unclosed.has(run[0].length) ? -1 : closing(text, begin, run[0].length);
    if (end < 0) {
      unclosed.add(run[0].length);
      continue;
    }
    nodes.push(...emphasis(text.slice(plain, run.index)));
    nodes.push(made('code', text.slice(begin, end).replace(/^ (.*\S.*) $/, '$1')));
    plain = end + run[0].length;
    runs.lastIndex = plain;
  }
  nodes.push(...emphasis(text.slice(plain)));
  return nodes;
}

/** Where the next run of so many backticks begins, or -1. */
function closing(text, from, length) {
  const runs = /`+/g;
  runs.lastIndex = from;
  for (let run = runs.exec(text); run; run = runs.exec(text)) {
    if (run[0].length === length) {
      return run.index;
    }
  }
  return -1;
}

function emphasis(text) {
  const nodes = [];
  let plain = 0;
  for (const match of text.matchAll(/\*\*(?=[^\s*])([^*]*[^\s*])\*\*|\*(?=[^\s*])([^*\n]*[^\s*])\*/g)) {
    nodes.push(document.createTextNode(text.slice(plain, match.index)));
    nodes.push(made(match[1] === undefined ? 'em' : 'strong', match[1] ?? match[2]));
    plain = match.index + match[0].length;
  }
  nodes.push(document.createTextNode(text.slice(plain)));
  return nodes;
}

function made(name, text) {
  const node = document.createElement(name);
  node.textContent = text;
  return node;
}
