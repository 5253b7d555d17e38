// The server's endpoints. Paths are relative: the page works below a proxy's prefix too.

/** What went wrong with a request: what the server said, or that it said nothing. */
export class Problem extends Error {
  /**
   * @param {string} code the server's word, or `unreachable`, `broken_off`, `not_quern`
   * @param {{status?: number, param?: string, requestId?: string, retryAfter?: number}} more
   */
  constructor(code, message, more = {}) {
    super(message);
    this.code = code;
    this.status = more.status ?? 0;
    this.param = more.param ?? null;
    this.requestId = more.requestId ?? null;
    this.retryAfter = more.retryAfter ?? null;
  }
}

let key = '';

/** The key that is sent from now on; empty: none. */
export function useKey(text) {
  key = text.trim();
}

async function send(path, options) {
  const headers = { Accept: 'application/json', ...options.headers };
  if (key) {
    headers.Authorization = 'Bearer ' + key;
  }
  let response;
  try {
    response = await fetch(path, { ...options, headers, cache: 'no-store' });
  } catch (e) {
    if (e.name === 'AbortError') {
      throw e;
    }
    throw new Problem('unreachable', String(e.message ?? e));
  }
  if (!response.ok) {
    throw await refusal(response);
  }
  return response;
}

async function refusal(response) {
  const more = {
    status: response.status,
    requestId: response.headers.get('X-Request-Id'),
    retryAfter: Number(response.headers.get('Retry-After')) || null,
  };
  const text = await response.text().catch(() => '');
  return said(text, more) ?? new Problem('not_quern', response.statusText || text.slice(0, 200), more);
}

/** The problem of an error object, if the text is one. */
function said(text, more) {
  try {
    const { error } = JSON.parse(text);
    return error && typeof error.message === 'string'
      ? new Problem(error.code ?? '', error.message, { ...more, param: error.param })
      : null;
  } catch {
    return null;
  }
}

async function json(path) {
  const response = await send(path, {});
  try {
    return await response.json();
  } catch (e) {
    throw new Problem('not_quern', path + ': ' + e.message, { status: response.status });
  }
}

/** @return {Promise<string[]>} the models' names */
export async function models() {
  return (await json('v1/models')).data.map((model) => model.id);
}

/** Resolves when the server is ready, and throws what it says when it is not. */
export async function health() {
  await send('health', {});
}

export async function report() {
  return (await json('quern/report')).models;
}

/**
 * A reply's chunks as they come, as OpenAI's protocol has them.
 *
 * @param {object} body the request, without `stream`
 * @param {AbortSignal} signal ends it, and with it what the server does for it
 */
export async function* chat(body, signal) {
  const response = await send('v1/chat/completions', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream' },
    body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
    signal,
  });
  const requestId = response.headers.get('X-Request-Id');
  for await (const data of events(response.body)) {
    if (data === '[DONE]') {
      return;
    }
    const problem = said(data, { requestId });
    if (problem) {
      throw problem;
    }
    yield JSON.parse(data);
  }
  throw new Problem('broken_off', 'the stream ended before its end', { requestId });
}

/** The data of server-sent events, as WHATWG's HTML standard has them. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let data = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      for (const line of lines) {
        if (line === '' && data.length > 0) {
          yield data.join('\n');
          data = [];
        } else if (line.startsWith('data:')) {
          data.push(line.slice(5).replace(/^ /, ''));
        }
      }
    }
  } catch (e) {
    if (e.name === 'AbortError') {
      throw e;
    }
    throw new Problem('broken_off', String(e.message ?? e));
  } finally {
    reader.cancel().catch(() => {}); // of a stream that has failed already
  }
}
