import { expect, test } from "vitest";
import { rangeSearch, signInSearch, traceSearch } from "./search";

test("what nobody understands is dropped", () => {
  expect(rangeSearch({ since: "yesterday", until: "2026-01-01T00:00:00Z", other: "1" })).toEqual({ until: "2026-01-01T00:00:00Z" });
  expect(traceSearch({ view: "graph", span: "00f1" })).toEqual({ span: "00f1" });
});

test("a sign-in link never leads out of the app", () => {
  expect(signInSearch({ token: "t", next: "/traces" })).toEqual({ token: "t", next: "/traces" });
  expect(signInSearch({ token: "t", next: "//evil.example" })).toEqual({ token: "t" });
  expect(signInSearch({ next: "https://evil.example" })).toEqual({});
});
