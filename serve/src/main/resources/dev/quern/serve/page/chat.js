// The page: asks, shows what comes, and says what went wrong.

import { say } from './announce.js';
import * as api from './api.js';
import { Conversation } from './conversation.js';
import { quiet, tell } from './notice.js';
import { explain } from './problems.js';
import { read } from './reply.js';
import * as report from './report.js';
import * as settings from './settings.js';
import * as turns from './turns.js';

const by = (id) => document.getElementById(id);
const text = by('text');
const sendButton = by('send');
const panel = by('settings');
const openSettings = by('open-settings');
const small = matchMedia('(max-width: 60rem)');

let conversation = new Conversation();
let writing = null; // { abort, done, said } while a reply is written

// What is said beside the conversation

function tellProblem(problem) {
  const { what, remedy } = explain(problem);
  tell(what, remedy);
  const blamed = settings.blame(problem.param);
  if (problem.status === 401) {
    wantKey();
  } else if (problem.code === 'model_not_found') {
    offerModels().catch(failed);
  } else if (blamed) {
    showSettings(true);
    blamed.focus();
  }
}

function failed(e) {
  if (e instanceof api.Problem) {
    tellProblem(e);
    return;
  }
  tell('This page failed.', `${e.name}: ${e.message}. Reload it; your conversation is kept.`);
  throw e;
}

/** @param {Turn[]} part a reply that is not yet whole */
function keep(part = []) {
  conversation.settings = settings.read(conversation.settings.model);
  try {
    conversation.keep(part);
  } catch (e) {
    tell('The browser does not keep this conversation:', `${e.message}. Export it before you reload or close the tab.`);
  }
}

// Asking

/** Whether a setting is wrong, which is said then. */
function hasMistake() {
  const wrong = settings.mistake();
  if (wrong) {
    tell(wrong.text);
    showSettings(true);
    wrong.input.focus();
  }
  return wrong !== null;
}

function submit() {
  if (writing) {
    writing.abort.abort();
    return;
  }
  if (!text.value.trim()) {
    text.focus();
    return;
  }
  if (hasMistake()) {
    return;
  }
  const asked = { role: 'user', content: text.value };
  text.value = '';
  fit();
  turns.offer({});
  turns.add(asked);
  conversation.turns.push(asked);
  reply(() => {
    conversation.turns.pop();
    text.value = text.value ? asked.content + '\n' + text.value : asked.content;
    fit();
  }).catch(failed);
}

function regenerate() {
  if (hasMistake()) {
    return;
  }
  const before = conversation.turns.pop();
  turns.showAll(conversation.turns);
  text.focus(); // the button is gone
  reply(() => conversation.turns.push(before)).catch(failed);
}

/**
 * Has the model say the next turn.
 *
 * @param {() => void} undo what to do if it says nothing at all
 */
async function reply(undo) {
  quiet();
  keep();
  const abort = new AbortController();
  const said = { role: 'assistant', content: '', thoughts: '', model: conversation.settings.model };
  const view = turns.add({ ...said, about: 'waiting for the first token' });
  view.writing = true;
  writing = { abort, said, done: Promise.withResolvers() };
  sendButton.textContent = 'Stop';
  say('Waiting for the reply');
  turns.goToEnd();
  let problem = null;
  try {
    if (!settings.isOffered()) { // the server was not there before
      await connect();
      said.model = conversation.settings.model;
    }
    await read(conversation.request(), abort.signal, said, view);
  } catch (e) {
    problem = e;
  }
  const stopped = problem?.name === 'AbortError';
  if (said.content || said.thoughts || !problem) {
    conversation.turns.push(said);
    if (problem) {
      said.about = stopped ? 'stopped' : 'not whole';
    }
    view.show(said);
  } else {
    undo();
    turns.showAll(conversation.turns);
  }
  view.writing = false;
  sendButton.textContent = 'Send';
  writing.done.resolve();
  writing = null;
  offerActions();
  keep();
  say(said.about ?? '');
  if (problem && !stopped) {
    failed(problem);
  } else {
    report.show(conversation.settings.model).catch(failed); // it may have been loaded just now
  }
}

