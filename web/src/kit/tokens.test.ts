import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const css = readFileSync(new URL("./tokens.css", import.meta.url), "utf8");

function tokens(selector: string): Record<string, string> {
  const start = css.indexOf(`${selector} {`);
  const block = css.slice(start, css.indexOf("}", start));
  return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name, colour]) => [name, colour]));
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const channel = parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.03928 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!; // WCAG 2.2, relative luminance
}

function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

describe.each([":root", ':root[data-theme="dark"]'])("theme %s", (selector) => {
  const colour = tokens(selector);

  test.each(["text", "text-2", "text-3", "accent", "ok", "warn", "bad"])("%s is readable on every surface", (name) => {
    for (const ground of ["bg", "surface", "raised"]) expect(contrast(colour[name]!, colour[ground]!)).toBeGreaterThanOrEqual(4.5);
  });

  test.each(["ok", "warn", "bad", "accent"])("%s is readable on its soft ground", (name) => {
    expect(contrast(colour[name]!, colour[`${name}-soft`]!)).toBeGreaterThanOrEqual(4.5);
  });

  test.each(["control", "series-1", "series-2", "series-3", "series-4", "series-5", "series-6"])("%s stands out by 3:1", (name) => {
    for (const ground of ["bg", "surface", "raised"]) expect(contrast(colour[name]!, colour[ground]!)).toBeGreaterThanOrEqual(3);
  });
});
