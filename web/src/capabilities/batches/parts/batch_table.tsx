/** Batches as a table, newest first; a row opens its batch. */
import { Link } from "@tanstack/react-router";
import type { BatchItem } from "@/client/types";
import { ago, moment } from "@/kit/format";
import { useNow } from "@/kit/now";
import table from "@/kit/table.module.css";
import styles from "../page.module.css";
import { BatchStatus } from "./batch_status";
import { BatchCost } from "./batch_cost";
import { Progress } from "./progress";

export function BatchTable({ items }: { items: BatchItem[] }) {
  const now = useNow(5000);
  return (
    <div className={table["scroll"]}>
      <table className={table["table"]}>
        <caption className="hidden">Batches of this project</caption>
        <thead>
          <tr>
            <th scope="col">Batch</th>
            <th scope="col">Status</th>
            <th scope="col">Progress</th>
            <th scope="col">Endpoint</th>
            <th scope="col">Created</th>
            <th scope="col" data-number>Cost</th>
          </tr>
        </thead>
        <tbody>
          {items.map((batch) => (
            <tr key={batch.batch_id}>
              <td>
                <Link to="/batches/$batchId" params={{ batchId: batch.batch_id }} className={styles["link"]!}>
                  <code>{batch.batch_id}</code>
                </Link>
              </td>
              <td><BatchStatus batch={batch} /></td>
              <td><Progress batch={batch} /></td>
              <td title={batch.endpoint}><code>{batch.endpoint.replace("/v1/", "")}</code></td>
              <td className={`${table["quiet"]} ${styles["whole"]}`} title={`${moment(batch.created_at)}, by ${batch.created_by}`}>{ago(batch.created_at, now)}</td>
              <td data-number><BatchCost batch={batch} isShort /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
