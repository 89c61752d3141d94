/** Deletion of traces: what one would remove, how it begins, and how far it is. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/client/client";
import type { Deletion, DeletionPreview, TraceItem } from "@/client/types";
import { moment, money, plural } from "@/kit/format";

export interface Target {
  kind: "trace" | "session" | "user";
  id: string;
}

/** What can be deleted from a trace's page: the trace, and everything of its session and its user. */
export function targetsOf(trace: Pick<TraceItem, "trace_id" | "session_id" | "user_id">): Target[] {
  const targets: Target[] = [{ kind: "trace", id: trace.trace_id }];
  if (trace.session_id) targets.push({ kind: "session", id: trace.session_id });
  if (trace.user_id) targets.push({ kind: "user", id: trace.user_id });
  return targets;
}

export function nameOf({ kind, id }: Target): string {
  return kind === "trace" ? "This trace" : `All traces of the ${kind} ${id}`;
}

/** What goes, in a sentence. */
export function sayWhatGoes(preview: DeletionPreview): string {
  const parts = [plural(preview.traces, "trace"), plural(preview.spans, "span"), plural(preview.scores, "score")].join(", ");
  const times = [preview.first_started_at, preview.last_started_at].flatMap((one) => (one ? [moment(one)] : []));
  const when = preview.traces > 1 ? ` from ${times.join(" to ")}` : "";
  return `${parts}${when}, which cost ${money(preview.cost_usd, "computed")}.`;
}

function send({ kind, id }: Target, isDryRun: boolean) {
  const query = isDryRun ? { dry_run: true } : {};
  if (kind === "trace") return api.DELETE("/api/traces/{trace_id}", { params: { path: { trace_id: id }, query } });
  if (kind === "session") return api.DELETE("/api/sessions/{session_id}", { params: { path: { session_id: id }, query } });
  return api.DELETE("/api/users/{user_id}", { params: { path: { user_id: id }, query } });
}

export const previewQuery = (target: Target) =>
  queryOptions({
    queryKey: ["deletion", "preview", target],
    queryFn: async () => (await body(send(target, true))) as DeletionPreview,
    staleTime: 0,
    retry: false,
  });

export function useDelete() {
  return useMutation({ mutationFn: async (target: Target) => (await body(send(target, false))) as Deletion });
}

/** How far a deletion is, asked for every second until it is done; the lists of traces are then read again. */
export function useDeletionQuery(begun: Deletion | undefined) {
  const queries = useQueryClient();
  return queryOptions({
    queryKey: ["deletion", begun?.deletion_id ?? ""],
    queryFn: async () => {
      const deletion = await body(api.GET("/api/deletions/{deletion_id}", { params: { path: { deletion_id: begun?.deletion_id ?? "" } } }));
      if (deletion.state === "done") await queries.invalidateQueries({ queryKey: ["traces"] });
      return deletion;
    },
    enabled: begun !== undefined,
    refetchInterval: ({ state }) => (state.data?.state === "done" ? false : 1000),
  });
}
