/** How an application reaches Sternpost, and a live sign of the first call; composes keys and traces. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useCreateKey } from "@/capabilities/access/queries";
import { newestTraceQuery } from "@/capabilities/traces/queries";
import { Button } from "@/kit/button";
import { Code } from "@/kit/copy";
import { ago, moment } from "@/kit/format";
import { Icon } from "@/kit/icons";
import { useNow } from "@/kit/now";
import { Page } from "@/kit/page";
import { Commands } from "./commands";
import styles from "./page.module.css";

export function ConnectPage({ isFirst = false }: { isFirst?: boolean }) {
  const createKey = useCreateKey();
  const key = createKey.data?.key;
  return (
    <Page title={isFirst ? "Send your first call" : "Connect"} isPadded>
      <div className={styles["page"]}>
        {isFirst && <p className={styles["lead"]}>Nothing is recorded yet. Each call that goes through Sternpost becomes a trace: what was sent, retrieved and answered, how long it took and what it cost.</p>}
        <section className={styles["step"]}>
          <h2>1. Get a key</h2>
          {key === undefined ? (
            <div className={styles["line"]}>
              <Button kind="main" onPress={() => createKey.mutate({ name: "connect page" })} isDisabled={createKey.isPending}>Create a key</Button>
              <span>or use an existing one in place of <code>sp-...</code> below.</span>
            </div>
          ) : (
            <>
              <Code text={key} label="key" />
              <p>Shown only once. It is filled into the commands below; you can revoke it on the <Link to="/keys">keys page</Link>.</p>
            </>
          )}
          {createKey.error && <p role="alert" className={styles["bad"]}>{createKey.error.message}</p>}
        </section>
        <section className={styles["step"]}>
          <h2>2. Point your application here</h2>
          <Commands shownKey={key ?? "sp-..."} />
        </section>
        <section className={styles["step"]}>
          <h2>3. Watch it arrive</h2>
          <Arrival />
        </section>
      </div>
    </Page>
  );
}

function Arrival() {
  const newest = useQuery(newestTraceQuery(2000));
  const now = useNow();
  const trace = newest.data;
  return (
    <div role="status" className={styles["arrival"]} data-arrived={trace ? true : undefined}>
      {trace ? (
        <>
          <Icon name="ok" />
          <span>
            Newest call: <Link to="/traces/$traceId" params={{ traceId: trace.trace_id }}>{trace.input_preview || trace.name}</Link>
          </span>
          <span className={styles["when"]} title={moment(trace.started_at)}>{ago(trace.started_at, now)}</span>
        </>
      ) : (
        <>
          <span className={styles["pulse"]} aria-hidden="true" />
          <span>Waiting for your first call</span>
        </>
      )}
    </div>
  );
}
