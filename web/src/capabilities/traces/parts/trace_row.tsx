/** One trace of the list. */
import { memo, type MouseEvent } from "react";
import { Link } from "@tanstack/react-router";
import type { TraceItem } from "@/client/types";
import { ago, count, costNote, duration, MISSING, moment, money } from "@/kit/format";
import { Status } from "@/kit/status";
import { ScoreSummary } from "./score_chip";
import styles from "./trace_table.module.css";

interface Props {
  item: TraceItem;
  index: number;
  top: number;
  now: number;
  isActive: boolean;
  onOpen: (item: TraceItem) => void;
  onFocus: (traceId: string) => void;
  onHover: (traceId: string) => void;
}

function modelNames(models: string[]): string {
  const [first, ...others] = models;
  if (first === undefined) return MISSING;
  return others.length === 0 ? first : `${first} +${others.length}`;
}

/** What came back: the answer, or in the error's own words why there is none. */
function Answer({ item }: { item: TraceItem }) {
  const isFailure = item.status === "error" && item.error_preview !== "";
  const text = isFailure ? item.error_preview : item.output_preview;
  return <div role="gridcell" title={text} className={isFailure ? styles["error"] : styles["quiet"]}>{text || MISSING}</div>;
}

export const TraceRow = memo(function TraceRow({ item, index, top, now, isActive, onOpen, onFocus, onHover }: Props) {
  const cost = money(item.cost_usd, item.cost_status);
  const open = (event: MouseEvent): void => {
    if (!(event.target instanceof Element && event.target.closest("a"))) onOpen(item);
  };
  return (
    // Enter on the focused row is handled by the grid.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
    <div
      role="row" aria-rowindex={index + 2} data-index={index} tabIndex={isActive ? 0 : -1} className={styles["row"]} style={{ top }}
      onClick={open} onFocus={() => onFocus(item.trace_id)} onMouseEnter={() => onHover(item.trace_id)}
    >
      <div role="gridcell" className={styles["status"]}><Status status={item.status} /></div>
      <div role="gridcell" title={moment(item.started_at)} className={styles["quiet"]}>{ago(item.started_at, now)}</div>
      <div role="gridcell">
        <Link to="/traces/$traceId" params={{ traceId: item.trace_id }} search={(old) => ({ ...old, span: undefined, view: undefined })} tabIndex={-1} className={styles["name"]!}>
          {item.name || item.trace_id.slice(0, 8)}
        </Link>
      </div>
      <div role="gridcell" title={item.input_preview}>{item.input_preview || MISSING}</div>
      <Answer item={item} />
      <div role="gridcell" title={item.models.join(", ")} className={styles["quiet"]}>{modelNames(item.models.map((model) => model.slice(model.indexOf("/") + 1)))}</div>
      <div role="gridcell" data-number title={`${item.duration_ms} ms`}>{duration(item.duration_ms)}</div>
      <div role="gridcell" data-number title={`${count(item.input_tokens)} in, ${count(item.output_tokens)} out`}>
        {count(item.input_tokens + item.output_tokens)}
      </div>
      <div role="gridcell" data-number title={costNote(item.cost_usd, item.cost_status)} className={cost === "unknown" ? styles["unknown"] : undefined}>{cost}</div>
      <div role="gridcell" className={styles["chips"]}>
        <ScoreSummary scores={item.scores} />
      </div>
    </div>
  );
});
