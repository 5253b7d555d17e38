// What was said, kept in the tab: a reload has it again, another tab and tomorrow have not.

const KEY = 'quern.conversation';
const ROLES = ['user', 'assistant'];

/**
 * A turn of the user's or of the model's.
 *
 * @typedef {{role: string, content: string, thoughts?: string, model?: string, about?: string}} Turn
 */

export class Conversation {
  /** @type {Turn[]} */
  turns = [];

  /** As `settings.js` has them. */
  settings = {};

  /** What the tab has. Throws where it has something that is none. */
  static restored() {
    const conversation = new Conversation();
    const text = sessionStorage.getItem(KEY);
    if (text !== null) {
      const { turns, settings } = JSON.parse(text);
      if (!Array.isArray(turns) || !turns.every(isTurn) || typeof settings !== 'object' || settings === null) {
        throw new Error('no conversation of this page');
      }
      conversation.turns = turns;
      conversation.settings = settings;
    }
    return conversation;
  }

  /**
   * Throws where the browser has no room, or keeps nothing.
   *
   * @param {Turn[]} part a reply that is not yet whole
   */
  keep(part) {
    const turns = [...this.turns, ...part];
    sessionStorage.setItem(KEY, JSON.stringify({ turns, settings: this.settings }));
  }

  /** The body of a request for the next turn. What has no value is the server's to choose. */
  request() {
    const { model, system, temperature, maxTokens, seed } = this.settings;
    const messages = this.turns.map(({ role, content, thoughts }) =>
      thoughts ? { role, content, reasoning_content: thoughts } : { role, content },
    );
    if (system?.trim()) {
      messages.unshift({ role: 'system', content: system });
    }
    const body = { model, messages };
    if (temperature !== null && temperature !== undefined) {
      body.temperature = temperature;
    }
    if (maxTokens !== null && maxTokens !== undefined) {
      body.max_tokens = maxTokens;
    }
    if (seed !== null && seed !== undefined) {
      body.seed = seed;
    }
    return body;
  }

  /** Saves the request as a file, which the server takes as it is. */
  save() {
    const text = JSON.stringify(this.request(), null, 2) + '\n';
    const address = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    const link = document.createElement('a');
    link.href = address;
    link.download = `quern-${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '')}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000); // the browser may ask where to first
  }
}

function isTurn(turn) {
  return typeof turn === 'object' && turn !== null && ROLES.includes(turn.role) && typeof turn.content === 'string';
}
