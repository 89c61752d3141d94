/** Names for the shapes of the management API; read from its paths, so that a renamed schema changes nothing here. */
import type { paths } from "./schema";

type Ok<Path extends keyof paths, Method extends "get" | "post" | "delete", Status extends number> = paths[Path] extends {
  [key in Method]: { responses: { [code in Status]: { content: { "application/json": infer Body } } } };
}
  ? Body
  : never;

export type Session = Ok<"/api/session", "get", 200>;
export type TracePage = Ok<"/api/traces", "get", 200>;
export type TraceItem = TracePage["items"][number];
export type TraceDetail = Ok<"/api/traces/{trace_id}", "get", 200>;
export type Span = TraceDetail["spans"][number];
export type Message = Span["input"][number];
export type Part = Message["parts"][number];
export type Score = TraceDetail["scores"][number];
export type DeletionPreview = Ok<"/api/traces/{trace_id}", "delete", 200>;
export type Deletion = Ok<"/api/deletions/{deletion_id}", "get", 200>;
export type Overview = Ok<"/api/overview", "get", 200>;
export type OverviewPoint = Overview["series"][number];
export type ModelShare = Overview["by_model"][number];
export type KeyItem = Ok<"/api/keys", "get", 200>["items"][number];
export type CreatedKey = Ok<"/api/keys", "post", 201>;
export type NewKey = paths["/api/keys"]["post"]["requestBody"]["content"]["application/json"];
export type KeyScope = KeyItem["scopes"][number];
export type ModelItem = Ok<"/api/models", "get", 200>["items"][number];
export type ProviderItem = Ok<"/api/providers", "get", 200>["items"][number];
export type CostExplanation = Ok<"/api/cost/spans/{span_id}", "get", 200>;
export type CostLine = CostExplanation["lines"][number];
export type BatchItem = Ok<"/api/batches", "get", 200>["items"][number];
export type BatchLine = Ok<"/api/batches/{batch_id}/lines", "get", 200>["items"][number];
export type EventItem = Ok<"/api/events", "get", 200>["items"][number];
export type Configuration = Ok<"/api/config", "get", 200>;
export type Reload = Ok<"/api/config/reload", "post", 200>;
export type Status = Ok<"/api/status", "get", 200>;
