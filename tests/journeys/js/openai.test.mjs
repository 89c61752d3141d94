// The official `openai` package against Sternpost: chat completions and Responses, at providers of every dialect.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { apiKey, ask, baseURL, counted, forget, pixel, sent, traceOf, until, weatherOf, weatherSchema } from "./sternpost.mjs";

const client = new OpenAI({ baseURL: `${baseURL}/v1`, apiKey, maxRetries: 0 });
const chats = ["lab/m1", "labant/m1", "labres/m1"];
const tool = {
  type: "function",
  function: { name: "weather", description: "The weather in a city", parameters: weatherSchema },
};
const City = z.object({ city: z.string(), degrees: z.number() });

test("a question is answered and becomes a trace of its session and user", async () => {
  const headers = { "x-sternpost-session": "js-openai", "x-sternpost-user": "ada" };
  const { data, response } = await client.chat.completions
    .create({ model: "lab/m1", messages: ask }, { headers })
    .withResponse();
  const { trace } = await traceOf(response.headers.get("x-sternpost-trace-id"));
  assert.match(data.choices[0].message.content, /forklift/);
  assert.equal(response.headers.get("x-sternpost-target"), "lab/m1");
  const { prompt_tokens, completion_tokens } = data.usage; // 1.00 and 2.00 USD per million: tests/conftest.py
  const cost = Number(response.headers.get("x-sternpost-cost-usd"));
  assert.equal(Math.round(cost * 1e9), prompt_tokens * 1000 + completion_tokens * 2000);
  assert.deepEqual([trace.session_id, trace.user_id], ["js-openai", "ada"]);
});

test("the stream helper gathers what the whole answer says, at every provider", async () => {
  for (const model of chats) {
    const whole = await client.chat.completions.create({ model, messages: ask });
    const stream = client.chat.completions.stream({ model, messages: ask, stream_options: { include_usage: true } });
    const final = await stream.finalChatCompletion();
    assert.equal(final.choices[0].message.content, whole.choices[0].message.content);
    assert.equal(final.usage.completion_tokens, whole.usage.completion_tokens);
  }
});

test("tools run in a loop until the model answers in words, at every provider", async () => {
  for (const model of chats) {
    for (const stream of [false, true]) {
      const cities = [];
      const weather = (args) => (cities.push(args.city), weatherOf(args));
      const runnable = { type: "function", function: { ...tool.function, function: weather, parse: JSON.parse } };
      const runner = client.chat.completions.runTools({ model, messages: ask, tools: [runnable], stream });
      assert.match(await runner.finalContent(), /forklift/, model);
      assert.deepEqual(cities, ["Paris"]);
    }
  }
});

test("structured output is parsed, by chat completions and by Responses", async () => {
  for (const model of chats) {
    const chat = await client.chat.completions.parse({
      model,
      messages: ask,
      response_format: zodResponseFormat(City, "city"),
    });
    assert.deepEqual(chat.choices[0].message.parsed, { city: "Paris", degrees: 18.5 }, model);
    const reply = await client.responses.parse({ model, input: ask, text: { format: zodTextFormat(City, "city") } });
    assert.deepEqual(reply.output_parsed, { city: "Paris", degrees: 18.5 }, model);
  }
});

test("an image reaches a model of each dialect in that dialect's shape", async () => {
  await forget();
  const url = `data:image/png;base64,${pixel}`;
  const content = [{ type: "text", text: "What is it?" }, { type: "image_url", image_url: { url } }];
  for (const model of chats) await client.chat.completions.create({ model, messages: [{ role: "user", content }] });
  const [chat, anthropic, responses] = (await sent()).map(({ json }) => (json.messages ?? json.input).at(-1).content[1]);
  assert.deepEqual(chat, { type: "image_url", image_url: { url } });
  assert.deepEqual(anthropic, { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } });
  assert.deepEqual([responses.type, responses.image_url], ["input_image", url]);
});

test("a Responses stream ends in the response that its pieces made", async () => {
  for (const model of chats) {
    const stream = client.responses.stream({ model, input: ask });
    let text = "";
    for await (const event of stream) if (event.type === "response.output_text.delta") text += event.delta;
    assert.equal((await stream.finalResponse()).output_text, text);
    assert.match(text, /forklift/);
  }
});

test("refusals arrive as the classes of the SDK", async () => {
  const call = (model, with_ = client) => with_.chat.completions.create({ model, messages: ask });
  await assert.rejects(call("lab/m1", client.withOptions({ apiKey: "sp-wrong" })), (error) => {
    assert.ok(error instanceof OpenAI.AuthenticationError);
    return error.code === "invalid_api_key";
  });
  await assert.rejects(call("nobody/knows"), OpenAI.NotFoundError);
  await assert.rejects(call("lab/fault-429?retry_after=90"), (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError);
    return Number(error.headers.get("retry-after")) >= 90;
  });
});

test("Sternpost retries what may pass, and the SDK does not retry it once more", async () => {
  const patient = client.withOptions({ maxRetries: 2 });
  await forget();
  await patient.chat.completions.create({ model: "lab/fault-429?times=1&id=js-openai&retry_after=0.05", messages: ask });
  assert.equal(await counted("calls"), 2);
  await forget();
  const hopeless = patient.chat.completions.create({ model: "lab/fault-503", messages: ask });
  await assert.rejects(hopeless, OpenAI.InternalServerError);
  assert.ok((await counted("calls")) <= 3);
});

test("a stream that breaks is an error after what arrived, never an end", async () => {
  for (const model of ["lab/fault-cut", "labant/fault-cut?after=4"]) {
    const stream = await client.chat.completions.create({ model, messages: ask, stream: true });
    let text = "";
    await assert.rejects(async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    }, OpenAI.APIError);
    assert.ok(text.length > 0);
  }
});

test("a stream that is left is ended at the provider and recorded as cancelled", async () => {
  await forget();
  const { data: stream, response } = await client.chat.completions
    .create({ model: "lab/fault-stall", messages: ask, stream: true })
    .withResponse();
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
  await until(() => counted("closed_by_client"), "the end of the call at the provider");
  const { trace } = await traceOf(response.headers.get("x-sternpost-trace-id"));
  assert.equal(trace.status, "cancelled");
});

test("pictures and speech go to the provider of their model, in JSON and in a form", async () => {
  const drawn = await client.images.generate({ model: "lab/m1", prompt: "A cat" });
  const file = new File([new Uint8Array(300_000)], "a.wav", { type: "audio/wav" });
  const { data, response } = await client.audio.transcriptions.create({ model: "lab/m1", file }).withResponse();
  const { input_tokens } = await client.responses.inputTokens.count({ model: "laball/m1", input: "How many?" });
  assert.equal(drawn.usage.output_tokens, 900);
  assert.deepEqual([data.path, data.size > 300_000], ["/v1/audio/transcriptions", true]);
  assert.equal(response.headers.get("x-sternpost-target"), "lab/m1");
  assert.ok(input_tokens > 0);
});
