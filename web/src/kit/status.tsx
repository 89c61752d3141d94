/** How a call or a trace ended: an icon and a word, colour only as a third sign. */
import { Icon } from "./icons";
import styles from "./status.module.css";

const words = { ok: "OK", error: "Error", truncated: "Truncated", cancelled: "Cancelled" } as const;
const notes = {
  ok: "It ended normally",
  error: "It failed",
  truncated: "The stream broke before its last event",
  cancelled: "The caller disconnected before the end",
} as const;
export type StatusWord = keyof typeof words;

export function Status({ status, isShort = false }: { status: StatusWord; isShort?: boolean }) {
  return (
    <span className={`${styles["status"]} ${styles[status]}`} title={notes[status]}>
      <Icon name={status} />
      <span className={isShort ? "hidden" : undefined}>{words[status]}</span>
    </span>
  );
}
