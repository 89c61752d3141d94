import { expect, test } from "vitest";
import { nameOf, sayWhatGoes, targetsOf } from "./deletion";

test("a trace without a session and a user can only go by itself", () => {
  const none = targetsOf({ trace_id: "t", session_id: null, user_id: null });
  expect(none.map(nameOf)).toEqual(["This trace"]);
  const all = targetsOf({ trace_id: "t", session_id: "s1", user_id: "ada" });
  expect(all.map(nameOf)).toEqual(["This trace", "All traces of the session s1", "All traces of the user ada"]);
});

test("what goes is said with its counts and its cost", () => {
  const preview = { kind: "user", traces: 1, spans: 2, scores: 0, cost_usd: "0.02", cost_nanousd: 20_000_000, first_started_at: null, last_started_at: null } as const;
  expect(sayWhatGoes(preview)).toMatch(/^1 trace, 2 spans, 0 scores, which cost \$0\.02\d*\.$/);
});
