/** Everything that is known of one span: how it went, tokens and their price, attributes. */
import type { ReactNode } from "react";
import type { Score, Span } from "@/client/types";
import { Button } from "@/kit/button";
import { costNote, duration, moment, money, saving, share } from "@/kit/format";
import { Status } from "@/kit/status";
import { readable } from "../transcript";
import { CostTable } from "./cost_table";
import { ScoreChip } from "./score_chip";
import { stackOf } from "../traceback";
import { ErrorText } from "./error_text";
import { SpanType } from "./span_type";
import styles from "./span_panel.module.css";

function Values({ title, values }: { title: string; values: Record<string, unknown> }) {
  const entries = Object.entries(values).toSorted(([one], [other]) => one.localeCompare(other));
  return entries.length === 0 ? null : (
    <>
      <h3>{title}</h3>
      <dl className={styles["attributes"]}>
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{readable(value)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Line({ name, title, children }: { name: string; title?: string | undefined; children: ReactNode }) {
  return children === null || children === undefined || children === "" ? null : (
    <div title={title}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The share of the input that the provider's cache served; nothing where it was not used. */
function cacheNote(span: Span): string | null {
  const isUsed = Boolean(span.cache_hit_rate) || Boolean(span.cache_saved_nanousd);
  if (!isUsed) return null;
  const rate = `${share(span.cache_hit_rate)} of the input`;
  return span.cache_saved_usd === null ? rate : `${rate}, ${saving(span.cache_saved_usd)}`;
}

const cacheTitle = (span: Span): string => `$${span.cache_saved_usd ?? "unknown"} less than the same input without the provider's cache`;

/** The panel scrolls, so the keyboard must reach it. */
function Panel({ children }: { children: ReactNode }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <section className={styles["panel"]} aria-label="Chosen span" tabIndex={0}>
      {children}
    </section>
  );
}

interface Props {
  span: Span | undefined;
  scores: Score[];
  explainCost: (spanId: string) => ReactNode;
  onSelect: (spanId: string) => void;
}

/** Says which span stands for the same call, so that nobody adds this one's tokens to it. */
function JoinNote({ span, onSelect }: { span: Span; onSelect: (spanId: string) => void }) {
  const other = span.counted_with;
  const isRepeated = span.attributes["is_rollup"] !== undefined && !span.counted;
  if (isRepeated) return <p className={styles["quiet"]}>Tokens and cost repeat those of the spans below, which are counted.</p>;
  if (!other) return null;
  return (
    <p className={styles["quiet"]}>
      Counted once, with <Button onPress={() => onSelect(other)}>{other}</Button>: {span.join_reason}.
    </p>
  );
}

export function SpanPanel({ span, scores, explainCost, onSelect }: Props) {
  if (!span) return <Panel><p className={styles["quiet"]}>This trace has no spans yet.</p></Panel>;
  const own = scores.filter(({ span_id }) => span_id === span.span_id);
  return (
    <Panel>
      <div className={styles["head"]}>
        <h2>{span.name}</h2>
        <Status status={span.status} />
      </div>
      {span.error && <ErrorText text={span.error} stack={stackOf(span.attributes)} />}
      <JoinNote span={span} onSelect={onSelect} />
      {span.is_time_skewed && (
        <p className={styles["quiet"]}>The times of this span can’t be right, or lie outside its parent’s. They are left out of the trace’s start and duration.</p>
      )}
      <dl className={styles["facts"]}>
        <Line name="Kind"><SpanType type={span.type} /></Line>
        <Line name="Started">{moment(span.started_at)}</Line>
        <Line name="Duration" title={`${span.duration_ms} ms`}>{duration(span.duration_ms)}</Line>
        <Line name="First token">{span.time_to_first_token_ms ? duration(span.time_to_first_token_ms) : null}</Line>
        <Line name="Provider">{span.provider}</Line>
        <Line name="Asked for">{span.request_model}</Line>
        <Line name="Answered by">{span.response_model}</Line>
        <Line name="Route">{span.route}</Line>
        <Line name="Cost" title={costNote(span.cost_usd, span.cost_status)}>{span.cost_status ? money(span.cost_usd, span.cost_status) : null}</Line>
        <Line name="Prompt cache" title={cacheTitle(span)}>{cacheNote(span)}</Line>
        {own.length > 0 && <Line name="Scores">{own.map((score) => <ScoreChip key={score.score_id} score={score} />)}</Line>}
        <Line name="Span id"><code>{span.span_id}</code></Line>
      </dl>
      {span.usage && <CostTable usage={span.usage} parts={span.cost_parts} usd={span.cost_usd} status={span.cost_status} />}
      {span.cost_status && explainCost(span.span_id)}
      <Values title="Facts" values={span.facts} />
      <Values title="Attributes" values={span.attributes} />
    </Panel>
  );
}
