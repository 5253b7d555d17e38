// OpenAI's own client talks to the server that argv[2] names, whose model m can call the tool `weather`.
import assert from "node:assert/strict";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: "none", maxRetries: 0 });
const chat = { model: "m", messages: [{ role: "user", content: "Why?" }], temperature: 0, max_tokens: 8 };
const parameters = {
  type: "object",
  required: ["days"],
  properties: { days: { type: "integer", minimum: 1, maximum: 9 } },
  additionalProperties: false,
};
const schema = {
  type: "object",
  required: ["n"],
  properties: { n: { enum: ["one", "two"] } },
  additionalProperties: false,
};

async function check(name, action) {
  await action();
  console.log(`ok ${name}`);
}

function days(call) {
  const value = JSON.parse(call).days;
  assert.ok(Number.isInteger(value) && value >= 1 && value <= 9, call);
}

let whole;
await check("chat", async () => {
  whole = await client.chat.completions.create(chat);
  assert.equal(whole.choices[0].finish_reason, "length");
  assert.equal(whole.usage.completion_tokens, 8);
});

await check("chat streamed", async () => {
  let text = "";
  let usage;
  const stream = await client.chat.completions.create({ ...chat, stream: true, stream_options: { include_usage: true } });
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? "";
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(usage.completion_tokens, 8);
});

await check("tools", async () => {
  const request = {
    ...chat,
    max_tokens: 200,
    tools: [{ type: "function", function: { name: "weather", description: "Tells it.", parameters } }],
    tool_choice: "required",
  };
  const reply = await client.chat.completions.create(request);
  assert.equal(reply.choices[0].finish_reason, "tool_calls");
  const call = reply.choices[0].message.tool_calls[0];
  days(call.function.arguments);
  const streamed = await client.chat.completions.stream(request).finalChatCompletion();
  days(streamed.choices[0].message.tool_calls[0].function.arguments);
  const next = await client.chat.completions.create({
    ...request,
    tool_choice: "none",
    max_tokens: 1,
    messages: [
      ...request.messages,
      reply.choices[0].message,
      { role: "tool", tool_call_id: call.id, content: "dry" },
    ],
  });
  assert.equal(next.choices[0].message.role, "assistant");
});

await check("schema", async () => {
  const reply = await client.chat.completions.create({
    ...chat,
    max_tokens: 100,
    response_format: { type: "json_schema", json_schema: { name: "number", strict: true, schema } },
  });
  assert.match(JSON.parse(reply.choices[0].message.content).n, /^(one|two)$/);
});

await check("completions", async () => {
  const reply = await client.completions.create({ model: "m", prompt: "Once", max_tokens: 4, temperature: 0 });
  assert.equal(reply.usage.completion_tokens, 4);
});

await check("embeddings", async () => {
  // The client asks for base64 by itself and decodes it.
  const coded = await client.embeddings.create({ model: "m", input: ["A cat.", "A dog."] });
  const plain = await client.embeddings.create({ model: "m", input: "A dog.", encoding_format: "float" });
  assert.equal(coded.data.length, 2);
  assert.deepEqual(
    Float32Array.from(coded.data[1].embedding),
    Float32Array.from(plain.data[0].embedding),
  );
});

await check("responses", async () => {
  const request = { model: "m", input: "Why?", temperature: 0, max_output_tokens: 8 };
  const response = await client.responses.create(request);
  assert.equal(response.output_text, whole.choices[0].message.content);
  assert.equal(response.status, "incomplete");
  const stream = client.responses.stream(request);
  let text = "";
  stream.on("response.output_text.delta", (event) => {
    text += event.delta;
  });
  const streamed = await stream.finalResponse();
  assert.equal(text, response.output_text);
  assert.equal(streamed.output_text, response.output_text);
  assert.equal(streamed.usage.output_tokens, 8);
});

await check("responses with tools and a schema", async () => {
  const tools = [{ type: "function", name: "weather", description: "Tells it.", parameters, strict: true }];
  const request = { model: "m", input: "Rain?", tools, tool_choice: "required" };
  const response = await client.responses.create(request);
  const call = response.output[0];
  assert.equal(call.type, "function_call");
  days(call.arguments);
  const streamed = await client.responses.stream(request).finalResponse();
  days(streamed.output[0].arguments);
  const next = await client.responses.create({
    model: "m",
    tools,
    max_output_tokens: 4,
    input: [
      { role: "user", content: "Rain?" },
      ...response.output,
      { type: "function_call_output", call_id: call.call_id, output: "dry" },
    ],
  });
  assert.ok(next.usage.input_tokens > response.usage.input_tokens);
  const held = await client.responses.create({
    model: "m",
    input: "A number.",
    text: { format: { type: "json_schema", name: "number", strict: true, schema } },
  });
  assert.match(JSON.parse(held.output_text).n, /^(one|two)$/);
});

await check("errors", async () => {
  await assert.rejects(
    client.chat.completions.create({ ...chat, service_tier: "flex" }),
    (e) => e instanceof OpenAI.BadRequestError && e.param === "service_tier",
  );
  await assert.rejects(client.models.retrieve("other"), (e) => e instanceof OpenAI.NotFoundError);
  await assert.rejects(
    client.responses.create({ model: "m", input: "Why?", previous_response_id: "resp_1" }),
    (e) => e.status === 400 && e.param === "previous_response_id",
  );
});