function offerActions() {
  const last = conversation.turns.at(-1);
  if (last?.role !== 'assistant') {
    return;
  }
  const actions = { Regenerate: regenerate };
  if (navigator.clipboard) { // browsers have it on https and on this machine
    actions.Copy = () => navigator.clipboard.writeText(last.content).then(() => say('Copied'), failed);
  }
  turns.offer(actions);
}

async function begin() {
  if (writing) {
    writing.abort.abort();
    await writing.done.promise;
  }
  const before = conversation.turns;
  conversation.turns = [];
  turns.showAll([]);
  keep();
  if (before.length > 0) {
    tell('A new conversation.', '', {
      'Back to the old one': () => {
        conversation.turns = before;
        turns.showAll(before);
        offerActions();
        keep();
        text.focus();
      },
    });
  }
  text.focus();
}

// The server

async function offerModels() {
  const names = await api.models();
  const wanted = conversation.settings.model;
  if (!settings.offer(names, wanted) && wanted) {
    tell(`The server has no model ${wanted} any more.`, names.length > 0 ? `Replies come from ${names[0]} now.` : '');
  }
  conversation.settings = settings.read(conversation.settings.model);
}

/** Asks what the server has, and again until it is ready. */
async function connect() {
  await offerModels();
  for (;;) {
    try {
      await api.health();
      break;
    } catch (e) {
      if (e.code !== 'model_loading') {
        throw e;
      }
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
  await report.show(conversation.settings.model);
}

function wantKey() {
  by('key-field').hidden = false;
  showSettings(true);
  by('key').focus();
  by('key').select();
}

by('key').addEventListener('change', (event) => {
  api.useKey(event.target.value);
  quiet();
  connect().then(() => {
    showSettings(false);
    text.focus();
  }, failed);
});

// Settings: beside the conversation, or over it where the screen is small

function showSettings(on) {
  panel.classList.toggle('open', on);
  openSettings.setAttribute('aria-expanded', String(on));
  const over = on && small.matches;
  by('main').inert = over;
  by('top').inert = over;
  if (over) { // what was said must not be below it
    by('options').before(by('notice'));
  } else {
    by('ask').prepend(by('notice'));
  }
  panel.setAttribute('role', over ? 'dialog' : 'complementary');
  panel.ariaModal = over ? 'true' : null;
}

openSettings.addEventListener('click', () => {
  showSettings(true);
  by('close-settings').focus();
});
by('close-settings').addEventListener('click', () => {
  showSettings(false);
  openSettings.focus();
});
small.addEventListener('change', () => showSettings(false));

// Keys and fields

function fit() {
  text.style.height = 'auto';
  text.style.height = text.scrollHeight + 'px';
}

text.addEventListener('input', fit);
text.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (!writing) { // Enter never stops: whoever types the next message may be too early
      submit();
    }
  }
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.isComposing || by('choices').open) {
    return;
  }
  if (panel.classList.contains('open') && small.matches) {
    by('close-settings').click();
  } else {
    writing?.abort.abort();
  }
});
by('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  submit();
});
by('options').addEventListener('submit', (event) => event.preventDefault());
by('options').addEventListener('change', (event) => {
  if (event.target !== by('key')) {
    keep();
  }
});
by('model').addEventListener('change', () => {
  keep();
  report.show(conversation.settings.model).catch(failed);
});
by('new').addEventListener('click', () => begin().catch(failed));
by('export').addEventListener('click', () => {
  if (conversation.turns.length === 0) {
    tell('Nothing was said yet.', 'Send a message first.');
    return;
  }
  conversation.settings = settings.read(conversation.settings.model);
  conversation.save();
});
window.addEventListener('pagehide', () => {
  if (writing?.said.content || writing?.said.thoughts) {
    keep([{ ...writing.said, about: 'not whole' }]);
  }
});
by('example').addEventListener('click', (event) => {
  text.value = event.target.textContent;
  fit();
  text.focus();
});

try {
  conversation = Conversation.restored();
} catch (e) {
  tell('What this tab had kept cannot be read:', `${e.message}. This is a new conversation.`);
}
if (conversation.turns.at(-1)?.role === 'user') { // it has no reply: it may be sent again
  text.value = conversation.turns.pop().content;
}
settings.show(conversation.settings);
turns.showAll(conversation.turns);
offerActions();
turns.goToEnd();
fit();
text.focus();
connect().catch(failed);
