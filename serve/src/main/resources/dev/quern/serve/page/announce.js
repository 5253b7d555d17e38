// What a screen reader says. A reply is said paragraph by paragraph, as each is whole: token by
// token nobody could follow it.

const live = document.getElementById('live');

/** Says a text when the reader is done with what it says now. */
export function say(text) {
  if (!text.trim()) {
    return;
  }
  const line = document.createElement('p');
  line.textContent = text;
  live.append(line);
  while (live.children.length > 20) {
    live.firstChild.remove();
  }
}

/** Says a reply's blocks, each once. */
export class Reader {
  #said = 0;

  /** @param {HTMLElement} text the reply; all its blocks but the last are whole */
  read(text, whole) {
    const end = text.children.length - (whole ? 0 : 1);
    for (; this.#said < end; this.#said++) {
      say(text.children[this.#said].textContent);
    }
  }
}
