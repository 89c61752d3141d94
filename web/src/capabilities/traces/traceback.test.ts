import { expect, test } from "vitest";
import { errorBlocks, hasTraceback, stackOf } from "./traceback";

const python = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    raise ValueError("no stock")\nValueError: no stock';
const javascript = "TypeError: x is undefined\n    at lookup (/app/shop.js:3:1)\n    at main (/app/shop.js:9:2)";

test("a traceback is told from the sentence that says what failed", () => {
  expect(errorBlocks(python)).toEqual({ sentence: "ValueError: no stock", trace: python });
  expect(errorBlocks(`no stock\n${python}`)).toEqual({ sentence: "no stock", trace: python });
  expect(errorBlocks(javascript)).toEqual({ sentence: "TypeError: x is undefined", trace: javascript.slice(javascript.indexOf("    at")) });
  expect(errorBlocks("rate limit reached\ntry again at noon")).toEqual({ sentence: "rate limit reached\ntry again at noon", trace: "" });
});

test("prose is no traceback", () => {
  expect(hasTraceback("We met at noon.\nAt last.")).toBe(false);
  expect(hasTraceback(python)).toBe(true);
});

test("the stack of an exception event is found, and a cut event is none", () => {
  const events = JSON.stringify([{ name: "retry" }, { name: "exception", "exception.stacktrace": python }]);
  expect(stackOf({ events })).toBe(python);
  expect(stackOf({ events: events.slice(0, -9) })).toBe("");
  expect(stackOf({ "exception.stacktrace": javascript })).toBe(javascript);
  expect(stackOf({})).toBe("");
});
