/** Batches and their lines, as the server knows them. */
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/client/client";
import type { BatchItem } from "@/client/types";

const PAGE = 50;
const EVERY_MS = 2000;
const ENDED: readonly string[] = ["completed", "failed", "expired", "cancelled"];

export function isOpen({ status }: BatchItem): boolean {
  return !ENDED.includes(status);
}

export function canCancel({ status }: BatchItem): boolean {
  return status === "validating" || status === "in_progress";
}

/** All pages of the list; read again every two seconds while one of them runs. */
export const batchPagesQuery = (environment?: string) => infiniteQueryOptions({
  queryKey: ["batches", "pages", environment],
  queryFn: ({ pageParam }) => body(api.GET("/api/batches", { params: { query: { limit: PAGE, cursor: pageParam, ...(environment && { environment }) } } })),
  initialPageParam: "",
  getNextPageParam: (last) => last.next_cursor ?? undefined,
  refetchInterval: ({ state }) => (state.data?.pages.some(({ items }) => items.some(isOpen)) ? EVERY_MS : 5 * EVERY_MS),
});

export const batchQuery = (batchId: string) =>
  queryOptions({
    queryKey: ["batches", "one", batchId],
    queryFn: () => body(api.GET("/api/batches/{batch_id}", { params: { path: { batch_id: batchId } } })),
    refetchInterval: ({ state }) => (state.data && isOpen(state.data) ? EVERY_MS : false),
  });

export type LineState = "failed" | "done" | "waiting";

/** The lines of one state; `isRunning` has them read again. */
export const linePagesQuery = (batchId: string, state: LineState, isRunning: boolean) =>
  infiniteQueryOptions({
    queryKey: ["batches", "lines", batchId, state],
    queryFn: ({ pageParam }) =>
      body(api.GET("/api/batches/{batch_id}/lines", { params: { path: { batch_id: batchId }, query: { state, limit: PAGE, cursor: pageParam } } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: isRunning ? EVERY_MS : false,
  });

export function useCancelBatch(batchId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => body(api.POST("/api/batches/{batch_id}/cancel", { params: { path: { batch_id: batchId } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["batches"] }),
  });
}
