import { createOpenAI } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import * as ai from "ai";
import { z } from "zod";

const { OPENAI_BASE_URL, STERNPOST_BASE_URL, STERNPOST_API_KEY } = process.env;
const exporter = new OTLPTraceExporter({
  url: `${STERNPOST_BASE_URL}/v1/traces`,
  headers: { authorization: `Bearer ${STERNPOST_API_KEY}` },
});
const provider = new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
provider.register();
const weather = ai.tool({
  description: "Say how warm it is in a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `21 degrees in ${city}`,
});
const { text } = await ai.generateText({
  model: createOpenAI({ baseURL: OPENAI_BASE_URL, apiKey: "x" }).chat("gpt-5-mini"),
  system: "Be brief.",
  prompt: "How warm is it in Paris?",
  tools: { weather },
  stopWhen: ai.stepCountIs(3),
  experimental_telemetry: { isEnabled: true },
});
console.log(text);
await provider.shutdown();
