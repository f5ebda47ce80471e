// What people do with the official openai client for Node; prints what came of it as JSON.
// node openai_node.mjs URL TOKEN < {"pictures": [...]}
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(process.env.PALISADE_CLIENTS + "/");
const OpenAI = require("openai");
const [url, token] = process.argv.slice(2);
const { pictures } = JSON.parse(readFileSync(0, "utf8"));
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 });

const models = [];
for await (const model of client.models.list()) models.push(model.id);
const model = models[0];
const content = [
  ...pictures.map((picture) => ({ type: "image_url", image_url: { url: `data:image/png;base64,${picture}` } })),
  { type: "text", text: "both images contain a car" },
];
const ask = { model, messages: [{ role: "user", content }], max_tokens: 16 };

const whole = await client.chat.completions.create({ ...ask, logprobs: true, top_logprobs: 2 });
let streamed = "", usage = null;
for await (const chunk of await client.chat.completions.create({ ...ask, stream: true, stream_options: { include_usage: true } })) {
  streamed += chunk.choices[0]?.delta?.content ?? "";
  usage = chunk.usage ?? usage;
}
const schema = {
  type: "object",
  properties: { car: { type: "boolean", description: "is there a car?" }, title: { type: "string", description: "caption en" } },
  required: ["car", "title"], additionalProperties: false,
};
const filled = await client.chat.completions.create({
  ...ask, response_format: { type: "json_schema", json_schema: { name: "scene", strict: true, schema } },
});

const failed = async (promise) => {
  try { await promise; } catch (error) { return { type: error.constructor.name, status: error.status, code: error.code, param: error.param }; }
  return null;
};
const stranger = new OpenAI({ baseURL: `${url}/v1`, apiKey: "pal_wrong", maxRetries: 0 });
console.log(JSON.stringify({
  models,
  retrieved: (await client.models.retrieve(model)).id,
  whole, streamed, usage,
  filled: JSON.parse(filled.choices[0].message.content),
  errors: {
    unknown: await failed(client.chat.completions.create({ ...ask, model: "gpt-4o" })),
    several: await failed(client.chat.completions.create({ ...ask, n: 2 })),
    stranger: await failed(stranger.models.list()),
    streamed: await failed(client.chat.completions.create({ ...ask, model: "gpt-4o", stream: true })),
  },
}));
