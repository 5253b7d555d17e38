// Ollama's own client talks to the server that argv[2] names, whose model m can call the tool `weather`.
import assert from "node:assert/strict";
import { Ollama } from "ollama";

const host = process.argv[2];
const ollama = new Ollama({ host });
const options = { temperature: 0, num_predict: 8 };
const messages = [{ role: "user", content: "Why?" }];
const tool = {
  type: "function",
  function: {
    name: "weather",
    description: "Tells it.",
    parameters: { type: "object", required: ["days"], properties: { days: { type: "integer" } } },
  },
};

async function check(name, action) {
  await action();
  console.log(`ok ${name}`);
}

let whole;
await check("chat", async () => {
  whole = await ollama.chat({ model: "m", messages, options });
  assert.equal(whole.done_reason, "length");
  assert.equal(whole.eval_count, 8);
  assert.ok(whole.message.content.length > 0);
  assert.ok(whole.total_duration > 0);
});

await check("chat streamed", async () => {
  let text = "";
  let last;
  for await (const part of await ollama.chat({ model: "m", messages, options, stream: true })) {
    text += part.message.content;
    last = part;
  }
  assert.equal(text, whole.message.content);
  assert.equal(last.done, true);
});

await check("generate", async () => {
  const reply = await ollama.generate({ model: "m", prompt: "Why?", options });
  assert.equal(reply.response, whole.message.content);
  let text = "";
  for await (const part of await ollama.generate({ model: "m", prompt: "Why?", options, stream: true })) {
    text += part.response;
  }
  assert.equal(text, reply.response);
});

await check("format", async () => {
  const format = {
    type: "object",
    required: ["n"],
    properties: { n: { enum: ["one", "two"] } },
    additionalProperties: false,
  };
  const reply = await ollama.chat({ model: "m", messages, format, options: { num_predict: 100 } });
  assert.match(JSON.parse(reply.message.content).n, /^(one|two)$/);
});

await check("tools", async () => {
  const told = await ollama.chat({
    model: "m",
    messages: [
      ...messages,
      { role: "assistant", content: "", tool_calls: [{ function: { name: "weather", arguments: { days: 2 } } }] },
      { role: "tool", content: "dry", tool_name: "weather" },
    ],
    tools: [tool],
    options,
  });
  assert.ok(told.prompt_eval_count > whole.prompt_eval_count + 50);
});

await check("models", async () => {
  const { models } = await ollama.list();
  assert.equal(models[0].name, "m");
  const shown = await ollama.show({ model: "m" });
  assert.deepEqual(shown.capabilities, ["completion", "tools", "thinking"]);
  assert.equal((await ollama.ps()).models[0].name, "m");
});

await check("embed", async () => {
  const two = await ollama.embed({ model: "m", input: ["A cat.", "A dog."] });
  assert.equal(two.embeddings.length, 2);
  const one = await ollama.embeddings({ model: "m", prompt: "A dog." });
  assert.deepEqual(one.embedding, two.embeddings[1]);
});

await check("errors", async () => {
  await assert.rejects(ollama.chat({ model: "other", messages }), (e) => e.status_code === 404 && /other/.test(e.message));
  await assert.rejects(
    ollama.chat({ model: "m", messages, options: { num_ctx: 100000 } }),
    (e) => e.status_code === 400 && /num_ctx/.test(e.message),
  );
  await assert.rejects(ollama.pull({ model: "m" }), (e) => e.status_code === 501 && /no models on disk/.test(e.message));
});

await check("leaving", async () => {
  const stream = await ollama.chat({ model: "m", messages, stream: true, options: { num_predict: 500 } });
  await assert.rejects(async () => {
    for await (const _ of stream) {
      stream.abort();
    }
  }, /abort/i);
});
