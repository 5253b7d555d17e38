// One reply, from its request to the last chunk.

import { Reader } from './announce.js';
import * as api from './api.js';
import * as turns from './turns.js';

/** Reads a reply's chunks into a turn, and shows it once for each frame of the screen. */
export async function read(request, signal, said, view) {
  const begun = performance.now();
  const reader = new Reader();
  let first = 0;
  let last = 0;
  let usage = null;
  let reason = null;
  let frame = 0;
  const show = () => {
    frame = 0;
    const end = turns.isAtEnd();
    view.show(said);
    reader.read(view.text, false);
    if (end) {
      turns.goToEnd();
    }
  };
  try {
    for await (const chunk of api.chat(request, signal)) {
      usage = chunk.usage ?? usage;
      const choice = chunk.choices[0];
      reason = choice?.finish_reason ?? reason;
      const { content, reasoning_content: thoughts } = choice?.delta ?? {};
      if (content || thoughts) {
        last = performance.now();
        first ||= last;
        said.content += content ?? '';
        said.thoughts += thoughts ?? '';
        frame ||= requestAnimationFrame(show);
      }
    }
  } finally {
    cancelAnimationFrame(frame);
    view.show(said);
    reader.read(view.text, true);
  }
  said.about = about(usage, reason, first - begun, last - first, first > 0);
}

/** What a reply cost, in words. */
function about(usage, reason, toFirst, fromFirst, any) {
  const facts = [];
  const tokens = usage?.completion_tokens ?? 0;
  if (usage) {
    facts.push(`${tokens} ${tokens === 1 ? 'token' : 'tokens'}`);
  }
  if (tokens > 1 && fromFirst > 0) {
    const speed = ((tokens - 1) * 1000) / fromFirst; // the first is the prompt's
    facts.push(`${speed.toFixed(speed < 100 ? 1 : 0)} tokens/s`);
  }
  if (any) {
    facts.push(`first after ${(toFirst / 1000).toFixed(2)} s`);
  }
  const cached = usage?.prompt_tokens_details?.cached_tokens ?? 0;
  if (usage) {
    facts.push(`prompt ${usage.prompt_tokens}` + (cached > 0 ? `, ${cached} of them cached` : ''));
  }
  if (reason === 'length') {
    facts.push('cut off: no more tokens allowed');
  }
  return facts.join(' · ');
}
