/** How the project does: calls, errors, cost, tokens and latency; each number opens the traces behind it. */
import { useMemo, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import type { Overview } from "@/client/types";
import { Page } from "@/kit/page";
import { PageRange, usePageRange, useSetPageRange } from "@/kit/page_range";
import { Empty, Failure, Skeleton } from "@/kit/states";
import { stepFor, titleOf } from "@/kit/time_range";
import { useFirstRun } from "../start/first_run";
import { ConnectPage } from "../start/page";
import { Charts } from "./charts";
import { ModelShares } from "./model_shares";
import styles from "./page.module.css";
import { overviewQuery } from "./queries";
import { Totals } from "./totals";

export function OverviewPage() {
  const firstRun = useFirstRun();
  if (firstRun === "unknown") return <Skeleton rows={8} height={64} />;
  return firstRun === "first" ? <ConnectPage isFirst /> : <Numbers />;
}

function Numbers() {
  const range = usePageRange();
  const [openedAt] = useState(() => Date.now());
  const step = useMemo(() => stepFor(range, openedAt), [range, openedAt]);
  const overview = useQuery(overviewQuery(range.since, range.until, step));
  return (
    <Page title="Overview" actions={<PageRange />} isPadded>
      {overview.isPending && <Skeleton rows={8} height={64} />}
      {overview.error && <Failure what="The overview could not be read" error={overview.error} retry={() => void overview.refetch()} />}
      {overview.data && <Drawn overview={overview.data} isStale={overview.isPlaceholderData} title={titleOf(range)} />}
    </Page>
  );
}

function Drawn({ overview, isStale, title }: { overview: Overview; isStale: boolean; title: string }) {
  const setRange = useSetPageRange();
  const zoom = (sinceS: number, untilS: number): void =>
    setRange({ since: new Date(sinceS * 1000).toISOString(), until: new Date(untilS * 1000).toISOString() });
  if (overview.totals.calls === 0)
    return <Empty title={`No calls in this range: ${title.toLowerCase()}`}>Choose a longer range, or send a call; this page refreshes by itself.</Empty>;
  return (
    <div className={styles["page"]} data-stale={isStale || undefined}>
      <Totals totals={overview.totals} />
      <Charts series={overview.series} stepS={overview.step_s} onRange={zoom} />
      <ModelShares shares={overview.by_model} />
    </div>
  );
}
