/** A trace read as a conversation: which spans speak, and what each says that was not said before. */
import type { Message, Part, Span } from "@/client/types";

export interface Turn {
  kind: "turn";
  span: Span;
  /** Messages this call sent that stand nowhere above. */
  fresh: Message[];
  /** How many messages it sent that do: in the previous call, or as the answer of a tool. */
  repeated: number;
  /** Attempts that failed before the one that answered. */
  failedAttempts: Span[];
}

export interface Step {
  kind: "retrieval" | "tool" | "other";
  span: Span;
}

/** What an application or agent was given, or what it gave back, where no call inside it says the same. */
export interface Frame {
  kind: "given" | "made";
  span: Span;
  messages: Message[];
}

export type Entry = Turn | Step | Frame;

const speaking = new Set(["llm", "gateway", "attempt"]);
const framed = new Set(["agent", "workflow"]);
const shown = new Set(["tool", "embedding", "reranker", "guardrail", "approval", "event"]);

function sameMessage(one: Message, other: Message): boolean {
  return one.role === other.role && JSON.stringify(one.parts) === JSON.stringify(other.parts);
}

/** Counts the leading messages that the previous call already held, as input or as its answer. */
export function repeatedCount(input: Message[], previous: Message[]): number {
  const end = input.findIndex((message, at) => !previous[at] || !sameMessage(message, previous[at]));
  return end === -1 ? input.length : end;
}

/** The answers of a tool span, as texts to compare with what the next call repeats. */
function answers(messages: Message[]): string[] {
  return messages.flatMap(({ parts }) => parts.map((part) => readable(part.response ?? part.content ?? "")));
}

function isShown(message: Message, shownAnswers: ReadonlySet<string>): boolean {
  return message.parts.length > 0 && message.parts.every((part) => part.type === "tool_call_response" && shownAnswers.has(readable(part.response ?? part.content ?? "")));
}

function byStart(one: Span, other: Span): number {
  return Date.parse(one.started_at) - Date.parse(other.started_at);
}

interface Family {
  ancestors: Span[];
  hasSpeaker: boolean;
}

function families(spans: Span[]): Map<string, Family> {
  const byId = new Map(spans.map((span) => [span.span_id, span]));
  const found = new Map<string, Family>(spans.map((span) => [span.span_id, { ancestors: [], hasSpeaker: false }]));
  for (const span of spans) {
    const family = found.get(span.span_id)!;
    let parent = byId.get(span.parent_span_id ?? "");
    while (parent && parent !== span && !family.ancestors.includes(parent)) {
      family.ancestors.push(parent);
      if (speaking.has(span.type)) found.get(parent.span_id)!.hasSpeaker = true;
      parent = byId.get(parent.parent_span_id ?? "");
    }
  }
  return found;
}

/** One request is often recorded by the SDK, the gateway and each attempt; the outermost one speaks for it. */
function isOutermostSpeaker(span: Span, family: Family): boolean {
  return speaking.has(span.type) && !family.ancestors.some((one) => speaking.has(one.type));
}

function stepOf(span: Span, family: Family): Step | null {
  if (span.type === "retriever") return { kind: "retrieval", span };
  if (span.type === "tool") return { kind: "tool", span };
  const holdsMore = span.input.length + span.output.length > 0 && !family.hasSpeaker;
  const isFailure = span.error !== null && span.error !== "" && !family.hasSpeaker && family.ancestors.length > 0 && !speaking.has(span.type);
  if (shown.has(span.type) || isFailure) return { kind: "other", span };
  return holdsMore && !speaking.has(span.type) ? { kind: "other", span } : null;
}

/** The attempts that failed, by each span they stand inside. */
function failedInside(spans: Span[], known: Map<string, Family>): Map<string, Span[]> {
  const found = new Map<string, Span[]>();
  for (const span of spans) {
    if (span.type !== "attempt" || span.status !== "error") continue;
    for (const { span_id } of known.get(span.span_id)!.ancestors) {
      const inside = found.get(span_id);
      if (inside) inside.push(span);
      else found.set(span_id, [span]);
    }
  }
  return found;
}

