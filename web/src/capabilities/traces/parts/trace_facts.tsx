/** What holds for the whole trace, in one line; each value leads to the traces that share it. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Score, TraceItem } from "@/client/types";
import { Button } from "@/kit/button";
import { CopyButton } from "@/kit/copy";
import { costNote, count, duration, moment, money, plural } from "@/kit/format";
import { ScoreChip } from "./score_chip";
import styles from "./trace_facts.module.css";

function Fact({ name, title, children }: { name: string; title?: string | undefined; children: ReactNode }) {
  return (
    <div className={styles["fact"]} title={title}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function FilterLink({ field, value }: { field: string; value: string }) {
  const word = /^[\w.@:/-]+$/.test(value) ? value : `"${value.replaceAll('"', '\\"')}"`;
  return <Link to="/traces" search={{ filter: `${field}:${word}` }}>{value}</Link>;
}

interface Props {
  trace: TraceItem;
  scores: (TraceItem["scores"][number] & Partial<Score>)[];
  truncatedSpans?: number;
  onMore?: () => void;
}

export function TraceFacts({ trace, scores, truncatedSpans = 0, onMore }: Props) {
  const tokens = `${count(trace.input_tokens)} in, ${count(trace.output_tokens)} out`;
  return (
    <dl className={styles["facts"]}>
      <Fact name="Started">{moment(trace.started_at)}</Fact>
      <Fact name="Duration" title={`${trace.duration_ms} ms`}>{duration(trace.duration_ms)}</Fact>
      <Fact name="Tokens" title={tokens}>{tokens}</Fact>
      <Fact name="Cost" title={costNote(trace.cost_usd, trace.cost_status)}>
        {money(trace.cost_usd, trace.cost_status)} {trace.cost_status === "estimated" && <span>estimated</span>}
      </Fact>
      <Fact name="Environment"><FilterLink field="environment" value={trace.environment} /></Fact>
      {trace.models.map((model) => (
        <Fact key={model} name="Model"><FilterLink field="model" value={model} /></Fact>
      ))}
      {trace.user_id && <Fact name="User"><FilterLink field="user" value={trace.user_id} /></Fact>}
      {trace.session_id && <Fact name="Session"><FilterLink field="session" value={trace.session_id} /></Fact>}
      {trace.tags.map((tag) => (
        <Fact key={tag} name="Tag"><FilterLink field="tag" value={tag} /></Fact>
      ))}
      {scores.length > 0 && (
        <Fact name={plural(scores.length, "score")}>
          {scores.map((score) => <ScoreChip key={score.score_id ?? score.name} score={score} />)}
        </Fact>
      )}
      <Fact name="Id" title={trace.trace_id}>
        <code>{trace.trace_id.slice(0, 8)}</code>
        <CopyButton text={trace.trace_id} label="Copy the trace id" />
      </Fact>
      {truncatedSpans > 0 && (
        <Fact name="Not shown" title="The trace has more spans than this page loads at once">
          {plural(truncatedSpans, "span")} {onMore && <Button onPress={onMore}>Show more</Button>}
        </Fact>
      )}
    </dl>
  );
}
