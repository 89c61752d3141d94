/** What a change is called, and what it changed, in words. */
import type { EventItem } from "@/client/types";
import { moment } from "@/kit/format";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

const titles: Record<string, string> = {
  "key.created": "Key created",
  "key.revoked": "Key revoked",
  "sign_in.link_created": "Sign-in link created",
  "sign_in.started": "Signed in",
  "sign_in.ended": "Signed out",
  "batch.accepted": "Batch started",
  "batch.cancelled": "Batch cancelled",
  "batch.ended": "Batch ended",
  "configuration.applied": "Configuration applied",
  "configuration.refused": "Configuration refused",
  "traces.deletion_requested": "Deletion requested",
  "traces.deleted": "Traces deleted",
};

/** The families a reader can choose from. */
export const families = [
  { kind: "", title: "All changes" },
  { kind: "key.", title: "Keys" },
  { kind: "sign_in.", title: "Sign-ins" },
  { kind: "batch.", title: "Batches" },
  { kind: "configuration.", title: "Configuration" },
  { kind: "traces.", title: "Deletions" },
] as const;

/** `Key revoked`; a kind of a later version under its own name. */
export function titleOf(kind: string): string {
  return titles[kind] ?? kind;
}

/** Who did it, as a person would say. */
export function actorOf({ actor }: EventItem): string {
  const name = actor.name || actor.id;
  return actor.kind === "key" ? `key ${name}` : name || actor.kind;
}

/** The facts that changed, `name: before -> after`; all of them where nothing was before. */
export function changesOf({ body }: EventItem): string[] {
  const whole = facts(body["after"]);
  const after = whole ?? body;
  const before = facts(body["before"]);
  const beside = whole ? Object.entries(body).filter(([name, value]) => name !== "before" && name !== "after" && text(value) !== "") : [];
  const changed = Object.entries(after)
    .filter(([name, value]) => name !== "before" && (before ? text(before[name]) !== text(value) : text(value) !== ""))
    .map(([name, value]) => (before ? `${words(name)}: ${text(before[name]) || "none"} → ${text(value)}` : `${words(name)}: ${text(value)}`));
  return [...changed, ...beside.map(([name, value]) => `${words(name)}: ${text(value)}`)];
}

function facts(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}

function words(name: string): string {
  return name.replaceAll("_", " ");
}

function text(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(String).join(", ");
  if (typeof value === "string" && TIME.test(value)) return moment(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value as string | number | boolean);
}
