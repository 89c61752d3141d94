/** Spans as a tree of rows: depth, position, and where each bar stands on the trace's own clock. */
import type { Span } from "@/client/types";

export interface Row {
  span: Span;
  depth: number;
  position: number;
  siblings: number;
  children: number;
  isOpen: boolean;
  /** Share of the trace before the start, and of the span itself; 0 to 1. */
  offset: number;
  width: number;
}

interface Clock {
  start: number;
  length: number;
}

function clockOf(spans: Span[]): Clock {
  let start = Infinity;
  let end = -Infinity;
  for (const span of spans) {
    const at = Date.parse(span.started_at);
    start = Math.min(start, at);
    end = Math.max(end, at + span.duration_ms);
  }
  return { start, length: Math.max(end - start, 0.001) };
}

function childrenOf(spans: Span[]): Map<string, Span[]> {
  const ids = new Set(spans.map(({ span_id }) => span_id));
  const found = new Map<string, Span[]>();
  for (const span of spans.toSorted((one, other) => Date.parse(one.started_at) - Date.parse(other.started_at))) {
    const parent = span.parent_span_id ?? "";
    const home = ids.has(parent) && parent !== span.span_id ? parent : ""; // an absent parent makes a root
    const family = found.get(home);
    if (family) family.push(span);
    else found.set(home, [span]);
  }
  return found;
}

/** Lists the rows that are visible when the spans in `closed` are folded. */
export function treeRows(spans: Span[], closed: ReadonlySet<string>): Row[] {
  const clock = clockOf(spans);
  const families = childrenOf(spans);
  const rows: Row[] = [];
  const pending = (families.get("") ?? []).map((span, at, all) => ({ span, depth: 0, at, all })).toReversed();
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { span, depth, at, all } = next;
    const inner = families.get(span.span_id) ?? [];
    const isOpen = !closed.has(span.span_id);
    rows.push({
      span, depth, position: at + 1, siblings: all.length, children: inner.length, isOpen,
      offset: (Date.parse(span.started_at) - clock.start) / clock.length,
      width: span.duration_ms / clock.length,
    });
    if (isOpen) pending.push(...inner.map((one, place) => ({ span: one, depth: depth + 1, at: place, all: inner })).toReversed());
  }
  return rows;
}
