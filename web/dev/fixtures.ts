/** Traces that look like real ones, made from a counter; for the unit tests and for `npm run dev:mock`. */
import type { Message, Span, TraceDetail, TraceItem } from "../src/client/types";

const questions = [
  "How do I point the OpenAI SDK at Sternpost?",
  "What happens to a call when the trace store is down?",
  "Which header carries the cost of a call?",
  "Does Sternpost send telemetry?",
  "What is the price of a ticket to the moon?",
  "How are cached tokens priced?",
  "Where are provider keys read from?",
];
const models = ["offline/extract-large", "offline/extract-small", "openai/gpt-5-mini", "anthropic/claude-haiku-4-5"];

const hex = (value: number, length: number): string =>
  ((value + 1) * 2654435761).toString(16).padStart(length, "a7c31e").slice(-length);

export const text = (role: string, content: string): Message => ({ role, parts: [{ type: "text", content }] });

interface Draft {
  id: string;
  type: string;
  name: string;
  parent?: string;
  at?: number;
  ms?: number;
}

/** Fills a span; `extra` overrides any field. */
export function span(draft: Draft, extra: Partial<Span> = {}, origin = 0): Span {
  return {
    span_id: draft.id, parent_span_id: draft.parent ?? null, type: draft.type, name: draft.name,
    started_at: new Date(origin + (draft.at ?? 0)).toISOString(), duration_ms: draft.ms ?? 100,
    time_to_first_token_ms: null, status: "ok", error: null, provider: null, request_model: null,
    response_model: null, route: null, usage: null, cost_usd: null, cost_nanousd: null, cost_status: null, cost_reason: null, error_type: null, cost_parts: {},
    is_time_skewed: false, counted: false, counted_with: null, join_reason: null,
    cache_hit_rate: null, cache_saved_usd: null, cache_saved_nanousd: null,
    input: [], output: [], attributes: {}, facts: {}, ...extra,
  };
}

export function item(index: number, now: number): TraceItem {
  const model = models[index % 4]!;
  const status = index % 11 === 4 ? "error" : index % 17 === 6 ? "truncated" : "ok";
  const isUnknown = index % 13 === 5;
  const cost = isUnknown ? null : (0.0004 + (index % 9) * 0.00071).toFixed(6);
  return {
    trace_id: hex(index, 32), name: index % 5 === 2 ? "support agent" : "docs bot",
    started_at: new Date(now - index * 97_000 - 4000).toISOString(), duration_ms: 180 + ((index * 7919) % 4200),
    status, span_count: index % 5 === 2 ? 9 : 5, models: index % 5 === 2 ? [model, models[0]!] : [model],
    input_tokens: 420 + ((index * 131) % 5200), output_tokens: 40 + ((index * 37) % 420),
    cost_usd: cost, cost_nanousd: cost === null ? null : Math.round(Number(cost) * 1e9),
    cost_status: isUnknown ? "unknown" : "computed", cache_read_tokens: isUnknown ? 0 : 128,
    cache_saved_usd: isUnknown ? null : "0.0000288", cache_saved_nanousd: isUnknown ? null : 28_800, session_id: `s-${index % 8}`, user_id: `user-${index % 6}`, environment: index % 4 === 0 ? "staging" : "production",
    tags: index % 3 === 0 ? ["docs"] : [], input_preview: questions[index % 7]!,
    error_preview: "", output_preview: status === "error" ? "" : "Set the base URL of the SDK to the address of the gateway, with /v1 at its end.",
    scores: index % 4 === 1 ? [{ name: "helpful", value: index % 8 === 1 ? 1 : 0, label: null }] : [],
  };
}

const system = text("system", "You answer questions about Sternpost from the given passages. Say so when they do not hold the answer.");
const usage = { in_fresh: 812, in_cache_read: 1024, out_text: 96, out_reasoning: 0 };
const parts = { in_fresh: "0.000203", in_cache_read: "0.0000256", out_text: "0.000192" };

function documents(): Message {
  const found = [["docs/how-to/openai-sdk.md", 0.83], ["docs/tutorial/first-call.md", 0.71], ["docs/concepts/gateway.md", 0.42]] as const;
  return {
    role: "tool",
    parts: found.map(([id, score]) => ({
      type: "document", id, score, title: id.split("/").at(-1), uri: id,
      content: "Set the base URL of the SDK to the address of the gateway, with /v1 at its end: `export OPENAI_BASE_URL=http://127.0.0.1:4100/v1`. Nothing else in the application changes.",
    })),
  };
}

