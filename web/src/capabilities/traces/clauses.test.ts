import { expect, test } from "vitest";
import { withoutEach } from "./clauses";

test("each part can be dropped, quotes and NOT kept whole", () => {
  expect(withoutEach('status:error name:"docs bot" AND NOT tag:x')).toEqual([
    { clause: "status:error", rest: 'name:"docs bot" NOT tag:x' },
    { clause: 'name:"docs bot"', rest: "status:error NOT tag:x" },
    { clause: "NOT tag:x", rest: 'status:error name:"docs bot"' },
  ]);
});

test("parts tied by OR or parentheses are left alone", () => {
  expect(withoutEach("a OR b")).toEqual([]);
  expect(withoutEach("(a b) c")).toEqual([]);
});
