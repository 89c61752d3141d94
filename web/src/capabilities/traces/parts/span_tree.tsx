/** All spans as a tree with their bars on the trace's clock; draws only what is in sight. */
import { useCallback, useMemo, useRef, useState } from "react";
import { useVirtualizer } from "@tanstack/react-virtual";
import type { Span } from "@/client/types";
import { useHotkeys } from "@/kit/hotkeys";
import { treeRows } from "../tree";
import { SpanRow } from "./span_row";
import styles from "./span_tree.module.css";

interface Props {
  spans: Span[];
  selected: string | undefined;
  onSelect: (spanId: string) => void;
}

const ROW = 28;

export function SpanTree({ spans, selected, onSelect }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => treeRows(spans, closed), [spans, closed]);
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 15 });
  const found = rows.findIndex(({ span }) => span.span_id === selected);
  const active = Math.max(found, 0);

  const select = (at: number): void => {
    const row = rows[Math.min(Math.max(at, 0), rows.length - 1)];
    if (!row) return;
    virtual.scrollToIndex(rows.indexOf(row));
    onSelect(row.span.span_id);
    requestAnimationFrame(() => {
      if (scroller.current?.contains(document.activeElement)) scroller.current.querySelector<HTMLElement>("[aria-selected=true]")?.focus();
    });
  };
  const fold = useCallback((spanId: string, isOpen: boolean): void => {
    setClosed((old) => {
      const next = new Set(old);
      if (isOpen) next.delete(spanId);
      else next.add(spanId);
      return next;
    });
  }, []);
  const foldActive = (isOpen: boolean) => (): void => {
    const row = rows[active];
    if (row) fold(row.span.span_id, isOpen);
  };
  const nextError = (step: number) => (): void => {
    for (let at = found + step; at >= 0 && at < rows.length; at += step) if (rows[at]!.span.status !== "ok") return select(at);
  };
  const keys = { j: () => select(found + 1), k: () => select(found - 1), h: foldActive(false), l: foldActive(true), n: nextError(1), p: nextError(-1) };
  useHotkeys(keys);
  const arrows: Record<string, () => void> = { ArrowDown: keys.j, ArrowUp: keys.k, ArrowLeft: keys.h, ArrowRight: keys.l, Home: () => select(0), End: () => select(rows.length - 1) };

  return (
    <div ref={scroller} className={styles["scroller"]}>
      <div
        role="treegrid" aria-label="Tree of spans" tabIndex={-1} aria-rowcount={rows.length} aria-colcount={3} className={styles["tree"]} style={{ height: virtual.getTotalSize() }}
        onKeyDown={(event) => {
          const act = arrows[event.key];
          if (!act) return;
          event.preventDefault();
          act();
        }}
      >
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          return row ? <SpanRow key={row.span.span_id} row={row} index={index} top={start} isSelected={index === found} isReachable={index === active} onSelect={onSelect} onFold={fold} /> : null;
        })}
      </div>
    </div>
  );
}
