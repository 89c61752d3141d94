/** Each model's part of the numbers; its name opens its traces. */
import { Link } from "@tanstack/react-router";
import type { ModelShare } from "@/client/types";
import { count, duration, money, share as percent } from "@/kit/format";
import table from "@/kit/table.module.css";
import styles from "./page.module.css";

/** Two providers may have a model of one name. */
function nameOf({ model, provider }: ModelShare): string {
  if (model === "unknown") return "no model given";
  return provider === "" ? model : `${provider}/${model}`;
}

export function ModelShares({ shares }: { shares: ModelShare[] }) {
  return (
    <section className={styles["shares"]}>
      <h2>By model</h2>
      <div className={table["scroll"]}>
        <table className={table["table"]}>
          <caption className="hidden">Numbers by model</caption>
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col" data-number>Calls</th>
              <th scope="col" data-number>Errors</th>
              <th scope="col" data-number>Cost</th>
              <th scope="col" data-number>Tokens in</th>
              <th scope="col" data-number>Tokens out</th>
              <th scope="col" data-number title="Share of the input served from the provider's prompt cache">Cached</th>
              <th scope="col" data-number title="Compared with uncached input, net of the extra cost of cache writes">Saved</th>
              <th scope="col" data-number>P50</th>
              <th scope="col" data-number>P95</th>
            </tr>
          </thead>
          <tbody>
            {shares.map((share) => (
              <tr key={nameOf(share)}>
                <td><Filtered text={nameOf(share)} filter={share.filter} /></td>
                <td data-number>{count(share.calls)}</td>
                <td data-number>{share.errors === 0 ? "0" : <Filtered text={count(share.errors)} filter={`status:error ${share.filter}`.trim()} />}</td>
                <td data-number title={share.cost_usd ?? "unknown"}>{money(share.cost_usd)}</td>
                <td data-number>{count(share.input_tokens)}</td>
                <td data-number>{count(share.output_tokens)}</td>
                <td data-number>{share.cache_hit_rate ? <Filtered text={percent(share.cache_hit_rate)} filter={`cached:>0 ${share.filter}`.trim()} /> : percent(share.cache_hit_rate)}</td>
                <td data-number title={`$${share.cache_saved_usd}`}><Saved share={share} /></td>
                <td data-number>{duration(share.latency_p50_ms)}</td>
                <td data-number>{duration(share.latency_p95_ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** What the cache saved; less than nothing leads to the calls that wrote more than they read. */
function Saved({ share }: { share: ModelShare }) {
  const nanousd = share.cache_saved_nanousd;
  if (nanousd === 0) return "$0";
  const text = nanousd < 0 ? `-${money(share.cache_saved_usd.slice(1))}` : money(share.cache_saved_usd);
  return <Filtered text={text} filter={`saved:${nanousd < 0 ? "<" : ">"}0 ${share.filter}`.trim()} />;
}

function Filtered({ text, filter }: { text: string; filter: string }) {
  return <Link to="/traces" search={(old) => ({ since: old.since, until: old.until, env: old.env, ...(filter === "" ? {} : { filter }) })}>{text}</Link>;
}
