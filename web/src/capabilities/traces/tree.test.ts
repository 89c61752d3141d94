import { expect, test } from "vitest";
import { span } from "../../../dev/fixtures";
import { treeRows } from "./tree";

const spans = [
  span({ id: "r", type: "workflow", name: "r", at: 0, ms: 200 }),
  span({ id: "b", type: "tool", name: "b", parent: "r", at: 100, ms: 50 }),
  span({ id: "a", type: "tool", name: "a", parent: "r", at: 20, ms: 40 }),
  span({ id: "c", type: "llm", name: "c", parent: "a", at: 25, ms: 10 }),
  span({ id: "o", type: "event", name: "o", parent: "gone", at: 150, ms: 1 }),
];

test("rows stand in the order of their start, below their parents", () => {
  expect(treeRows(spans, new Set()).map(({ span, depth }) => `${depth}${span.span_id}`)).toEqual(["0r", "1a", "2c", "1b", "0o"]);
});

test("a folded span hides what is inside it", () => {
  expect(treeRows(spans, new Set(["a"])).map(({ span }) => span.span_id)).toEqual(["r", "a", "b", "o"]);
});

test("bars are shares of the whole trace", () => {
  const bar = treeRows(spans, new Set()).find(({ span }) => span.span_id === "b")!;
  expect([bar.offset, bar.width]).toEqual([0.5, 0.25]); // 100 ms and 50 ms of 200 ms
});
