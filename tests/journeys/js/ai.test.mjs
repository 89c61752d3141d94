// Vercel's `ai` package with its OpenAI and Anthropic providers against Sternpost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { APICallError, Output, generateText, isStepCount, jsonSchema, streamText, tool } from "ai";
import { z } from "zod";
import { apiKey, baseURL, counted, forget, pixel, sent, traceOf, until, weatherOf, weatherSchema } from "./sternpost.mjs";

const headers = { "x-sternpost-session": "js-ai", "x-sternpost-user": "alan" };
const openai = createOpenAI({ baseURL: `${baseURL}/v1`, apiKey, headers });
const anthropic = createAnthropic({ baseURL: `${baseURL}/v1`, apiKey, headers });
const prompt = "How is the weather in Paris?";
// each of the three ways in, once within its dialect and once across
const models = [
  openai.chat("lab/m1"), openai.chat("labant/m1"), openai.responses("labres/m1"), openai.responses("lab/m1"),
  anthropic("labant/m1"), anthropic("lab/m1"),
];
const settings = { prompt, maxRetries: 0, maxOutputTokens: 500 };
const collected = async (stream) => {
  let text = "";
  for await (const piece of stream) text += piece;
  return text;
};

test("text is generated and becomes a trace of its session and user", async () => {
  for (const model of models) {
    const { text, response, usage } = await generateText({ ...settings, model });
    const { trace } = await traceOf(response.headers["x-sternpost-trace-id"]);
    assert.match(text, /forklift/);
    assert.ok(usage.outputTokens > 0);
    assert.deepEqual([trace.session_id, trace.user_id], ["js-ai", "alan"]);
  }
});

test("text is streamed piece by piece", async () => {
  for (const model of models) {
    const result = streamText({ ...settings, model });
    const text = await collected(result.textStream);
    assert.match(text, /forklift/);
    assert.equal(await result.finishReason, "stop");
    assert.ok((await result.usage).outputTokens > 0);
  }
});

test("tools run in steps until the model answers in words", async () => {
  for (const model of models) {
    const cities = [];
    const execute = async (args) => (cities.push(args.city), weatherOf(args));
    const weather = tool({ description: "The weather", inputSchema: jsonSchema(weatherSchema), execute });
    const call = { ...settings, model, tools: { weather }, stopWhen: isStepCount(3) };
    assert.match((await generateText(call)).text, /forklift/);
    assert.match(await collected(streamText(call).textStream), /forklift/);
    assert.deepEqual(cities, ["Paris", "Paris"]);
  }
});

test("structured output is parsed", async () => {
  const schema = z.object({ city: z.string(), degrees: z.number() });
  for (const model of [openai.chat("lab/m1"), openai.chat("labant/m1"), openai.responses("labres/m1")]) {
    const { output } = await generateText({ ...settings, model, output: Output.object({ schema }) });
    assert.deepEqual(output, { city: "Paris", degrees: 18.5 });
  }
});

test("an image reaches the model", async () => {
  const content = [{ type: "text", text: "What is it?" }, { type: "file", mediaType: "image/png", data: pixel }];
  for (const model of models) {
    await forget();
    await generateText({ model, maxRetries: 0, messages: [{ role: "user", content }] });
    const [request] = await sent();
    assert.ok(request.body.includes(pixel));
  }
});

test("refusals carry their status, and what Sternpost retried is not retried again", async () => {
  const stranger = createOpenAI({ baseURL: `${baseURL}/v1`, apiKey: "sp-wrong" });
  const refused = (model, status, more = {}) =>
    assert.rejects(generateText({ ...settings, ...more, model }), (error) => {
      const cause = error.lastError ?? error;
      assert.ok(APICallError.isInstance(cause), String(error));
      return cause.statusCode === status;
    });
  await refused(stranger.chat("lab/m1"), 401);
  await refused(openai.chat("lab/fault-429?retry_after=90"), 429);
  await refused(anthropic("labant/fault-429?retry_after=90"), 429);
  await forget();
  await generateText({ ...settings, model: openai.chat("lab/fault-503?times=1&id=js-ai") });
  assert.equal(await counted("calls"), 2);
});

test("a stream that breaks is an error, never an end", async () => {
  for (const model of [openai.chat("lab/fault-cut"), anthropic("labant/fault-cut?after=5")]) {
    const errors = [];
    const result = streamText({ ...settings, model, onError: ({ error }) => errors.push(error) });
    await collected(result.textStream).catch((error) => errors.push(error));
    assert.ok(errors.length > 0);
  }
});

test("a stream that is aborted is ended at the provider", async () => {
  await forget();
  const leave = new AbortController();
  const result = streamText({ ...settings, model: openai.chat("lab/fault-stall"), abortSignal: leave.signal });
  for await (const _ of result.textStream) leave.abort();
  await until(() => counted("closed_by_client"), "the end of the call at the provider");
});
