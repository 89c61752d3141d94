/** The scopes of keys in words, and the sets of them that have a name; the same sets as `capabilities/access/rules.py`. */
import type { KeyScope } from "@/client/types";

export const SCOPES: Record<KeyScope, string> = {
  calls: "Call models and list them",
  files: "Files, batches, and stored replies of other keys",
  "provider:account": "A provider's files, jobs and other paths that don't call a model",
  "traces:read": "Read all traces, costs and media of the project",
  "traces:write": "Send spans by OpenTelemetry or the SDK",
  "traces:delete": "Delete traces, sessions and users for good",
  "scores:write": "Score traces and send feedback",
  "keys:read": "List keys",
  "keys:write": "Create and revoke keys with no more rights than this one",
  "config:read": "Read the configuration in force, without its secrets",
  "config:write": "Reload the configuration",
};

export const ALL_SCOPES = Object.keys(SCOPES) as KeyScope[];

export const PRESETS: Record<string, KeyScope[]> = {
  Application: ["calls", "traces:write", "scores:write"],
  "Read-only": ["traces:read"],
  Admin: ALL_SCOPES,
};

/** The name of a set of scopes; `null` when it has none. */
export function presetOf(scopes: readonly KeyScope[]): string | null {
  const isSame = (preset: KeyScope[]): boolean => preset.length === scopes.length && preset.every((one) => scopes.includes(one));
  return Object.keys(PRESETS).find((name) => isSame(PRESETS[name]!)) ?? null;
}

/** The models of a text field: separated by commas, spaces or lines, each once. */
export function readModels(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((one) => one !== ""))];
}

const DAY_MS = 86_400_000;
export const LIVES: Record<string, number | null> = { never: null, "in 1 day": 1, "in 7 days": 7, "in 30 days": 30, "in 90 days": 90, "in a year": 365 };

/** When a key made now ends; `null`: never. */
export function endOf(life: string, now: number): string | null {
  const days = LIVES[life] ?? null;
  return days === null ? null : new Date(now + days * DAY_MS).toISOString();
}
