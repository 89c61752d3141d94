/** Traces as a grid that draws only the rows in sight; j, k and Enter walk it. */
import { useCallback, useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import type { TraceItem } from "@/client/types";
import { useHotkeys } from "@/kit/hotkeys";
import { useNow } from "@/kit/now";
import { useWarmTrace } from "../warm";
import { TraceRow } from "./trace_row";
import styles from "./trace_table.module.css";

interface Props {
  items: TraceItem[];
  hasMore: boolean;
  isLoadingMore: boolean;
  onMore: () => void;
  onTop: (isAtTop: boolean) => void;
  search: { filter?: string | undefined };
  /** What stands below where the search stopped early; older traces are then asked for only there. */
  end?: ReactNode;
}

const ROW = 28;
const columns: { title: string; note?: string; isNumber?: boolean }[] = [
  { title: "Status" }, { title: "Started" }, { title: "Name" }, { title: "Input" }, { title: "Output" }, { title: "Model" },
  { title: "Duration", isNumber: true }, { title: "Tokens", note: "Tokens in and out", isNumber: true },
  { title: "Cost", note: "US dollars", isNumber: true }, { title: "Scores" },
];

export function TraceTable({ items, hasMore, isLoadingMore, onMore, onTop, search, end }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const [activeId, setActiveId] = useState<string>();
  const navigate = useNavigate();
  const now = useNow();
  const warm = useWarmTrace();
  const onFocus = useCallback((traceId: string): void => {
    setActiveId(traceId);
    warm(traceId);
  }, [warm]);
  const virtual = useVirtualizer({ count: items.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 12 });
  const rows = virtual.getVirtualItems();
  const last = rows.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && !end && !isLoadingMore && last >= items.length - 20) onMore();
  }, [hasMore, end, isLoadingMore, last, items.length, onMore]);

  const found = items.findIndex(({ trace_id }) => trace_id === activeId);
  const active = Math.max(found, 0);
  const move = (step: number): void => {
    const next = found === -1 ? 0 : Math.min(Math.max(found + step, 0), items.length - 1);
    setActiveId(items[next]?.trace_id);
    virtual.scrollToIndex(next);
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus());
  };
  const open = (item: TraceItem | undefined): void => {
    if (item) void navigate({ to: "/traces/$traceId", params: { traceId: item.trace_id }, search: (old) => ({ since: old.since, until: old.until, ...search }) });
  };
  useHotkeys({ j: () => move(1), k: () => move(-1) });
  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -items.length, End: items.length };
    const step = steps[event.key];
    if (step !== undefined) move(step);
    else if (event.key === "Enter") open(items[active]);
    else return;
    event.preventDefault();
  };

  return (
    <div ref={scroller} className={styles["scroller"]} onScroll={(event) => onTop(event.currentTarget.scrollTop < ROW)}>
      <div role="grid" aria-label="Traces" tabIndex={-1} aria-rowcount={hasMore ? -1 : items.length + 1} aria-colcount={columns.length} className={styles["grid"]} onKeyDown={onKeyDown}>
        <div role="row" aria-rowindex={1} tabIndex={-1} className={styles["head"]}>
          {columns.map((column) => (
            <div key={column.title} role="columnheader" tabIndex={-1} title={column.note} data-number={column.isNumber || undefined}>{column.title}</div>
          ))}
        </div>
        <div role="rowgroup" className={styles["body"]} style={{ height: virtual.getTotalSize() }}>
          {rows.map(({ index, start }) => {
            const item = items[index];
            return item ? (
              <TraceRow key={item.trace_id} item={item} index={index} top={start} now={now} isActive={index === active} onOpen={open} onFocus={onFocus} onHover={warm} />
            ) : null;
          })}
        </div>
      </div>
      {isLoadingMore && <p role="status" className={styles["more"]}>Loading older traces</p>}
      {end}
      {!hasMore && <p className={styles["more"]}>No more traces in this range.</p>}
    </div>
  );
}
