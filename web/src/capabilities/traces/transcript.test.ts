import { expect, test } from "vitest";
import { detail, item, span, text } from "../../../dev/fixtures";
import { entryOf, readable, repeatedCount, transcript } from "./transcript";

const now = Date.parse("2026-01-02T00:00:00Z");

test("a request recorded by SDK, gateway and attempt speaks once, by its outermost span", () => {
  const said = [text("user", "Hello")];
  const spans = [
    span({ id: "w", type: "workflow", name: "bot" }, { input: said }),
    span({ id: "l", type: "llm", name: "chat", parent: "w", at: 1 }, { input: said }),
    span({ id: "g", type: "gateway", name: "chat", parent: "l", at: 2 }, { input: said }),
    span({ id: "a", type: "attempt", name: "chat", parent: "g", at: 3 }, { input: said }),
  ];
  expect(transcript(spans).map(({ span }) => span.span_id)).toEqual(["l"]);
});

test("a later call shows only what the earlier one did not hold", () => {
  const agent = detail({ ...item(2, now), status: "ok" });
  const turns = transcript(agent.spans).filter((entry) => entry.kind === "turn");
  expect(turns.map(({ repeated, fresh }) => [repeated, fresh.length])).toEqual([[0, 2], [4, 0]]);
});

test("the answer of a tool that left no span of its own is shown with the call that carries it", () => {
  const agent = detail({ ...item(2, now), status: "ok" });
  const turns = transcript(agent.spans.filter(({ type }) => type !== "tool")).filter((entry) => entry.kind === "turn");
  expect(turns[1]!.repeated).toBe(3);
  expect(turns[1]!.fresh[0]!.parts[0]!.type).toBe("tool_call_response");
});

test("attempts that failed before the answer stand beside it", () => {
  const [turn] = transcript(detail(item(2, now)).spans);
  expect(turn?.kind === "turn" && turn.failedAttempts.map(({ error }) => error)).toEqual(["529 overloaded"]);
});

test("an attempt whose error is that of the call is not told twice", () => {
  const spans = detail(item(2, now)).spans.map((span) => (span.type === "attempt" ? span : { ...span, error: "529 overloaded" }));
  const [turn] = transcript(spans).filter((entry) => entry.kind === "turn");
  expect(turn!.failedAttempts).toEqual([]);
});

test("retrieval comes before the answer that used it", () => {
  expect(transcript(detail(item(0, now)).spans).map(({ kind }) => kind)).toEqual(["retrieval", "turn", "other"]);
});

test("a changed first message repeats nothing", () => {
  expect(repeatedCount([text("system", "new"), text("user", "q")], [text("system", "old"), text("user", "q")])).toBe(0);
});

test("a span that is its own ancestor does not hang the page", () => {
  const loop = [span({ id: "a", type: "llm", name: "a", parent: "b" }), span({ id: "b", type: "llm", name: "b", parent: "a" })];
  expect(() => transcript(loop)).not.toThrow();
});

test("arguments that are not JSON are shown as the model wrote them", () => {
  expect(readable('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(readable('{"a":')).toBe('{"a":');
});

test("every span of the tree leads to an entry: its own, the one it stands inside, or the first one inside it", () => {
  const said = [text("user", "Hello")];
  const spans = [
    span({ id: "w", type: "workflow", name: "bot" }, {}),
    span({ id: "l", type: "llm", name: "chat", parent: "w", at: 1 }, { input: said }),
    span({ id: "a", type: "attempt", name: "chat", parent: "l", at: 2 }, { input: said }),
    span({ id: "t", type: "tool", name: "look", parent: "w", at: 3 }, {}),
  ];
  const entries = transcript(spans);
  expect(["l", "a", "t", "w", "elsewhere", undefined].map((id) => entryOf(entries, spans, id))).toEqual([0, 0, 1, 0, -1, -1]);
});

test("what an application was given and gave back stands around its calls, where no call says it", () => {
  const question = [text("user", "{\"question\": \"how warm?\"}")];
  const spans = [
    span({ id: "w", type: "chain", name: "app" }, { input: question, output: [text("assistant", "{\"degrees\": 21}")] }),
    span({ id: "a", type: "agent", name: "planner", parent: "w", at: 1 }, { input: [text("user", "plan")], output: [text("assistant", "It is warm.")] }),
    span({ id: "c", type: "chain", name: "step", parent: "a", at: 2 }, { input: [text("user", "inner")] }),
    span({ id: "l", type: "llm", name: "chat", parent: "c", at: 3 }, { input: [text("user", "how warm?")], output: [text("assistant", "It is warm.")] }),
  ];
  const entries = transcript(spans);
  expect(entries.map(({ kind, span }) => `${kind} ${span.span_id}`)).toEqual(["given w", "given a", "turn l", "made w"]);
  expect(entryOf(entries, spans, "w")).toBe(0);
});
