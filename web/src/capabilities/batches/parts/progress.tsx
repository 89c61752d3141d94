/** How far a batch is: a bar for the eye, numbers for everybody. */
import type { BatchItem } from "@/client/types";
import { count } from "@/kit/format";
import styles from "../page.module.css";

function share(part: number, total: number): string {
  return `${total === 0 ? 0 : (100 * part) / total}%`;
}

export function Progress({ batch }: { batch: BatchItem }) {
  const { completed, failed, total } = batch;
  if (total === 0) return <span className={styles["lead"]}>{batch.status === "validating" ? "reading the file" : "no lines"}</span>;
  return (
    <span className={styles["progress"]}>
      <span className={styles["bar"]} aria-hidden="true">
        <span className={styles["done"]} style={{ width: share(completed, total) }} />
        <span className={styles["failed"]} style={{ width: share(failed, total) }} />
      </span>
      <span>
        {count(completed)} of {count(total)}
        {failed > 0 && <span className={styles["bad"]}>, {count(failed)} failed</span>}
      </span>
    </span>
  );
}
