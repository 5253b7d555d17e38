// What the page says of a problem, and what can be done about it.

/**
 * @param {import('./api.js').Problem} problem
 * @return {{what: string, remedy: string}}
 */
export function explain(problem) {
  const known = BY_CODE[problem.code] ?? BY_STATUS[problem.status] ?? other;
  return known(problem);
}

const where = () => location.host || 'its address';

const BY_CODE = {
  unreachable: () => ({
    what: `No answer from ${where()}.`,
    remedy: 'Is quern serve still running? Start it again, then send once more.',
  }),
  broken_off: () => ({
    what: 'The connection broke off in the middle of the reply.',
    remedy: 'Regenerate it; if that fails too, look whether quern serve is still running.',
  }),
  not_quern: (p) => ({
    what: `Something else than Quern answered${p.status ? ` (status ${p.status})` : ''}: ${p.message}`,
    remedy: 'Is there a proxy between you and the server? Its log may tell more.',
  }),
  queue_full: (p) => ({
    what: 'The server has its hands full.',
    remedy: `Send again ${wait(p)}.`,
  }),
  context_length_exceeded: (p) => ({
    what: 'The conversation is too long for this model.',
    remedy: `Begin a new one, or shorten your message. The server says: ${p.message}`,
  }),
  model_not_found: () => ({
    what: 'The server has no model of this name any more.',
    remedy: 'Choose another above, then send again.',
  }),
  model_loading: () => ({ what: 'The model is being loaded.', remedy: 'Send again when it is there.' }),
  server_stopping: () => ({
    what: 'The server is shutting down.',
    remedy: 'Send again when it runs.',
  }),
  models_busy: (p) => ({
    what: 'There is no room for this model while others are in use.',
    remedy: `Choose another, or send again ${wait(p)}.`,
  }),
  deadline_exceeded: () => ({
    what: 'The reply took longer than the server allows.',
    remedy: 'Ask for fewer tokens, or start quern serve with a longer --deadline.',
  }),
};

const BY_STATUS = {
  401: (p) => ({
    what: 'The server wants an API key.',
    remedy: /missing/.test(p.message) ? 'Enter one in the settings.' : 'It does not know this one; enter another.',
  }),
  403: (p) => ({ what: 'The server does not answer under this address.', remedy: p.message }),
  413: (p) => ({
    what: 'The conversation is larger than the server takes.',
    remedy: `Begin a new one. The server says: ${p.message}`,
  }),
  429: (p) => ({ what: 'The server has its hands full.', remedy: `Send again ${wait(p)}.` }),
  500: (p) => ({
    what: 'The server failed.',
    remedy: p.requestId ? `Its log has the reason under request ${p.requestId}.` : 'Its log has the reason.',
  }),
};

function other(p) {
  return { what: 'The server refused the request.', remedy: p.message };
}

function wait(p) {
  return p.retryAfter === null || p.retryAfter <= 1 ? 'in a second' : `in ${p.retryAfter} seconds`;
}
