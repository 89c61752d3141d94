/** Finds the traceback in a text: Python, JavaScript, Java and Go write them as indented lines below a first one. */

export interface ErrorBlocks {
  /** What a person reads. */
  sentence: string;
  /** The lines of the program; empty where there are none. */
  trace: string;
}

const starts = /^(?:Traceback \(most recent call last\):|\s+at \S|\s+File ".*", line \d+|goroutine \d+ \[|Caused by: )/m;

/** Whether a text is laid out by its lines and is to be shown as a block. */
export function hasTraceback(text: string): boolean {
  return starts.test(text);
}

/** Splits an error: the sentence before the traceback, else the last line of it, which names the error. */
export function errorBlocks(text: string): ErrorBlocks {
  const at = starts.exec(text)?.index;
  if (at === undefined) return { sentence: text, trace: "" };
  const before = text.slice(0, at).trim();
  if (before !== "") return { sentence: before, trace: text.slice(at).trimEnd() };
  const last = text.trimEnd().split("\n").at(-1) ?? "";
  return { sentence: /^\s/.test(last) ? "" : last, trace: text.trimEnd() };
}

/** The stack that an exception event of the span holds, or an attribute of the same name. */
export function stackOf(attributes: Record<string, unknown>): string {
  const own = attributes["exception.stacktrace"];
  if (typeof own === "string") return own;
  const { events } = attributes;
  if (typeof events !== "string" || !events.includes("exception.stacktrace")) return "";
  try {
    const known: unknown = JSON.parse(events);
    const stacks = Array.isArray(known) ? known.map((one: Record<string, unknown>) => one["exception.stacktrace"]) : [];
    return stacks.find((one) => typeof one === "string") ?? "";
  } catch {
    return ""; // cut at a limit
  }
}
