import { expect, test } from "vitest";
import type { EventItem } from "@/client/types";
import { actorOf, changesOf, titleOf } from "./words";

const event: EventItem = {
  seq: 1,
  event_id: "evt_1",
  kind: "key.revoked",
  subject: "key_1",
  actor: { kind: "user", id: "usr_1", name: "admin" },
  project_id: "p",
  environment: "",
  at: "2026-01-01T00:00:00.000000Z",
  body: { before: { name: "app", revoked_at: null }, after: { name: "app", revoked_at: "2026-01-01" } },
};

test("a change is named, and a kind of a later version keeps its own name", () => {
  expect(titleOf("key.revoked")).toBe("Key revoked");
  expect(titleOf("prompt.version_created")).toBe("prompt.version_created");
});

test("only what changed is shown, or all of it where nothing was before", () => {
  expect(changesOf(event)).toEqual(["revoked at: none → 2026-01-01"]);
  expect(changesOf({ ...event, body: { after: { name: "app", models: ["a", "b"], expires_at: null } } })).toEqual(["name: app", "models: a, b"]);
  expect(changesOf({ ...event, body: { status: "completed", failed: 0 } })).toEqual(["status: completed", "failed: 0"]);
});

test("a key is told apart from a person", () => {
  expect(actorOf(event)).toBe("admin");
  expect(actorOf({ ...event, actor: { kind: "key", id: "key_1", name: "app" } })).toBe("key app");
});
