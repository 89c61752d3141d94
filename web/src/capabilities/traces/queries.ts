/** Traces and their scores, as the server knows them. */
import { infiniteQueryOptions, keepPreviousData, queryOptions, useMutation, useQueryClient, type InfiniteData, type QueryClient } from "@tanstack/react-query";
import { api, body } from "@/client/client";
import type { Score, TraceDetail, TraceItem, TracePage } from "@/client/types";

export interface TraceQuestion {
  filter?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  environment?: string | undefined;
}

const PAGE = 50;

function ask(question: TraceQuestion, limit: number, cursor?: string): Promise<TracePage> {
  const query: Record<string, string | number> = { limit };
  for (const [name, value] of Object.entries({ ...question, cursor })) if (value) query[name] = value;
  return body(api.GET("/api/traces", { params: { query } }));
}

/** All pages of a list, one after the other, by the server's cursor. */
export const tracePagesQuery = (question: TraceQuestion) =>
  infiniteQueryOptions({
    queryKey: ["traces", "pages", question],
    queryFn: ({ pageParam }) => ask(question, PAGE, pageParam || undefined),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    retry: false,
  });

/** The newest page alone, asked for again every two seconds while someone looks. */
export const traceHeadQuery = (question: TraceQuestion, isLive: boolean) =>
  queryOptions({
    queryKey: ["traces", "head", question],
    queryFn: () => ask(question, PAGE),
    enabled: isLive,
    refetchInterval: isLive ? 2000 : false,
    retry: false,
  });

/** Whether anything was ever recorded; `everyMs` makes it wait for the first call. */
export const newestTraceQuery = (everyMs: number | false) =>
  queryOptions({
    queryKey: ["traces", "newest"],
    queryFn: async () => (await ask({}, 1)).items[0] ?? null,
    refetchInterval: everyMs,
  });

const readSpans = (traceId: string, cursor = ""): Promise<TraceDetail> =>
  body(api.GET("/api/traces/{trace_id}", { params: { path: { trace_id: traceId }, query: cursor ? { spans_cursor: cursor } : {} } }));

/** A trace with its first pages of spans; the server pages a trace with thousands of them. */
async function readTrace(traceId: string, pages: number): Promise<TraceDetail> {
  let detail = await readSpans(traceId);
  for (let page = 1; page < pages && detail.spans_cursor; page += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each page names the next
    const next = await readSpans(traceId, detail.spans_cursor);
    const spans = [...detail.spans, ...next.spans];
    detail = { ...next, spans, trace: { ...next.trace, truncated_spans: Math.max(next.trace.span_count - spans.length, 0) } };
  }
  return detail;
}

/** Whether any trace answers the question. */
export const anyTraceQuery = (question: TraceQuestion) =>
  queryOptions({ queryKey: ["traces", "any", question], queryFn: async () => (await ask(question, 1)).items.length > 0, retry: false });

/** What a project has if it is older than an hour. */
export const BEFORE_LAST_HOUR: TraceQuestion = { until: "now-1h" };

/** The row of a list that was read before; it stands in until the spans are here. */
export function knownTrace(queries: QueryClient, traceId: string): TraceItem | undefined {
  const heads = queries.getQueriesData<TracePage>({ queryKey: ["traces", "head"] }).flatMap(([, page]) => page?.items ?? []);
  const pages = queries.getQueriesData<InfiniteData<TracePage>>({ queryKey: ["traces", "pages"] });
  const rows = pages.flatMap(([, known]) => known?.pages.flatMap(({ items }) => items) ?? []);
  return [...heads, ...rows].find(({ trace_id }) => trace_id === traceId);
}

/** One trace with its spans; read again for a while when it is so young that spans may still arrive. */
export const traceQuery = (traceId: string, pages = 1) =>
  queryOptions({
    queryKey: ["trace", traceId, pages],
    queryFn: () => readTrace(traceId, pages),
    placeholderData: (known: TraceDetail | undefined) => (known?.trace.trace_id === traceId ? known : undefined),
    retry: false,
    refetchInterval: ({ state }) => {
      const started = state.data?.trace.started_at;
      return started !== undefined && Date.now() - Date.parse(started) < 30_000 ? 2000 : false;
    },
  });

export interface Feedback {
  name: string;
  isGood: boolean;
  explanation: string;
}

export function useGiveFeedback(traceId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, isGood, explanation }: Feedback): Promise<Score> =>
      body(
        api.POST("/api/traces/{trace_id}/scores", {
          params: { path: { trace_id: traceId } },
          body: { name, kind: "boolean", value: isGood ? 1 : 0, explanation },
        }),
      ),
    onSuccess: async (score) => {
      // The store shows a score within a second; until then the answer of the write stands in for it.
      queries.setQueryData(traceQuery(traceId).queryKey, (old) => old && { ...old, scores: [...old.scores, score] });
      await queries.invalidateQueries({ queryKey: ["traces"] });
    },
  });
}

/** What Sternpost may record on a span; each is a field of the filter. */
export const factsQuery = queryOptions({
  queryKey: ["traces", "facts"],
  queryFn: () => body(api.GET("/api/traces/facts")),
  staleTime: Infinity,
});
