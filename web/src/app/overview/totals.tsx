/** The sums of the range; each opens the traces it was counted from. */
import { Link } from "@tanstack/react-router";
import type { Overview } from "@/client/types";
import { count, duration, money, plural, saving, share } from "@/kit/format";
import styles from "./page.module.css";

interface CardProps {
  name: string;
  value: string;
  note: string;
  filter: string;
  title?: string;
}

function Card({ name, value, note, filter, title }: CardProps) {
  return (
    <Link to="/traces" search={(old) => ({ since: old.since, until: old.until, ...(filter === "" ? {} : { filter }) })} className={styles["card"]!} title={title}>
      <span className={styles["name"]}>{name}</span>
      <span className={styles["number"]}>{value}</span>
      <span className={styles["note"]}>{note}</span>
    </Link>
  );
}

/** Says what a sum of costs leaves out. */
function costNote(counts: Record<string, number>): string {
  const unknown = counts["unknown"] ?? 0;
  const estimated = counts["estimated"] ?? 0;
  if (unknown > 0) return `${plural(unknown, "call")} of unknown cost not included`;
  return estimated > 0 ? `${plural(estimated, "call")} estimated` : "every call priced";
}

function slowest(milliseconds: number | null | undefined): string {
  return milliseconds ? `duration:>${Math.round(milliseconds)}ms` : "";
}

export function Totals({ totals }: { totals: Overview["totals"] }) {
  const errors = totals.calls === 0 ? 0 : (100 * totals.errors) / totals.calls;
  const unknown = totals.cost_status_counts["unknown"] ?? 0;
  const isAllUnknown = unknown > 0 && unknown >= totals.calls;
  return (
    <div className={styles["totals"]}>
      <Card name="Calls" value={count(totals.calls)} note="in this range" filter="" />
      <Card name="Errors" value={count(totals.errors)} note={`${errors.toFixed(errors < 10 ? 1 : 0)} % of ${count(totals.calls)}`} filter="status:error" />
      <Card name="Cost" value={isAllUnknown ? "unknown" : money(totals.cost_usd)} note={costNote(totals.cost_status_counts)} filter="cost:>0" title={`$${totals.cost_usd ?? "unknown"}`} />
      <Card
        name="Tokens" value={count(totals.input_tokens + totals.output_tokens)} filter="tokens:>0"
        note={`${count(totals.input_tokens)} in, ${count(totals.output_tokens)} out`}
      />
      <Card
        name="Prompt cache" value={share(totals.cache_hit_rate)} filter={totals.cache_saved_nanousd < 0 ? "saved:<0" : "cached:>0"}
        note={`of input tokens; ${saving(totals.cache_saved_usd)}`} title={`$${totals.cache_saved_usd} less than without the providers' caches, net of the extra cost of cache writes`}
      />
      <Card name="Latency P50" value={duration(totals.latency_p50_ms)} note="half are faster" filter={slowest(totals.latency_p50_ms)} />
      <Card name="Latency P95" value={duration(totals.latency_p95_ms)} note="1 in 20 is slower" filter={slowest(totals.latency_p95_ms)} />
    </div>
  );
}
