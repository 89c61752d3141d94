/** Changes as a table, newest first. */
import { Link } from "@tanstack/react-router";
import type { EventItem } from "@/client/types";
import { ago, moment } from "@/kit/format";
import { useNow } from "@/kit/now";
import table from "@/kit/table.module.css";
import { actorOf, changesOf, titleOf } from "../words";
import styles from "../page.module.css";

export function EventTable({ items }: { items: EventItem[] }) {
  const now = useNow(5000);
  return (
    <div className={table["scroll"]}>
      <table className={table["table"]}>
        <caption className="hidden">Changes, newest first</caption>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Change</th>
            <th scope="col">Of</th>
            <th scope="col">By</th>
            <th scope="col">What changed</th>
          </tr>
        </thead>
        <tbody>
          {items.map((event) => (
            <tr key={event.event_id}>
              <td className={`${table["quiet"]} ${styles["whole"]}`} title={moment(event.at)}>{ago(event.at, now)}</td>
              <td className={styles["whole"]} title={event.kind}>{titleOf(event.kind)}</td>
              <td><Subject event={event} /></td>
              <td>{actorOf(event)}</td>
              <td className={styles["facts"]}>{changesOf(event).join("; ") || "-"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A link to what was changed, where it has a page of its own. */
function Subject({ event }: { event: EventItem }) {
  if (event.kind.startsWith("batch.")) {
    return (
      <Link to="/batches/$batchId" params={{ batchId: event.subject }} className={styles["link"]!}>
        <code>{event.subject}</code>
      </Link>
    );
  }
  return <code>{event.subject}</code>;
}
