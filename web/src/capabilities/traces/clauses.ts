/** The parts of a filter that stand side by side, so that one of them can be dropped. */

export interface Choice {
  clause: string;
  rest: string;
}

/** Each part with the filter that is left without it; none when OR or parentheses tie parts together. */
export function withoutEach(filter: string): Choice[] {
  const clauses = filter.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? [];
  if (clauses.some((one) => one === "OR" || /^[-(]*\(|\)$/.test(one))) return [];
  const joined: string[] = [];
  for (const one of clauses) {
    if (one === "AND") continue;
    if (joined.at(-1) === "NOT") joined[joined.length - 1] = `NOT ${one}`;
    else joined.push(one);
  }
  return joined.map((clause, at) => ({ clause, rest: joined.toSpliced(at, 1).join(" ") }));
}
