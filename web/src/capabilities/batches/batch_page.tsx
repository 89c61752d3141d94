/** One batch: its progress, what kept it, its lines with their traces, and the way to end it. */
import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { basePath } from "@/client/base";
import type { BatchItem } from "@/client/types";
import { Button } from "@/kit/button";
import { Dialog } from "@/kit/dialog";
import { moment } from "@/kit/format";
import { Icon } from "@/kit/icons";
import { Page } from "@/kit/page";
import { Failure, Skeleton } from "@/kit/states";
import table from "@/kit/table.module.css";
import { Tabs } from "@/kit/tabs";
import { BatchCost } from "./parts/batch_cost";
import { BatchStatus } from "./parts/batch_status";
import { LineTable } from "./parts/line_table";
import { Progress } from "./parts/progress";
import { batchQuery, canCancel, isOpen, useCancelBatch } from "./queries";
import styles from "./page.module.css";

const route = getRouteApi("/shell/batches/$batchId");

export function BatchPage() {
  const { batchId } = route.useParams();
  const batch = useQuery(batchQuery(batchId));
  const [isAsking, setAsking] = useState(false);
  const acts = batch.data && canCancel(batch.data) && <Button kind="bad" onPress={() => setAsking(true)}>Cancel batch</Button>;
  return (
    <Page title={<Title batchId={batchId} />} actions={acts} isPadded>
      {batch.isPending && <Skeleton rows={6} />}
      {batch.error && <Failure what="Failed to load the batch" error={batch.error} retry={() => void batch.refetch()} />}
      {batch.data && <Facts batch={batch.data} />}
      {batch.data?.waits_until && <p className={styles["note"]}>Lines of the queue wait for the off-peak window, which opens {moment(batch.data.waits_until)}.</p>}
      {batch.data?.waits_because && <p className={styles["note"]} role="status">It waits, and is asked for again: {batch.data.waits_because}</p>}
      {batch.data && batch.data.faults.length > 0 && <Faults batch={batch.data} />}
      {batch.data && batch.data.total > 0 && <Lines batch={batch.data} />}
      <Dialog title="Cancel this batch?" isOpen={isAsking} onClose={() => setAsking(false)}>
        <Cancel batchId={batchId} onDone={() => setAsking(false)} />
      </Dialog>
    </Page>
  );
}

function Title({ batchId }: { batchId: string }) {
  return (
    <div className={styles["title"]}>
      <Link to="/batches" aria-label="Back to the batches"><Icon name="back" /></Link>
      <h1>{batchId}</h1>
    </div>
  );
}

function Facts({ batch }: { batch: BatchItem }) {
  return (
    <dl className={styles["facts"]}>
      <div><dt>Status</dt><dd><BatchStatus batch={batch} /></dd></div>
      <div><dt>Progress</dt><dd><Progress batch={batch} /></dd></div>
      <div><dt>Cost</dt><dd><BatchCost batch={batch} /></dd></div>
      <div><dt>Endpoint</dt><dd><code>{batch.endpoint}</code></dd></div>
      <div><dt>Started by</dt><dd>{batch.created_by}</dd></div>
      <div><dt>Created</dt><dd>{moment(batch.created_at)}</dd></div>
      <div><dt>{batch.ended_at ? "Ended" : "Expires"}</dt><dd>{moment(batch.ended_at ?? batch.expires_at)}</dd></div>
      <div><dt>Files</dt><dd><Files batch={batch} /></dd></div>
      <div><dt>Traces</dt><dd><Link to="/traces" search={{ filter: `attr.batch_id:${batch.batch_id}` }} className={styles["link"]!}>of its lines</Link></dd></div>
    </dl>
  );
}

function Files({ batch }: { batch: BatchItem }) {
  const files = [["input", batch.input_file_id], ["output", batch.output_file_id], ["errors", batch.error_file_id]] as const;
  return (
    <span className={styles["progress"]}>
      {files.map(([name, id]) => id && <a key={name} className={styles["link"]} href={`${basePath}/v1/files/${id}/content`} download>{name}</a>)}
    </span>
  );
}

function Faults({ batch }: { batch: BatchItem }) {
  return (
    <section className={styles["section"]}>
      <h2>Why it did not run</h2>
      <table className={table["table"]}>
        <caption className="hidden">Errors in the file</caption>
        <thead><tr><th scope="col" data-number>Line</th><th scope="col">Code</th><th scope="col">What is wrong</th></tr></thead>
        <tbody>
          {batch.faults.map(({ line, code, message }, index) => (
            <tr key={index}><td data-number>{line ?? "-"}</td><td><code>{code}</code></td><td className={styles["error"]}>{message}</td></tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Lines({ batch }: { batch: BatchItem }) {
  const shared = { batchId: batch.batch_id, isRunning: isOpen(batch) };
  return (
    <div className={styles["tabs"]}>
      <Tabs
        label="Lines of the batch"
        tabs={[
          { id: "failed", title: "Not answered", content: <LineTable {...shared} state="failed" nothing="No line failed" /> },
          { id: "done", title: "Answered", content: <LineTable {...shared} state="done" nothing="No answers yet" /> },
          { id: "waiting", title: "Waiting", content: <LineTable {...shared} state="waiting" nothing="No lines are waiting" /> },
        ]}
      />
    </div>
  );
}

function Cancel({ batchId, onDone }: { batchId: string; onDone: () => void }) {
  const cancel = useCancelBatch(batchId);
  return (
    <div className={styles["form"]}>
      <p>Lines in flight are finished, and all answers so far are kept. The remaining lines are not sent.</p>
      {cancel.error && <p role="alert" className={styles["bad"]}>{cancel.error.message}</p>}
      <div className={styles["acts"]}>
        <Button onPress={onDone} autoFocus>Keep running</Button>
        <Button kind="bad" isDisabled={cancel.isPending} onPress={() => cancel.mutate(undefined, { onSuccess: onDone })}>Cancel batch</Button>
      </div>
    </div>
  );
}