/** Everything said by the calls inside each wrapper, to leave out what only repeats it. */
function saidInside(spans: Span[], known: Map<string, Family>): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const span of spans.filter(({ type }) => speaking.has(type))) {
    for (const { span_id } of known.get(span.span_id)!.ancestors) {
      const inside = found.get(span_id) ?? new Set<string>();
      found.set(span_id, inside);
      for (const message of [...span.input, ...span.output]) inside.add(wordsOf(message));
    }
  }
  return found;
}

const wordsOf = ({ role, parts }: Message): string => JSON.stringify([role, parts]);

/** Both ends of a wrapper with calls inside: the application as a whole, and each of its agents. */
function framesOf(span: Span, family: Family, inside: ReadonlySet<string>): { given: Frame[]; made: Frame[] } {
  const isFramed = family.hasSpeaker && !speaking.has(span.type) && !shown.has(span.type) && span.type !== "retriever";
  const isTold = family.ancestors.length === 0 || framed.has(span.type);
  if (!isFramed || !isTold) return { given: [], made: [] };
  const frame = (kind: Frame["kind"], messages: Message[]): Frame[] =>
    messages.some((message) => !inside.has(wordsOf(message))) ? [{ kind, span, messages }] : [];
  return { given: frame("given", span.input), made: frame("made", span.output) };
}

/** Puts what a wrapper gave back behind the last entry inside it. */
function withResults(entries: Entry[], results: Frame[], known: Map<string, Family>): Entry[] {
  for (const result of results) {
    const isInside = ({ span }: Entry): boolean => span === result.span || known.get(span.span_id)!.ancestors.includes(result.span);
    entries.splice(entries.findLastIndex(isInside) + 1, 0, result);
  }
  return entries;
}

/** Reads the spans in the order of their start; wrappers that only repeat what is inside them are left out. */
export function transcript(spans: Span[]): Entry[] {
  const known = families(spans);
  const failures = failedInside(spans, known);
  const inside = saidInside(spans, known);
  const entries: Entry[] = [];
  const results: Frame[] = [];
  const shownAnswers = new Set<string>();
  const said = new Map<string, Message[]>(); // by parent: each agent's own conversation
  for (const span of spans.toSorted(byStart)) {
    const family = known.get(span.span_id)!;
    if (!isOutermostSpeaker(span, family)) {
      const frames = framesOf(span, family, inside.get(span.span_id) ?? new Set());
      entries.push(...frames.given);
      results.unshift(...frames.made);
      const step = stepOf(span, family);
      if (step) entries.push(step);
      if (step?.kind === "tool") for (const answer of answers(span.output)) shownAnswers.add(answer);
      continue;
    }
    const home = span.parent_span_id ?? "";
    const unsaid = span.input.slice(repeatedCount(span.input, said.get(home) ?? []));
    const fresh = unsaid.filter((message) => !isShown(message, shownAnswers));
    const failedAttempts = (failures.get(span.span_id) ?? []).filter(({ error }) => error !== span.error); // said once
    entries.push({ kind: "turn", span, fresh, repeated: span.input.length - fresh.length, failedAttempts });
    said.set(home, [...span.input, ...span.output]);
  }
  return withResults(entries, results, known);
}

/** The entry that tells of a span: its own, that of the span it stands inside, else the first one inside it. */
export function entryOf(entries: Entry[], spans: Span[], spanId: string | undefined): number {
  const places = new Map(entries.map(({ span }, at): [string, number] => [span.span_id, at]).toReversed()); // the first of each
  const parents = new Map(spans.map((span) => [span.span_id, span.parent_span_id ?? ""]));
  const line = (from: string): string[] => {
    const found: string[] = [];
    for (let at = from; parents.has(at) && !found.includes(at); at = parents.get(at)!) found.push(at);
    return found;
  };
  if (spanId === undefined) return -1;
  const own = line(spanId).find((one) => places.has(one));
  return own === undefined ? entries.findIndex(({ span }) => line(span.span_id).includes(spanId)) : places.get(own)!;
}

/** The text of a part; what is not text is written as JSON. */
export function partText(part: Part): string {
  const value: unknown = part.content ?? part.response ?? part.arguments ?? "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** JSON indented for reading; anything else as it is. */
export function readable(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value, null, 2) ?? "";
  if (!/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}
