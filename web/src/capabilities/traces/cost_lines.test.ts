import { expect, test } from "vitest";
import { costLines } from "./cost_lines";

test("the price of a class is its cost divided by its tokens", () => {
  const lines = costLines({ out_text: 96, in_fresh: 812, in_audio: 0 }, { in_fresh: "0.000203", out_text: "0.000192" });
  expect(lines.map(({ title, tokens, pricePerMillion }) => [title, tokens, pricePerMillion])).toEqual([
    ["Input", 812, "0.25"], // 0.000203 / 812 * 1,000,000
    ["Output", 96, "2.00"], // 0.000192 / 96 * 1,000,000
  ]);
});

test("a class without a price has no cost, and a class nobody named keeps its own name", () => {
  expect(costLines({ in_video: 3 }, {})).toEqual([{ bucket: "in_video", title: "in_video", tokens: 3, usd: null, pricePerMillion: null }]);
});
