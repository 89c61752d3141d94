/** The models that calls may name, and which provider still lacks its key. */
import { useDeferredValue, useState, type ReactNode } from "react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ModelItem } from "@/client/types";
import { CopyButton } from "@/kit/copy";
import { count, money } from "@/kit/format";
import { Page } from "@/kit/page";
import { Empty, Failure, Skeleton } from "@/kit/states";
import table from "@/kit/table.module.css";
import { modelsQuery, providersQuery } from "./queries";
import { Providers } from "./parts/provider_table";
import { Retirement } from "./parts/retirement";
import styles from "./page.module.css";

const SHOWN = 200;

/** `children` stand between providers and models: where both come from. */
export function ModelsPage({ children }: { children?: ReactNode }) {
  const models = useQuery(modelsQuery);
  const providers = useQuery(providersQuery);
  return (
    <Page title="Models" isPadded>
      {providers.error && <Failure what="Failed to load the providers" error={providers.error} retry={() => void providers.refetch()} />}
      {providers.data && <Providers items={providers.data} />}
      {children}
      {models.isPending && <Skeleton rows={8} />}
      {models.error && <Failure what="Failed to load the models" error={models.error} retry={() => void models.refetch()} />}
      {models.data && <Models items={models.data} />}
    </Page>
  );
}

function Models({ items }: { items: ModelItem[] }) {
  const [words, setWords] = useState("");
  const asked = useDeferredValue(words.trim().toLowerCase());
  const found = items.filter(({ id }) => id.toLowerCase().includes(asked));
  const ready = found.toSorted((one, other) => Number(other.is_configured) - Number(one.is_configured));
  return (
    <section className={styles["section"]}>
      <div className={styles["head"]}>
        <h2>Models and routes</h2>
        <input className={styles["input"]} type="search" aria-label="Find a model" placeholder="Find a model" value={words} onChange={(event) => setWords(event.target.value)} />
        <span className={table["faint"]}>{count(found.length)} of {count(items.length)}</span>
      </div>
      {found.length === 0 ? <Empty title="No model matches" /> : <ModelTable items={ready.slice(0, SHOWN)} />}
      {ready.length > SHOWN && <p className={table["faint"]}>The first {SHOWN} are shown; type part of a name to find others.</p>}
    </section>
  );
}

/** How a model is asked to think, which a reader of the list need not know. */
const UNSHOWN = ["xhigh_thinking", "thinking_off"];

function abilitiesOf({ abilities }: ModelItem): string {
  return abilities.filter((one) => !UNSHOWN.includes(one)).map((one) => one.replaceAll("_", " ").replace("json", "JSON")).join(", ");
}

/** A call may name a model with its provider or without it. */
function tracesOf({ kind, id, provider }: ModelItem): string {
  return kind === "route" ? `route:${id}` : `model:*${id.replace(`${provider}/`, "")}`;
}

/** A route costs what its target does; a model without a price is no free one. */
function Price({ model }: { model: ModelItem }) {
  if (model.kind === "route") return "-";
  const prices = [model.input_usd, model.output_usd].map((usd) => usd ?? null);
  if (prices.every((usd) => usd === null)) return <em className={table["faint"]} title="Add a price under prices: in sternpost.yaml">unknown</em>;
  return prices.map((usd) => money(usd)).join(" / ");
}

function ModelTable({ items }: { items: ModelItem[] }) {
  return (
    <div className={table["scroll"]}>
      <table className={table["table"]}>
        <caption className="hidden">Models and routes</caption>
        <thead>
          <tr>
            <th scope="col">Name in calls</th>
            <th scope="col">State</th>
            <th scope="col" data-number title="US dollars per million tokens, at the standard rate">Per million tokens, in / out</th>
            <th scope="col">Abilities, or the targets of a route</th>
            <th scope="col" data-number>Context, tokens</th>
            <th scope="col" data-number>Output, tokens</th>
            <th scope="col">Retires</th>
            <th scope="col" data-number>Traces</th>
          </tr>
        </thead>
        <tbody>
          {items.map((model) => (
            <tr key={model.id}>
              <td>
                <span className={styles["name"]}>
                  <code>{model.id}</code>
                  <CopyButton text={model.id} label={`Copy ${model.id}`} />
                </span>
              </td>
              <td className={styles["state"]}>{model.is_configured ? "Ready" : <span className={table["faint"]}>No key</span>}</td>
              <td data-number className={styles["price"]}><Price model={model} /></td>
              <td className={table["quiet"]}>{(model.kind === "route" ? `Route: ${model.targets.join(", then ")}` : abilitiesOf(model)) || "-"}</td>
              <td data-number>{count(model.context_tokens)}</td>
              <td data-number>{count(model.max_output_tokens)}</td>
              <td><Retirement on={model.retires_on} /></td>
              <td data-number><Link to="/traces" search={{ filter: tracesOf(model) }}>Open<span className="hidden"> traces of {model.id}</span></Link></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
