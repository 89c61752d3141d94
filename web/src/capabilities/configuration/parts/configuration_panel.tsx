/** Which file is in force, since when and by whom; reloads it and says what that changed. */
import { useQuery } from "@tanstack/react-query";
import type { Configuration, Reload } from "@/client/types";
import { Button } from "@/kit/button";
import { moment } from "@/kit/format";
import { Failure } from "@/kit/states";
import { configurationQuery, useReload } from "../queries";
import styles from "../page.module.css";

export function ConfigurationPanel() {
  const configuration = useQuery(configurationQuery);
  const reload = useReload();
  if (configuration.error) return <Failure what="The configuration failed to load" error={configuration.error} retry={() => void configuration.refetch()} />;
  if (!configuration.data) return null;
  return (
    <section aria-label="Configuration" className={styles["panel"]}>
      <div className={styles["head"]}>
        <h2>Configuration</h2>
        <Button onPress={() => reload.mutate()} isDisabled={reload.isPending}>Reload</Button>
      </div>
      <Facts configuration={configuration.data} />
      <Problem configuration={configuration.data} />
      {reload.error && <Failure what="The configuration failed to reload" error={reload.error} />}
      {reload.data?.is_applied && <p role="status">{resultOf(reload.data)}</p>}
      <details>
        <summary>Show the file without its secrets</summary>
        <pre className={styles["text"]}>{configuration.data.text || "There is no file."}</pre>
      </details>
    </section>
  );
}

function Facts({ configuration }: { configuration: Configuration }) {
  const isOther = configuration.hash_on_disk !== null && configuration.hash_on_disk !== configuration.hash;
  return (
    <p className={styles["facts"]}>
      <code>{configuration.file ?? "no file"}</code>, hash <code>{configuration.hash || "none"}</code>, loaded {moment(configuration.loaded_at)} by {configuration.loaded_by}.
      {isOther && " The file has changed since; reload it to apply the change."}
    </p>
  );
}

function Problem({ configuration: { problem } }: { configuration: Configuration }) {
  if (!problem) return null;
  return (
    <div role="alert" className={styles["problem"]}>
      <strong>The file can’t be used; what was loaded before stays in force.</strong>
      <ul>
        {problem.faults.map((fault) => (
          <li key={fault.sentence}>{fault.sentence}</li>
        ))}
      </ul>
    </div>
  );
}

function resultOf({ added, changed, removed }: Reload): string {
  const parts = Object.entries({ added, changed, removed }).filter(([, names]) => names.length > 0);
  return parts.length === 0 ? "Reloaded; nothing has changed." : `Reloaded: ${parts.map(([word, names]) => `${word} ${names.join(", ")}`).join("; ")}.`;
}
