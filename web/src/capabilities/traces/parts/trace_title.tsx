/** The name of a trace, how it ended, and the way back to its list. */
import { Link } from "@tanstack/react-router";
import { Icon } from "@/kit/icons";
import { Status, type StatusWord } from "@/kit/status";
import styles from "./trace_title.module.css";

interface Props {
  name: string;
  status?: StatusWord;
  filter?: string | undefined;
}

export function TraceTitle({ name, status, filter }: Props) {
  return (
    <div className={styles["title"]}>
      <Link to="/traces" search={(old) => ({ since: old.since, until: old.until, filter })} className={styles["back"]!} aria-label="Back to the traces" title="Back to the traces (Esc)">
        <Icon name="back" />
      </Link>
      <h1>{name}</h1>
      {status && <Status status={status} />}
    </div>
  );
}
