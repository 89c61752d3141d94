/** One trace: read as a transcript, with its tree and the chosen span beside it. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Problem } from "@/client/client";
import { useState, type ReactNode } from "react";
import type { TraceDetail } from "@/client/types";
import { useEnvironment } from "@/kit/environment";
import { useHotkeys } from "@/kit/hotkeys";
import { Page } from "@/kit/page";
import { usePageRange } from "@/kit/page_range";
import { Failure, Skeleton } from "@/kit/states";
import { Tabs } from "@/kit/tabs";
import { DeleteTraces } from "./parts/delete_traces";
import { Feedback } from "./parts/feedback";
import { Raw } from "./parts/raw";
import { SpanPanel } from "./parts/span_panel";
import { SpanTree } from "./parts/span_tree";
import { TraceFacts } from "./parts/trace_facts";
import { TraceTitle } from "./parts/trace_title";
import { Transcript } from "./parts/transcript_view";
import { knownTrace, traceQuery, tracePagesQuery } from "./queries";
import styles from "./trace_page.module.css";

const route = getRouteApi("/shell/traces/$traceId");

/** Draws how a span's cost came about; costs are another capability. */
export type ExplainCost = (traceId: string, spanId: string) => ReactNode;

export function TraceView({ explainCost }: { explainCost: ExplainCost }) {
  const { traceId } = route.useParams();
  const [read, setRead] = useState({ traceId, pages: 1 });
  const pages = read.traceId === traceId ? read.pages : 1;
  const trace = useQuery(traceQuery(traceId, pages));
  const { filter } = route.useSearch();
  const queries = useQueryClient();
  useNeighbourKeys(traceId);
  const more = (): void => setRead({ traceId, pages: pages + 1 });
  if (trace.data) return <Body key={traceId} detail={trace.data} explainCost={explainCost} onMore={more} />;
  const head = knownTrace(queries, traceId);
  return (
    <Page name={head?.name || traceId.slice(0, 8)} title={<TraceTitle name={head?.name || traceId.slice(0, 8)} {...(head ? { status: head.status } : {})} filter={filter} />}>
      {head && !trace.error && <TraceFacts trace={head} scores={head.scores} />}
      {trace.isPending && <Skeleton rows={12} />}
      {trace.error && <Absent error={trace.error} retry={() => void trace.refetch()} />}
    </Page>
  );
}

function Absent({ error, retry }: { error: Error; retry: () => void }) {
  const isGone = error instanceof Problem && error.status === 404;
  return <Failure what={isGone ? "Trace not found (a call appears about a second after it ends)" : "Failed to load the trace"} error={error} retry={retry} />;
}

/** `[` and `]` walk the list the reader came from, as far as it is known. */
function useNeighbourKeys(traceId: string): void {
  const { filter } = route.useSearch();
  const range = usePageRange();
  const environment = useEnvironment();
  const navigate = route.useNavigate();
  const queries = useQueryClient();
  const go = (step: number) => (): void => {
    const known = queries.getQueryData(tracePagesQuery({ filter, since: range.since, until: range.until, environment }).queryKey);
    const ids = known?.pages.flatMap(({ items }) => items.map(({ trace_id }) => trace_id)) ?? [];
    const next = ids[ids.indexOf(traceId) + step];
    if (next !== undefined && ids.includes(traceId)) void navigate({ params: { traceId: next }, search: (old) => ({ ...old, span: undefined }) });
  };
  useHotkeys({ "[": go(-1), "]": go(1) });
}

interface BodyProps {
  detail: TraceDetail;
  explainCost: ExplainCost;
  onMore: () => void;
}

function Body({ detail, explainCost, onMore }: BodyProps) {
  const { span: spanId, view, filter } = route.useSearch();
  const navigate = route.useNavigate();
  const traceId = detail.trace.trace_id;
  const selected = detail.spans.find(({ span_id }) => span_id === spanId);
  const [choice, setChoice] = useState(0);
  const select = (id: string): void => {
    setChoice((old) => old + 1);
    // The router would put the scroll back to where it was before the choice.
    void navigate({ search: (old) => ({ ...old, span: id }), replace: true, resetScroll: false });
  };
  const show = (id: string): void => void navigate({ search: (old) => ({ ...old, view: id === "raw" ? "raw" : undefined }), replace: true });
  useHotkeys({
    "1": () => show("transcript"),
    "5": () => show("raw"),
    ".": () => void navigator.clipboard.writeText(window.location.href),
    y: () => void navigator.clipboard.writeText(detail.trace.trace_id),
    Escape: () => void navigate({ to: "/traces", search: (old) => ({ since: old.since, until: old.until, filter }) }),
  });
  const tabs = [
    { id: "transcript", title: "Transcript", content: <Transcript detail={detail} selected={spanId} choice={choice} onSelect={select} /> },
    { id: "raw", title: "Raw", content: <Raw detail={detail} selected={selected} /> },
  ];
  return (
    <Page name={detail.trace.name || traceId.slice(0, 8)} title={<TraceTitle name={detail.trace.name || detail.trace.trace_id.slice(0, 8)} status={detail.trace.status} filter={filter} />} actions={<><Feedback detail={detail} /><DeleteTraces trace={detail.trace} /></>}>
      <TraceFacts trace={detail.trace} scores={detail.scores} truncatedSpans={detail.trace.truncated_spans} onMore={onMore} />
      <div className={styles["body"]}>
        <Tabs label="View" tabs={tabs} selected={view ?? "transcript"} onSelect={show} />
        <aside className={styles["side"]} aria-label="Spans">
          <SpanTree spans={detail.spans} selected={spanId} onSelect={select} />
          <SpanPanel span={selected ?? detail.spans[0]} scores={detail.scores} explainCost={(spanId) => explainCost(traceId, spanId)} onSelect={select} />
        </aside>
      </div>
    </Page>
  );
}
