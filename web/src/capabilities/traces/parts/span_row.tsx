/** One span of the tree. */
import { memo } from "react";
import { duration } from "@/kit/format";
import { Icon } from "@/kit/icons";
import { Status } from "@/kit/status";
import type { Row } from "../tree";
import { SpanType, typeColour } from "./span_type";
import styles from "./span_tree.module.css";

interface Props {
  row: Row;
  index: number;
  top: number;
  isSelected: boolean;
  isReachable: boolean;
  onSelect: (spanId: string) => void;
  onFold: (spanId: string, isOpen: boolean) => void;
}

export const SpanRow = memo(function SpanRow({ row, index, top, isSelected, isReachable, onSelect, onFold }: Props) {
  const { span } = row;
  const left = `${Math.min(row.offset * 100, 99)}%`;
  const width = `max(2px, ${Math.min(row.width, 1 - row.offset) * 100}%)`;
  return (
    // Arrow keys are handled by the tree.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
    <div
      role="row" aria-rowindex={index + 1} aria-level={row.depth + 1} aria-posinset={row.position} aria-setsize={row.siblings} aria-selected={isSelected}
      aria-expanded={row.children > 0 ? row.isOpen : undefined} tabIndex={isReachable ? 0 : -1} className={styles["row"]} style={{ top }}
      onClick={() => onSelect(span.span_id)} title={`${span.name}, ${duration(span.duration_ms)}`}
    >
      <div role="gridcell" className={styles["name"]} style={{ paddingLeft: Math.min(row.depth, 12) * 12 }}>
        {row.children > 0 ? (
          <button
            type="button" tabIndex={-1} className={styles["fold"]} aria-label={row.isOpen ? "Collapse" : "Expand"}
            onClick={(event) => {
              event.stopPropagation();
              onFold(span.span_id, !row.isOpen);
            }}
          >
            <Icon name={row.isOpen ? "down" : "right"} />
          </button>
        ) : (
          <span className={styles["leaf"]} />
        )}
        <SpanType type={span.type} />
        <span className={styles["label"]}>{span.name}</span>
        {span.status !== "ok" && <Status status={span.status} isShort />}
      </div>
      <div role="gridcell" className={styles["lane"]}>
        <span className={styles["bar"]} style={{ left, width, background: typeColour(span.type) }} />
      </div>
      <div role="gridcell" className={styles["time"]}>{duration(span.duration_ms)}</div>
    </div>
  );
});
