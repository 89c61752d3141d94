import { expect, test } from "vitest";
import { ALL_SCOPES, endOf, presetOf, readModels } from "./scopes";

test("a set of scopes has a name when it is a preset, in any order", () => {
  expect(presetOf(["scores:write", "calls", "traces:write"])).toBe("Application");
  expect(presetOf(ALL_SCOPES.toReversed())).toBe("Admin");
  expect(presetOf(["calls"])).toBeNull();
  expect(presetOf([])).toBeNull();
});

test("models are read one by one, each once", () => {
  expect(readModels(" fast, openai/gpt-5\nfast  lab/* ")).toEqual(["fast", "openai/gpt-5", "lab/*"]);
  expect(readModels("")).toEqual([]);
});

test("a key ends as many days from now as was chosen", () => {
  expect(endOf("in 30 days", Date.parse("2026-01-01T00:00:00Z"))).toBe("2026-01-31T00:00:00.000Z");
  expect(endOf("never", 0)).toBeNull();
});
