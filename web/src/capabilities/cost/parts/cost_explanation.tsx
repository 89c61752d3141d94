/** "How this cost was computed": the sum line by line and the reasons; asked for when it is opened. */
import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import type { CostExplanation } from "@/client/types";
import { CopyButton } from "@/kit/copy";
import { exactMoney, saving, share } from "@/kit/format";
import { Failure, Skeleton } from "@/kit/states";
import { costQuery } from "../queries";
import styles from "./cost_explanation.module.css";

interface Props {
  traceId: string;
  spanId: string;
}

export function CostExplanationPanel({ traceId, spanId }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className={styles["panel"]} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>How this cost was computed</summary>
      {isOpen && <Explanation traceId={traceId} spanId={spanId} />}
    </details>
  );
}

function Explanation({ traceId, spanId }: Props) {
  const found = useQuery(costQuery(traceId, spanId));
  if (found.isPending) return <Skeleton rows={5} height={22} />;
  if (found.error) return <Failure what="Failed to load the explanation of this cost" error={found.error} retry={() => void found.refetch()} />;
  return <Drawn found={found.data} />;
}

function Drawn({ found }: { found: CostExplanation }) {
  return (
    <div className={styles["body"]}>
      <ol className={styles["lines"]} aria-label="The sum, line by line">
        {found.lines.map((line) => (
          <li key={line.part} data-missing={line.cost_usd === null || undefined}>{line.text}</li>
        ))}
        <li className={styles["total"]}>{found.total}</li>
      </ol>
      {found.advice !== "" && <p className={styles["advice"]}>{found.advice}</p>}
      <dl className={styles["facts"]}>
        {found.facts.map((fact) => (
          <Fact key={fact.name} name={fact.name} text={fact.text} />
        ))}
        {found.cache && <Fact name="prompt cache" text={cacheText(found.cache)} />}
        {found.today && <Fact name="today" text={found.today.text} isOdd={!found.today.is_same} />}
      </dl>
      <p className={styles["command"]}>
        <code>sternpost cost explain {found.span_id}</code>
        <CopyButton text={`sternpost cost explain ${found.span_id}`} label="Copy the command" />
      </p>
    </div>
  );
}

function Fact({ name, text, isOdd = false }: { name: string; text: string; isOdd?: boolean }) {
  return (
    <div data-odd={isOdd || undefined}>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  );
}

function cacheText(cache: NonNullable<CostExplanation["cache"]>): string {
  if (cache.read_tokens === 0 && cache.written_tokens === 0) return "not used";
  const read = `${cache.read_tokens.toLocaleString("en")} of ${cache.input_tokens.toLocaleString("en")} input tokens read from it (${share(cache.hit_rate)})`;
  const exact = cache.saved_usd === null ? saving(null) : cache.saved_usd.startsWith("-") ? `cost ${exactMoney(cache.saved_usd.slice(1))} more` : `saved ${exactMoney(cache.saved_usd)}`;
  return `${read}, ${cache.written_tokens.toLocaleString("en")} written; ${exact} against fresh input`;
}