function answering(head: TraceItem, origin: number): Span[] {
  const question = text("user", head.input_preview);
  const ask = [system, question];
  const isBroken = head.status === "error";
  const reply: Message[] = isBroken ? [] : [{ ...text("assistant", head.output_preview), finish_reason: "stop" }];
  const called = {
    provider: head.models[0]!.split("/")[0]!, request_model: head.models[0]!, response_model: head.models[0]!.split("/")[1]!,
    usage, cost_usd: head.cost_usd, cost_status: head.cost_status, cost_parts: parts,
    cache_hit_rate: 0.557734, cache_saved_usd: "0.0002304", cache_saved_nanousd: 230_400, input: ask, output: reply,
    time_to_first_token_ms: 142, status: head.status, error: isBroken ? "rate_limit_exceeded: the provider asks to wait 20 s" : null,
  };
  return [
    span({ id: "root", type: "workflow", name: head.name, ms: head.duration_ms }, { input: [question], output: reply, status: head.status }, origin),
    span({ id: "find", type: "retriever", name: "search docs", parent: "root", at: 8, ms: 24 }, { input: [question], output: [documents()], attributes: { "sternpost.retrieval.top_k": 3 } }, origin),
    span({ id: "gate", type: "gateway", name: `chat ${head.models[0]}`, parent: "root", at: 40, ms: head.duration_ms - 46 }, { ...called, attributes: { "sternpost.key_id": "key_01", "http.response.status_code": 200 } }, origin),
    span({ id: "try1", type: "attempt", name: `chat ${head.models[0]}`, parent: "gate", at: 41, ms: head.duration_ms - 50 }, called, origin),
    span({ id: "mark", type: "event", name: "feedback asked", parent: "root", at: head.duration_ms - 5, ms: 1 }, {}, origin),
  ];
}

function agentTurns(head: TraceItem, origin: number): Span[] {
  const call = { type: "tool_call", id: "c1", name: "find_order", arguments: '{"order": "A-1042", "fields": ["status", "carrier"]}' };
  const response = { type: "tool_call_response", id: "c1", response: { status: "shipped", carrier: "Royal Mail", eta: "2026-11-23" } };
  const first = [system, text("user", "Where is my order A-1042?")];
  const asked: Message = { role: "assistant", parts: [{ type: "reasoning", content: "The order number is given, so I look it up." }, call], finish_reason: "tool_calls" };
  const second: Message[] = [...first, { role: "assistant", parts: asked.parts }, { role: "tool", parts: [response] }];
  const answer: Message = { ...text("assistant", "Your order **A-1042** has shipped with Royal Mail and should arrive on 23 November."), finish_reason: "stop" };
  const called = { provider: "openai", request_model: "openai/gpt-5-mini", response_model: "gpt-5-mini", usage, cost_usd: "0.000421", cost_status: "computed", cost_parts: parts };
  const rest = head.duration_ms - 700;
  return [
    span({ id: "root", type: "agent", name: head.name, ms: head.duration_ms }, { status: head.status }, origin),
    span({ id: "g1", type: "gateway", name: "chat openai/gpt-5-mini", parent: "root", at: 5, ms: 410 }, { ...called, input: first, output: [asked] }, origin),
    span({ id: "a0", type: "attempt", name: "chat anthropic/claude-haiku-4-5", parent: "g1", at: 6, ms: 90 }, { status: "error", error: "529 overloaded", input: first }, origin),
    span({ id: "a1", type: "attempt", name: "chat openai/gpt-5-mini", parent: "g1", at: 98, ms: 310 }, { ...called, input: first, output: [asked] }, origin),
    span({ id: "t1", type: "tool", name: "find_order", parent: "root", at: 420, ms: 130 }, { input: [{ role: "assistant", parts: [call] }], output: [{ role: "tool", parts: [response] }] }, origin),
    span({ id: "g2", type: "gateway", name: "chat openai/gpt-5-mini", parent: "root", at: 560, ms: rest }, { ...called, input: second, output: [answer], status: head.status, error: head.status === "ok" ? null : "the stream ended without its last event" }, origin),
    span({ id: "a2", type: "attempt", name: "chat openai/gpt-5-mini", parent: "g2", at: 561, ms: rest - 3 }, { ...called, input: second, output: [answer], status: head.status }, origin),
  ];
}

export function detail(head: TraceItem): TraceDetail {
  const origin = Date.parse(head.started_at);
  const spans = head.name === "support agent" ? agentTurns(head, origin) : answering(head, origin);
  const scores = head.scores.map((chip, index) => ({
    score_id: `score-${index}`, span_id: null, name: chip.name, kind: "boolean", value: chip.value, label: null,
    explanation: "", source: "user_feedback", author: "user-1", created_at: head.started_at,
  }));
  return { trace: { ...head, span_count: spans.length, truncated_spans: 0 }, spans, scores, spans_cursor: null };
}
