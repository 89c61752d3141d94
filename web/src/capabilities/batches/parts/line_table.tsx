/** The lines of a batch in one state, each with its trace; more are fetched when asked for. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { BatchLine } from "@/client/types";
import { Button } from "@/kit/button";
import { money } from "@/kit/format";
import { Empty, Failure, Skeleton } from "@/kit/states";
import table from "@/kit/table.module.css";
import { linePagesQuery, type LineState } from "../queries";
import styles from "../page.module.css";

interface Props {
  batchId: string;
  state: LineState;
  isRunning: boolean;
  nothing: string;
}

export function LineTable({ batchId, state, isRunning, nothing }: Props) {
  const pages = useInfiniteQuery(linePagesQuery(batchId, state, isRunning));
  const lines = pages.data?.pages.flatMap(({ items }) => items) ?? [];
  if (pages.isPending) return <Skeleton rows={4} />;
  if (pages.error) return <Failure what="Failed to load the lines" error={pages.error} retry={() => void pages.refetch()} />;
  if (lines.length === 0) return <Empty title={nothing} />;
  return (
    <div className={styles["lines"]}>
      <Lines lines={lines} state={state} />
      {pages.hasNextPage && <Button onPress={() => void pages.fetchNextPage()} isDisabled={pages.isFetchingNextPage}>Show more lines</Button>}
    </div>
  );
}

function Lines({ lines, state }: { lines: BatchLine[]; state: LineState }) {
  return (
    <div className={table["scroll"]}>
      <table className={table["table"]}>
        <caption className="hidden">Lines</caption>
        <thead>
          <tr>
            <th scope="col" data-number>Line</th>
            <th scope="col">custom_id</th>
            <th scope="col">Model</th>
            {state === "failed" && <th scope="col">What happened</th>}
            {state === "done" && <th scope="col" data-number>Cost</th>}
            {state !== "waiting" && <th scope="col">Trace</th>}
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.number}>
              <td data-number>{line.number}</td>
              <td className={styles["error"]}>{line.custom_id}</td>
              <td>{line.model}</td>
              {state === "failed" && <td className={styles["error"]}><Fault line={line} /></td>}
              {state === "done" && <td data-number title={line.cost_usd ? `$${line.cost_usd}` : undefined}>{money(line.cost_usd)}</td>}
              {state !== "waiting" && <td><TraceLink line={line} /></td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Fault({ line }: { line: BatchLine }) {
  return (
    <>
      <code>{line.http_status ?? line.error_code ?? line.state}</code> {line.error}
    </>
  );
}

function TraceLink({ line }: { line: BatchLine }) {
  if (!line.trace_id) return <span className={table["faint"]}>none</span>;
  return (
    <Link to="/traces/$traceId" params={{ traceId: line.trace_id }} className={styles["link"]!}>
      <code>{line.trace_id.slice(0, 8)}</code><span className="hidden">, trace of line {line.number}</span>
    </Link>
  );
}
