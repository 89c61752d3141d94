import { expect, test } from "vitest";
import { isMarkdown } from "./markdown_signs";

test("text with marks is Markdown, plain text and very long text are not", () => {
  for (const text of ["Your order **A-1** is here", "# Title", "one\n- two\n- three", "run `make`", "| a | b |\n|---|---|\n| 1 | 2 |", "a | b\n--- | ---\n1 | 2", "[docs](https://a.example)"]) expect(isMarkdown(text), text).toBe(true);
  for (const text of ["Set the base URL.", "2 * 3 is 6 and a_b_c", "yes | no | maybe", "", `**bold** ${"x".repeat(60_000)}`]) expect(isMarkdown(text), text.slice(0, 20)).toBe(false);
});
