/** The query part of each address: typed, checked, and without what nobody understands. */
import { isMoment } from "@/kit/time_range";

type Given = Record<string, unknown>;

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function oneOf<Choice extends string>(value: unknown, choices: readonly Choice[]): Choice | undefined {
  return choices.find((choice) => choice === value);
}

function pick<Shape extends object>(shape: Shape): Shape {
  return Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined)) as Shape;
}

export interface RangeSearch {
  since?: string | undefined;
  until?: string | undefined;
  env?: string | undefined;
}

export function rangeSearch(given: Given): RangeSearch {
  const [since, until] = [text(given["since"]), text(given["until"])];
  return pick({ since: since && isMoment(since) ? since : undefined, until: until && isMoment(until) ? until : undefined, env: text(given["env"]) });
}

export interface TracesSearch {
  filter?: string | undefined;
  live?: "off" | undefined;
}

export function tracesSearch(given: Given): TracesSearch {
  return pick({ filter: text(given["filter"]), live: oneOf(given["live"], ["off"]) });
}

export interface TraceSearch {
  span?: string | undefined;
  view?: "raw" | undefined;
  filter?: string | undefined;
}

export function traceSearch(given: Given): TraceSearch {
  return pick({ span: text(given["span"]), view: oneOf(given["view"], ["raw"]), filter: text(given["filter"]) });
}

export interface SignInSearch {
  token?: string | undefined;
  next?: string | undefined;
}

export function signInSearch(given: Given): SignInSearch {
  const next = text(given["next"]);
  // Only places of this app: a link must not send a fresh session elsewhere.
  return pick({ token: text(given["token"]), next: next && /^\/(?![/\\])/.test(next) ? next : undefined });
}
