/** The providers: those that calls can use, then those that wait for a key; hosts of the user's own among them. */
import type { ProviderItem } from "@/client/types";
import { Code } from "@/kit/copy";
import { count, plural } from "@/kit/format";
import table from "@/kit/table.module.css";
import styles from "../page.module.css";

/** Whose key most people have. */
const USUAL = ["openai", "anthropic", "gemini"];

export function Providers({ items }: { items: ProviderItem[] }) {
  const ready = items.filter((one) => one.is_configured);
  const others = items.filter((one) => !one.is_configured);
  const faulty = others.filter((one) => one.fault !== "");
  const missing = others.filter((one) => one.key_variable && !one.base_url.includes("{"));
  const example = missing.find(({ name }) => USUAL.includes(name)) ?? missing[0];
  return (
    <section className={styles["section"]}>
      <div className={styles["head"]}>
        <h2>Providers</h2>
        <span className={table["faint"]}>{count(ready.length)} ready, {count(others.length)} without a key</span>
      </div>
      <ProviderTable label="Providers" items={[...ready, ...faulty]} />
      {example && (
        <p className={table["quiet"]}>
          {ready.every(({ name }) => name === "offline") ? "No provider key was found. " : ""}To add a provider, set its variable where Sternpost starts, then restart it:
        </p>
      )}
      {example && <Code text={`export ${example.key_variable}=...\nsternpost up`} label="provider key commands" />}
      <details className={styles["others"]}>
        <summary>{plural(others.length, "provider")} of the catalogue without a key, and their variables</summary>
        <ProviderTable label="Providers without a key" items={others.filter((one) => one.fault === "")} />
      </details>
    </section>
  );
}

function ProviderTable({ label, items }: { label: string; items: ProviderItem[] }) {
  return (
    // What scrolls must be reachable by keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={table["scroll"]} tabIndex={0} role="group" aria-label={label}>
      <table className={table["table"]}>
        <caption className="hidden">{label}</caption>
        <thead>
          <tr>
            <th scope="col">Provider</th>
            <th scope="col">State</th>
            <th scope="col">Key is read from</th>
            <th scope="col">Address</th>
            <th scope="col">Dialect</th>
          </tr>
        </thead>
        <tbody>
          {items.map((provider) => (
            <tr key={provider.name}>
              <td>{provider.title} <code className={table["faint"]}>{provider.name}/</code></td>
              <td>{provider.is_configured ? "Ready" : <span className={table["faint"]}>Not configured</span>}</td>
              <td><KeyPlace provider={provider} /></td>
              <td className={table["quiet"]}><code>{provider.base_url || "-"}</code></td>
              <td className={table["quiet"]}>{provider.dialect}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function KeyPlace({ provider }: { provider: ProviderItem }) {
  if (provider.fault) return <>{provider.fault}</>;
  if (provider.key_variable) return <code>{provider.key_variable}</code>;
  if (provider.is_key_written) return <>set in sternpost.yaml</>;
  return <span className={table["faint"]}>{provider.is_configured ? "no key" : "none; configure it in sternpost.yaml"}</span>;
}
