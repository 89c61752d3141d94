/** How the project does: calls, errors, cost, tokens and latency; each number opens the traces behind it. */
import { useMemo, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import type { Overview } from "@/client/types";
import { ago } from "@/kit/format";
import { useEnvironment } from "@/kit/environment";
import { Page } from "@/kit/page";
import { PageRange, usePageRange, useSetPageRange } from "@/kit/page_range";
import { Empty, Failure, Skeleton } from "@/kit/states";
import { anyTraceQuery, BEFORE_LAST_HOUR, newestTraceQuery } from "@/capabilities/traces/queries";
import { Button } from "@/kit/button";
import { DEFAULT_SINCE, fittingSince, sinceHolding, stepFor, titleOf, type TimeRange } from "@/kit/time_range";
import { useFirstRun } from "../start/first_run";
import { ConnectPage } from "../start/page";
import { Charts } from "./charts";
import { ModelShares } from "./model_shares";
import styles from "./page.module.css";
import { overviewQuery } from "./queries";
import { Totals } from "./totals";

export function OverviewPage() {
  const firstRun = useFirstRun();
  const older = useQuery(anyTraceQuery(BEFORE_LAST_HOUR));
  // A young project would fill the last bar of a day only. The answer is kept: a range must not change under the reader.
  const newest = useQuery(newestTraceQuery(false)).data;
  const [openedAt] = useState(() => Date.now());
  const newestAt = newest ? Date.parse(newest.started_at) : openedAt;
  const fallback = older.data === false ? "now-1h" : sinceHolding(newestAt, openedAt);
  if (firstRun === "unknown" || older.isPending) return <Skeleton rows={8} height={64} />;
  return firstRun === "first" ? <ConnectPage isFirst /> : <Numbers fallback={fallback} newestAt={newestAt} />;
}

function Numbers({ fallback, newestAt }: { fallback: string; newestAt: number }) {
  const range = usePageRange(fallback);
  const [openedAt] = useState(() => Date.now());
  const step = useMemo(() => stepFor(range, openedAt), [range, openedAt]);
  const isWidened = range.since === fallback && range.until === undefined && fallback !== DEFAULT_SINCE && fallback !== "now-1h";
  const overview = useQuery(overviewQuery(range.since, range.until, step, useEnvironment()));
  return (
    <Page title="Overview" actions={<PageRange fallback={fallback} />} isPadded>
      {isWidened && <p className={styles["offer"]}>No calls in the last 24 hours; the newest was {ago(new Date(newestAt).toISOString(), openedAt)}. Shown: {titleOf(range).toLowerCase()}.</p>}
      {overview.isPending && <Skeleton rows={8} height={64} />}
      {overview.error && <Failure what="Failed to load the overview" error={overview.error} retry={() => void overview.refetch()} />}
      {overview.data && <Drawn overview={overview.data} isStale={overview.isPlaceholderData} range={range} />}
    </Page>
  );
}

function Drawn({ overview, isStale, range }: { overview: Overview; isStale: boolean; range: TimeRange }) {
  const setRange = useSetPageRange();
  const zoom = (sinceS: number, untilS: number): void =>
    setRange({ since: new Date(sinceS * 1000).toISOString(), until: new Date(untilS * 1000).toISOString() });
  if (overview.totals.calls === 0)
    return <Empty title={`No calls in this range: ${titleOf(range).toLowerCase()}`}>Choose a longer range, or send a call; this page refreshes by itself.</Empty>;
  return (
    <div className={styles["page"]} data-stale={isStale || undefined}>
      <Totals totals={overview.totals} />
      <Offer overview={overview} range={range} onRange={setRange} />
      <Charts series={overview.series} unknownCosts={overview.totals.cost_status_counts["unknown"] ?? 0} stepS={overview.step_s} onRange={zoom} />
      <ModelShares shares={overview.by_model} />
    </div>
  );
}

interface OfferProps {
  overview: Overview;
  range: TimeRange;
  onRange: (range: TimeRange) => void;
}

/** A shorter range, when most of this one lies before its first call. */
function Offer({ overview, range, onRange }: OfferProps) {
  const first = overview.series.find(({ calls }) => calls > 0);
  const since = first && fittingSince(range, Date.parse(first.at), Date.parse(overview.until));
  if (since === undefined) return null;
  return (
    <p className={styles["offer"]}>
      Most of this range lies before its first call.
      <Button kind="bare" onPress={() => onRange({ since })}>Show {titleOf({ since }).toLowerCase()}</Button>
    </p>
  );
}
