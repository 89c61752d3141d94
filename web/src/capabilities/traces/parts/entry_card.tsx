/** The frame of one entry: what it is, what it took and cost, and how it failed. */
import type { ReactNode } from "react";
import type { Span } from "@/client/types";
import { costNote, count, duration, money } from "@/kit/format";
import { Status } from "@/kit/status";
import { stackOf } from "../traceback";
import { ErrorText } from "./error_text";
import { SpanType } from "./span_type";
import styles from "./entry_card.module.css";

interface Props {
  span: Span;
  type: string;
  isSelected: boolean;
  onSelect: (spanId: string) => void;
  children: ReactNode;
}

function tokens(usage: Record<string, number>): string {
  const sum = (side: string): number =>
    Object.entries(usage).reduce((total, [bucket, value]) => (bucket.startsWith(side) ? total + value : total), 0);
  return `${count(sum("in_"))} in, ${count(sum("out_"))} out`;
}

export function EntryCard({ span, type, isSelected, onSelect, children }: Props) {
  const model = span.response_model || span.request_model;
  return (
    <article className={styles["card"]} data-span={span.span_id} data-selected={isSelected || undefined}>
      <header className={styles["head"]}>
        <button type="button" className={styles["title"]} aria-pressed={isSelected} onClick={() => onSelect(span.span_id)}>
          <SpanType type={type} />
          <strong>{model || span.name}</strong>
        </button>
        {span.status !== "ok" && <Status status={span.status} />}
        <div className={styles["numbers"]}>
          {span.time_to_first_token_ms ? <span title="Time to the first token">first {duration(span.time_to_first_token_ms)}</span> : null}
          <span title={`${span.duration_ms} ms`}>{duration(span.duration_ms)}</span>
          {span.usage && <span>{tokens(span.usage)}</span>}
          {span.cost_status && <span title={costNote(span.cost_usd, span.cost_status)}>{money(span.cost_usd, span.cost_status)}</span>}
        </div>
      </header>
      {children}
      {span.error && <ErrorText text={span.error} stack={stackOf(span.attributes)} />}
    </article>
  );
}
