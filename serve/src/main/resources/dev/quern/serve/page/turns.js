// The conversation on the screen.

import { View } from './markdown.js';

const place = document.getElementById('turns');
const empty = document.getElementById('empty');

/** A turn on the screen. */
export class TurnView {
  #view;
  #thinking = null;

  constructor(turn) {
    this.node = document.createElement('article');
    this.node.className = turn.role === 'user' ? 'turn user' : 'turn reply';
    const who = document.createElement('h2');
    who.textContent = turn.role === 'user' ? 'You' : (turn.model ?? 'Reply');
    this.text = document.createElement('div');
    this.text.className = 'text';
    this.about = document.createElement('p');
    this.about.className = 'about';
    this.node.append(who, this.text);
    if (turn.role === 'user') {
      this.text.textContent = turn.content; // as it was typed
    } else {
      this.node.append(this.about);
      this.#view = new View(this.text);
      this.show(turn);
    }
  }

  /** Shows what a reply has become. */
  show(turn) {
    this.#think(turn.thoughts?.trim() ?? '');
    this.#view.show(turn.content);
    this.about.textContent = turn.about ?? '';
  }

  #think(thinking) {
    if (thinking && !this.#thinking) {
      const details = document.createElement('details');
      const summary = document.createElement('summary');
      summary.textContent = 'Thinking';
      this.#thinking = document.createElement('div');
      this.#thinking.className = 'thinking';
      details.append(summary, this.#thinking);
      this.text.before(details);
    }
    if (this.#thinking) {
      this.#thinking.textContent = thinking;
    }
  }

  /** Marks it as one that is being written. */
  set writing(on) {
    this.node.classList.toggle('writing', on);
  }
}

/** Shows a conversation anew. */
export function showAll(turns) {
  place.replaceChildren(...turns.map((turn) => new TurnView(turn).node));
  empty.hidden = turns.length > 0;
}

/** Shows one more turn. */
export function add(turn) {
  const view = new TurnView(turn);
  place.append(view.node);
  empty.hidden = true;
  return view;
}

/**
 * Puts buttons below the last reply.
 *
 * @param {Object<string, () => void>} actions by their labels
 */
export function offer(actions) {
  place.querySelector('.actions')?.remove();
  const last = place.lastElementChild;
  if (!last?.classList.contains('reply')) {
    return;
  }
  const row = document.createElement('p');
  row.className = 'actions';
  for (const [label, act] of Object.entries(actions)) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'quiet';
    button.textContent = label;
    button.addEventListener('click', act);
    row.append(button);
  }
  last.append(row);
}

/** Whether the reader is where the newest text is. */
export function isAtEnd() {
  const page = document.documentElement;
  return page.scrollHeight - page.scrollTop - page.clientHeight < 80; // pixels
}

export function goToEnd() {
  window.scrollTo(0, document.documentElement.scrollHeight);
}
