import { expect, test } from "vitest";
import { item } from "../../../dev/fixtures";
import { hasGap, merge } from "./live";

const traces = Array.from({ length: 6 }, (_, index) => item(index, Date.parse("2026-01-02T00:00:00Z")));

test("new traces go on top and known ones take their newest state", () => {
  const changed = { ...traces[2]!, span_count: 99 };
  const merged = merge([traces[0]!, traces[1]!, changed], traces.slice(2));
  expect(merged.map(({ trace_id }) => trace_id)).toEqual(traces.map(({ trace_id }) => trace_id));
  expect(merged[2]!.span_count).toBe(99);
});

test("a newest page without a known trace means that some passed unseen", () => {
  expect(hasGap(traces.slice(0, 2), traces.slice(4))).toBe(true);
  expect(hasGap(traces.slice(0, 3), traces.slice(2))).toBe(false);
  expect(hasGap([], traces)).toBe(false);
});
