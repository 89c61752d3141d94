/** A list that grows at both ends: older pages on demand, new traces on top while it is live. */
import { useEffect, useMemo } from "react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { TraceItem } from "@/client/types";
import { traceHeadQuery, tracePagesQuery, type TraceQuestion } from "./queries";

/** Puts the newest page on top of what is known; a trace that is in both is taken from the newest. */
export function merge(head: TraceItem[], pages: TraceItem[]): TraceItem[] {
  const fresh = new Map(head.map((one) => [one.trace_id, one]));
  const known = new Set(pages.map(({ trace_id }) => trace_id));
  const seen = new Set<string>();
  const merged = [...head.filter(({ trace_id }) => !known.has(trace_id)), ...pages.map((one) => fresh.get(one.trace_id) ?? one)];
  return merged.filter(({ trace_id }) => !seen.has(trace_id) && seen.add(trace_id));
}

/** Whether traces may have passed between the newest page and what is known, unseen. */
export function hasGap(head: TraceItem[], pages: TraceItem[]): boolean {
  if (head.length === 0 || pages.length === 0) return head.length > 0;
  const known = new Set(pages.map(({ trace_id }) => trace_id));
  return !head.some(({ trace_id }) => known.has(trace_id));
}

export function useTraceList(question: TraceQuestion, isLive: boolean) {
  const pages = useInfiniteQuery(tracePagesQuery(question));
  const head = useQuery(traceHeadQuery(question, isLive));
  const older = useMemo(() => pages.data?.pages.flatMap(({ items }) => items) ?? [], [pages.data]);
  const newest = useMemo(() => (isLive ? (head.data?.items ?? []) : []), [isLive, head.data]);
  const isBroken = !pages.isPlaceholderData && !pages.isFetching && hasGap(newest, older);
  const { refetch } = pages;
  useEffect(() => {
    if (isBroken) void refetch();
  }, [isBroken, refetch]);
  const items = useMemo(() => (isBroken || pages.isPlaceholderData ? older : merge(newest, older)), [isBroken, pages.isPlaceholderData, newest, older]);
  return { items, pages };
}
