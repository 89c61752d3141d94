/** How numbers, money, durations and times are written; the exact value goes to `title`. */

const counts = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const shorts = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const cents = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const fine = new Intl.NumberFormat("en", { minimumFractionDigits: 4, maximumFractionDigits: 4 });

export const MISSING = "-";

/** `12,480`, from a million on `1.24 M`. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return MISSING;
  if (Math.abs(value) < 1_000_000) return counts.format(value);
  return shorts.format(value).replace(/([A-Z])$/, " $1");
}

function significant(value: number): string {
  const rounded = Number(value.toPrecision(3)); // first, so that 0.9997 becomes 1.00 and not 1.000
  if (rounded === 0) return "0";
  return rounded.toFixed(Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded)))));
}

/** `840 ms`, `2.31 s`, `4 m 12 s`, `1 h 04 m`. */
export function duration(milliseconds: number | null | undefined): string {
  if (milliseconds === null || milliseconds === undefined) return MISSING;
  if (milliseconds < 0.995) return milliseconds === 0 ? "0 ms" : `${milliseconds.toFixed(2)} ms`;
  if (milliseconds < 999.5) return `${milliseconds < 99.95 ? significant(Math.max(milliseconds, 1)) : Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${significant(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} m`;
}

/** `$0.0042`, below a hundredth of a cent `<$0.0001`; what is not known is "unknown", never 0. */
export function money(usd: string | null | undefined, status?: string | null): string {
  if (status === "") return MISSING; // nothing in it has a price
  if (status === "unknown" || usd === null || usd === undefined || usd === "") return "unknown";
  const value = Number(usd);
  if (value === 0) return "$0";
  if (Math.abs(value) < 0.0001) return "<$0.0001";
  if (Math.abs(value) < 1) return `$${fine.format(value)}`;
  return value < 1_000_000 ? `$${cents.format(value)}` : `$${shorts.format(value).replace(/([A-Z])$/, " $1")}`;
}

/** `75 %`, `0.4 %`; a share from 0 to 1. */
export function share(part: number | null | undefined): string {
  if (part === null || part === undefined) return MISSING;
  const percent = 100 * part;
  return `${percent === 0 || percent >= 10 ? Math.round(percent) : percent.toFixed(1)} %`;
}

/** `saved $0.0042`, or `cost $0.0042 more` for less than nothing. */
export function saving(usd: string | null | undefined): string {
  if (usd === null || usd === undefined) return "saving unknown";
  return usd.startsWith("-") ? `cost ${money(usd.slice(1))} more` : `saved ${money(usd)}`;
}

/** Every digit of a cost, for sums that a reader may want to check. */
export function exactMoney(usd: string): string {
  return `$${usd.includes(".") ? usd.replace(/\.?0+$/, "") : usd}`;
}

/** What a cost rests on, for the hover text. */
export function costNote(usd: string | null | undefined, status?: string | null): string {
  switch (status) {
    case "provider_reported":
      return `$${usd ?? ""}, reported by the provider`;
    case "computed":
      return `$${usd ?? ""}, computed from tokens and dated prices`;
    case "estimated":
      return `$${usd ?? ""}, estimated: the provider gave no full token count`;
    case "free":
      return "free of charge";
    case "":
      return "nothing here has a price";
    case "unknown":
      return "unknown: price or usage is missing for a part of it; it is not 0";
    default:
      return usd ? `$${usd}` : "unknown";
  }
}

/** `840 B`, `12 kB`, `4.92 MB`: thousands, as file managers and vendors count. */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  return value < 999_500 ? `${significant(value / 1000)} kB` : `${significant(value / 1_000_000)} MB`;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayAndClock = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
});

/** `14 Nov 2026, 06:44:11 UTC` in the reader's zone. */
export function moment(at: string | null | undefined): string {
  return at ? dayAndClock.format(new Date(at)) : MISSING;
}

const dayOnly = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

/** `11 Dec 2026`, of a date without a time. */
export function day(on: string): string {
  return dayOnly.format(new Date(on));
}

/** `UTC`, `CET`: the reader's zone now, for times that don't name theirs. */
export function zone(): string {
  return dayAndClock.formatToParts(Date.now()).find(({ type }) => type === "timeZoneName")?.value ?? "local time";
}

/** `12 s ago`, `4 m ago`, `3 h ago`, `2 d ago`; `now` is a parameter, so that a list agrees with itself. */
export function ago(at: string | null | undefined, now: number): string {
  if (!at) return MISSING;
  const seconds = Math.max(0, Math.round((now - Date.parse(at)) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** `06:44:11` in the reader's zone. */
export function timeOfDay(at: string): string {
  return clock.format(new Date(at));
}

/** A round step in words: `30 s`, `15 m`, `6 h`, `1 d`. */
export function stepTitle(seconds: number): string {
  for (const [unit, size] of [["d", 86_400], ["h", 3600], ["m", 60]] as const) if (seconds >= size && seconds % size === 0) return `${seconds / size} ${unit}`;
  return `${seconds} s`;
}

/** `1 span`, `3 spans`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}
