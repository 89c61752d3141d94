import { sinceHolding } from "./time_range";
import { expect, test } from "vitest";
import { fittingSince, isMoment, resolve, stepFor, titleOf } from "./time_range";

const now = Date.parse("2026-01-02T00:00:00Z");

test("relative moments count back from now", () => {
  expect(resolve("now-24h", now)).toBe(Date.parse("2026-01-01T00:00:00Z"));
  expect(resolve("2025-12-31T00:00:00Z", now)).toBe(Date.parse("2025-12-31T00:00:00Z"));
});

test("a broken moment is recognised", () => {
  expect(isMoment("now-24h")).toBe(true);
  expect(isMoment("2026-01-01T00:00:00Z")).toBe(true);
  expect(isMoment("yesterday")).toBe(false);
  expect(isMoment("2026-99-99T00:00:00Z")).toBe(false);
});

test("a day is drawn in 96 quarter hours", () => {
  expect(stepFor({ since: "now-24h" }, now)).toBe(900); // 86,400 s / 900 s = 96 points; 600 s would be 144
});

test("a preset has its own name and a pinned range shows its ends", () => {
  expect(titleOf({ since: "now-1h" })).toBe("Last hour");
  expect(titleOf({ since: "2026-01-01T00:00:00Z", until: "2026-01-01T06:00:00Z" })).toContain(" to ");
});

test("a shorter range is offered only when it is at most a quarter of the shown one", () => {
  const hours = (count: number): number => now - count * 3_600_000;
  expect(fittingSince({ since: "now-24h" }, hours(0.5), now)).toBe("now-1h");
  expect(fittingSince({ since: "now-24h" }, hours(5), now)).toBe("now-6h");
  expect(fittingSince({ since: "now-24h" }, hours(7), now)).toBeUndefined();
  expect(fittingSince({ since: "2026-01-01T00:00:00Z", until: "2026-01-01T23:00:00Z" }, hours(2), now)).toBeUndefined();
});

test("a range is found that holds the newest call", () => {
  const now = Date.parse("2026-01-31T00:00:00Z");
  const found = ["2026-01-30T23:00:00Z", "2026-01-28T00:00:00Z", "2026-01-02T00:00:00Z", "2025-10-01T00:00:00Z"].map((at) => sinceHolding(Date.parse(at), now));
  expect(found).toEqual(["now-24h", "now-7d", "now-30d", "now-123d"]);
});
