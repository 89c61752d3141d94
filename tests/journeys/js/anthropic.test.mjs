// The official `@anthropic-ai/sdk` package against Sternpost, at providers of every dialect.
import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";
import { apiKey, ask, baseURL, counted, forget, pixel, sent, traceOf, until, weatherOf, weatherSchema } from "./sternpost.mjs";

const client = new Anthropic({ baseURL, apiKey, maxRetries: 0 });
const models = ["labant/m1", "lab/m1", "labres/m1"];
const basics = { max_tokens: 2000, messages: ask };
const tool = { name: "weather", description: "The weather in a city", input_schema: weatherSchema };

test("a message is answered and becomes a trace of its session and user", async () => {
  const headers = { "x-sternpost-session": "js-anthropic", "x-sternpost-user": "grace" };
  const { data, response } = await client.messages.create({ ...basics, model: "labant/m1" }, { headers }).withResponse();
  const { trace } = await traceOf(response.headers.get("x-sternpost-trace-id"));
  assert.match(data.content[0].text, /forklift/);
  assert.equal(response.headers.get("x-sternpost-target"), "labant/m1");
  assert.deepEqual([trace.session_id, trace.user_id], ["js-anthropic", "grace"]);
});

test("the stream helper gathers what the whole answer says, at every provider", async () => {
  for (const model of models) {
    const whole = await client.messages.create({ ...basics, model });
    const final = await client.messages.stream({ ...basics, model }).finalMessage();
    assert.deepEqual(final.content, whole.content);
    assert.equal(final.stop_reason, "end_turn");
    assert.equal(final.usage.output_tokens, whole.usage.output_tokens);
  }
});

test("tools run in a loop until the model answers in words, at every provider", async () => {
  for (const model of models) {
    const cities = [];
    const run = (args) => (cities.push(args.city), weatherOf(args));
    const tools = [betaTool({ name: "weather", description: "The weather", inputSchema: weatherSchema, run })];
    const final = await client.beta.messages.toolRunner({ ...basics, model, tools });
    assert.match(final.content[0].text, /forklift/, model);
    assert.deepEqual(cities, ["Paris"]);
  }
});

test("structured output is parsed, at every provider", async () => {
  const format = zodOutputFormat(z.object({ city: z.string(), degrees: z.number() }));
  for (const model of models) {
    const message = await client.messages.parse({ ...basics, model, output_config: { format } });
    assert.deepEqual(message.parsed_output, { city: "Paris", degrees: 18.5 }, model);
  }
});

test("an image reaches a model of each dialect in that dialect's shape", async () => {
  await forget();
  const source = { type: "base64", media_type: "image/png", data: pixel };
  const content = [{ type: "image", source }, { type: "text", text: "What is it?" }];
  for (const model of models) await client.messages.create({ ...basics, model, messages: [{ role: "user", content }] });
  const [anthropic, chat, responses] = (await sent()).map(({ json }) => (json.messages ?? json.input).at(-1).content[0]);
  assert.deepEqual(anthropic, { type: "image", source });
  assert.deepEqual(chat, { type: "image_url", image_url: { url: `data:image/png;base64,${pixel}` } });
  assert.deepEqual([responses.type, responses.image_url], ["input_image", `data:image/png;base64,${pixel}`]);
});

test("signed thinking is streamed, and goes back with the tool's result byte for byte", async () => {
  const thinking = { type: "enabled", budget_tokens: 1024 };
  const model = "labant/m1";
  const first = await client.messages.stream({ ...basics, model, thinking, tools: [tool] }).finalMessage();
  assert.deepEqual(first.content.map((block) => block.type), ["thinking", "tool_use"]);
  const result = { type: "tool_result", tool_use_id: first.content[1].id, content: "18 degrees" };
  const messages = [...ask, { role: "assistant", content: first.content }, { role: "user", content: [result] }];
  await forget();
  await client.messages.create({ ...basics, model, thinking, tools: [tool], messages });
  const [request] = await sent();
  assert.ok(request.body.includes(JSON.stringify(messages).slice(1, -1)));
});

test("tokens are counted before they are spent", async () => {
  for (const model of models) {
    const { input_tokens } = await client.messages.countTokens({ model, messages: ask });
    assert.ok(input_tokens > 0);
  }
});

test("refusals arrive as the classes of the SDK", async () => {
  const call = (model, with_ = client) => with_.messages.create({ ...basics, model });
  const stranger = client.withOptions({ apiKey: "sp-wrong" });
  await assert.rejects(call("labant/m1", stranger), Anthropic.AuthenticationError);
  await assert.rejects(call("nobody/knows"), Anthropic.NotFoundError);
  await assert.rejects(call("labant/fault-429?retry_after=90"), (error) => {
    assert.ok(error instanceof Anthropic.RateLimitError);
    assert.equal(error.error.error.type, "rate_limit_error");
    return Number(error.headers.get("retry-after")) >= 90;
  });
});

test("Sternpost retries what may pass, and the SDK does not retry it once more", async () => {
  const patient = client.withOptions({ maxRetries: 2 });
  await forget();
  await patient.messages.create({ ...basics, model: "labant/fault-529?times=1&id=js-anthropic" });
  assert.equal(await counted("calls"), 2);
  await forget();
  await assert.rejects(patient.messages.create({ ...basics, model: "labant/fault-500" }), Anthropic.InternalServerError);
  assert.ok((await counted("calls")) <= 3);
});

test("a stream that breaks is an error after what arrived, never an end", async () => {
  for (const model of ["labant/fault-cut?after=5", "lab/fault-cut", "labant/fault-error-event?after=5"]) {
    const stream = client.messages.stream({ ...basics, model });
    let text = "";
    stream.on("text", (delta) => (text += delta));
    await assert.rejects(stream.finalMessage(), Anthropic.APIError);
    assert.ok(text.length > 0, model);
  }
});

test("a stream that is left is ended at the provider and recorded as cancelled", async () => {
  await forget();
  const { data: stream, response } = await client.messages
    .create({ ...basics, model: "labant/fault-stall", stream: true })
    .withResponse();
  for await (const event of stream) if (event.type === "content_block_delta") break;
  await until(() => counted("closed_by_client"), "the end of the call at the provider");
  const { trace } = await traceOf(response.headers.get("x-sternpost-trace-id"));
  assert.equal(trace.status, "cancelled");
});
