/** Answers the management API from fixtures, so that pages can be drawn without a running Sternpost. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Plugin } from "vite";
import type { TraceDetail, TraceItem } from "../src/client/types";
import { detail, item } from "./fixtures.ts";

interface World {
  traces: TraceItem[];
  scores: Map<string, TraceDetail["scores"]>;
  keys: { key_id: string; name: string; prefix: string; created_at: string; last_used_at: string | null; revoked_at: string | null; expires_at: string | null; models: string[]; scopes: string[] }[];
  isSignedIn: boolean;
}
type Reply = [status: number, body: unknown];

const session = { user: { user_id: "user_1", name: "admin", is_admin: true }, project_id: "project_1", project_name: "default", csrf_token: "t" };

function listTraces(world: World, query: URLSearchParams): Reply {
  const filter = query.get("filter") ?? "";
  const unknown = /(\w+):/.exec(filter)?.[1];
  const known = ["status", "model", "user", "session", "tag", "name", "duration", "cost", "tokens"];
  if (unknown && !known.includes(unknown)) {
    const detail = `Position 1: there is no field '${unknown}'. Did you mean 'status'?`;
    return [400, { type: "", title: "Bad Request", status: 400, code: "bad_filter", detail }];
  }
  const status = /status:(\w+)/.exec(filter)?.[1];
  const model = /model:(\S+)/.exec(filter)?.[1];
  const found = world.traces.filter((one) => (!status || one.status === status) && (!model || one.models.join().includes(model)));
  const start = Number(query.get("cursor") ?? 0);
  const limit = Number(query.get("limit") ?? 50);
  return [200, { items: found.slice(start, start + limit), next_cursor: start + limit < found.length ? String(start + limit) : null }];
}

const measure = (factor: number) => ({
  calls: Math.round(40 * factor), errors: Math.round(1.4 * factor), cost_usd: (0.021 * factor).toFixed(6),
  input_tokens: Math.round(41_000 * factor), output_tokens: Math.round(4300 * factor),
  cache_hit_rate: 0.31, cache_saved_usd: (0.0028 * factor).toFixed(6), cache_saved_nanousd: Math.round(2_800_000 * factor),
  latency_p50_ms: 820 + 60 * factor, latency_p95_ms: 2100 + 340 * factor,
});

function overview(): Reply {
  const step = 900;
  const until = Math.floor(Date.now() / 1000 / step) * step * 1000;
  const series = Array.from({ length: 96 }, (_, at) => ({
    at: new Date(until - (95 - at) * step * 1000).toISOString(), ...measure(1 + Math.sin(at / 9) * 0.6 + (at % 7) / 10),
  }));
  const by_model = ["offline/extract-large", "openai/gpt-5-mini", "anthropic/claude-haiku-4-5"].map((model, at) => ({ model, provider: "", filter: `model:${model}`, ...measure(40 / (at + 1)) }));
  const totals = { ...measure(96), cost_status_counts: { computed: 3700, unknown: 120 } };
  return [200, { since: series[0]!.at, until: new Date(until).toISOString(), step_s: step, totals, series, by_model }];
}

const configuration = {
  file: "/home/admin/.sternpost/sternpost.yaml", hash: "0f343b0931126a20", hash_on_disk: "0f343b0931126a20", applied_hash: "0f343b0931126a20",
  loaded_at: "2026-01-05T10:00:00Z", loaded_by: "start", text: "routes:\n  fast:\n    targets: [{model: openai/gpt-5-mini}]\n", problem: null, processes: {},
};
const models = [
  { id: "offline/extract-large", provider: "offline", title: "", kind: "model", max_output_tokens: null, targets: [], is_configured: true, context_tokens: 131_072, input_usd: "0", output_usd: "0", abilities: ["stream", "tools"] },
  { id: "offline/extract-small", provider: "offline", title: "", kind: "model", max_output_tokens: null, targets: [], is_configured: true, context_tokens: 32_768, abilities: ["stream"] },
  { id: "openai/gpt-5-mini", provider: "openai", title: "", kind: "model", max_output_tokens: null, targets: [], is_configured: false, context_tokens: 400_000, input_usd: "0.25", output_usd: "2", abilities: ["stream", "tools", "images"] },
  { id: "fast", provider: "", title: "", kind: "route", max_output_tokens: null, targets: ["openai/gpt-5-mini", "offline/extract-large"], is_configured: true, context_tokens: null, abilities: [] },
];
const providers = [
  { name: "offline", title: "Offline", dialect: "openai_chat", is_configured: true, key_variable: null, docs_url: null },
  { name: "openai", title: "OpenAI", dialect: "openai_chat", is_configured: false, key_variable: "OPENAI_API_KEY", docs_url: "https://platform.openai.com/docs" },
  { name: "anthropic", title: "Anthropic", dialect: "anthropic", is_configured: false, key_variable: "ANTHROPIC_API_KEY", docs_url: "https://docs.anthropic.com" },
  { name: "groq", title: "Groq", dialect: "openai_chat", is_configured: false, key_variable: "GROQ_API_KEY", docs_url: "https://console.groq.com/docs" },
];

function readTrace(world: World, id: string): Reply {
  const head = world.traces.find((one) => one.trace_id === id);
  if (!head) return [404, { type: "", title: "Not Found", status: 404, code: "trace_not_found", detail: `There is no trace '${id}'.`, request_id: "req_1" }];
  const body = detail(head);
  return [200, { ...body, scores: [...body.scores, ...(world.scores.get(id) ?? [])] }];
}

function addScore(world: World, id: string, given: object): Reply {
  const score = { score_id: `score-${Date.now()}`, span_id: null, value: null, label: null, explanation: "", name: "", kind: "", ...given, source: "human", author: "admin", created_at: new Date().toISOString() };
  world.scores.set(id, [...(world.scores.get(id) ?? []), score]);
  return [201, score];
}

function write(world: World, method: string, path: string, given: { name?: string; models?: string[]; scopes?: string[]; expires_at?: string | null }): Reply {
  if (path === "/api/session") world.isSignedIn = method === "POST";
  if (path === "/api/session") return method === "POST" ? [200, session] : [204, null];
  const [, , noun, id, verb] = path.split("/");
  if (noun === "traces" && verb === "scores") return addScore(world, id!, given);
  if (noun === "keys" && verb === "revoke") {
    const key = world.keys.find((one) => one.key_id === id)!;
    key.revoked_at = new Date().toISOString();
    return [200, key];
  }
  if (path === "/api/keys") {
    const key = { key_id: `key_${world.keys.length + 1}`, name: given.name ?? "", prefix: "sp-7f3a", created_at: new Date().toISOString(), last_used_at: null, revoked_at: null, expires_at: given.expires_at ?? null, models: given.models ?? [], scopes: given.scopes ?? [] };
    world.keys.push(key);
    return [201, { ...key, key: "sp-7f3a19c2d8e04b5fa6" }];
  }
  if (path === "/v1/chat/completions") {
    world.traces.unshift({ ...item(0, Date.now()), trace_id: Date.now().toString(16).padStart(32, "0") });
    return [200, { choices: [] }];
  }
  return [404, { type: "", title: "Not Found", status: 404, code: "not_found", detail: "nothing here" }];
}

function read(world: World, url: URL): Reply {
  if (!world.isSignedIn) return [401, { type: "", title: "Unauthorized", status: 401, code: "not_signed_in", detail: "Sign in first." }];
  const id = /^\/api\/traces\/(\w+)$/.exec(url.pathname)?.[1];
  if (id) return readTrace(world, id);
  const status = { version: "0.1.0", base_url: url.origin, parts: { journal: { is_up: true, reason: "", pending_bytes: 0 } }, configuration: {} };
  const simple: Record<string, unknown> = {
    "/api/session": session, "/api/keys": { items: world.keys, next_cursor: null }, "/api/models": { items: models, next_cursor: null },
    "/api/providers": { items: providers }, "/api/status": status, "/api/config": configuration,
  };
  if (url.pathname === "/api/traces") return listTraces(world, url.searchParams);
  if (url.pathname === "/api/overview") return overview();
  return url.pathname in simple ? [200, simple[url.pathname]] : [404, { title: "Not Found", status: 404, code: "not_found", detail: url.pathname }];
}

async function jsonOf(request: IncomingMessage): Promise<object> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  return body ? (JSON.parse(body) as object) : {};
}

/** A Vite plugin; `STERNPOST_MOCK=empty` starts without traces, `STERNPOST_MOCK=signed-out` without a session. */
export function mockServer(): Plugin {
  const mode = process.env["STERNPOST_MOCK"] ?? "";
  const world: World = {
    traces: mode === "empty" ? [] : Array.from({ length: 2000 }, (_, index) => item(index, Date.now())),
    scores: new Map(),
    keys: [{ key_id: "key_1", name: "first start", prefix: "sp-01ab", created_at: new Date(Date.now() - 4e8).toISOString(), last_used_at: new Date().toISOString(), revoked_at: null, expires_at: null, models: [], scopes: ["calls", "files", "traces:read", "traces:write", "scores:write"] }],
    isSignedIn: mode !== "signed-out",
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
    const method = request.method ?? "GET";
    const [status, body] = method === "GET" ? read(world, url) : write(world, method, url.pathname, await jsonOf(request));
    response.writeHead(status, { "content-type": status < 400 ? "application/json" : "application/problem+json" });
    response.end(body === null ? undefined : JSON.stringify(body));
  };
  const handle = (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    if (/^\/(api|v1)\//.test(request.url ?? "")) void answer(request, response);
    else next();
  };
  return {
    name: "sternpost-mock",
    configureServer: (server) => void server.middlewares.use(handle),
    configurePreviewServer: (server) => void server.middlewares.use(handle),
  };
}
