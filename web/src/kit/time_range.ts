/** The time range of a page: relative ("now-24h") as long as nobody pins it, two ISO times then. */

export interface TimeRange {
  since: string;
  until?: string | undefined;
}

export const PRESETS = [
  { since: "now-15m", title: "Last 15 minutes" },
  { since: "now-1h", title: "Last hour" },
  { since: "now-6h", title: "Last 6 hours" },
  { since: "now-24h", title: "Last 24 hours" },
  { since: "now-7d", title: "Last 7 days" },
  { since: "now-30d", title: "Last 30 days" },
] as const;

export const DEFAULT_SINCE = "now-24h";
const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const relative = /^now-(\d{1,4})([smhdw])$/;

/** Whether the server would understand this moment. */
export function isMoment(text: string): boolean {
  return relative.test(text) || (/^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text)));
}

/** The moment in milliseconds since 1970. */
export function resolve(text: string, now: number): number {
  const found = relative.exec(text);
  return found ? now - Number(found[1]) * (units[found[2]!] ?? 1) * 1000 : Date.parse(text);
}

const steps = [10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400];

/** The round step, in seconds, that draws the range in at most 120 points. */
export function stepFor(range: TimeRange, now: number): number {
  const seconds = (resolve(range.until ?? "now-0s", now) - resolve(range.since, now)) / 1000;
  return steps.find((step) => seconds / step <= 120) ?? 86_400;
}

/** The shortest preset that holds everything since the first call, when that is at most a quarter of the range. */
export function fittingSince(range: TimeRange, firstAt: number, now: number): string | undefined {
  if (range.until !== undefined) return undefined;
  const spans = PRESETS.map(({ since }) => ({ since, ms: now - resolve(since, now) }));
  const fit = spans.find(({ ms }) => ms >= now - firstAt);
  return fit && fit.ms * 4 <= now - resolve(range.since, now) ? fit.since : undefined;
}

/** The shortest usual range that holds a moment: a day, a week, a month, else all days since. */
export function sinceHolding(at: number, now: number): string {
  const usual = ["now-24h", "now-7d", "now-30d"].find((since) => resolve(since, now) <= at);
  return usual ?? `now-${Math.min(Math.ceil((now - at) / 86_400_000) + 1, 9999)}d`;
}

function show(moment: string): string {
  if (relative.test(moment)) return moment;
  return new Date(moment).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

/** What the range is called: its preset, or its two ends. */
export function titleOf(range: TimeRange): string {
  const preset = PRESETS.find(({ since }) => since === range.since);
  if (preset && range.until === undefined) return preset.title;
  return `${show(range.since)} to ${range.until === undefined ? "now" : show(range.until)}`;
}
