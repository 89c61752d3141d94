/** Where a batch stands: an icon and a word, colour only as a third sign. */
import type { BatchItem } from "@/client/types";
import { Icon, type IconName } from "@/kit/icons";
import styles from "../page.module.css";

const words: Record<string, { word: string; tone: string; icon: IconName }> = {
  validating: { word: "Reading", tone: "busy", icon: "traces" },
  in_progress: { word: "Running", tone: "busy", icon: "right" },
  finalizing: { word: "Finishing", tone: "busy", icon: "right" },
  completed: { word: "Completed", tone: "ok", icon: "ok" },
  failed: { word: "Failed", tone: "bad", icon: "error" },
  expired: { word: "Expired", tone: "warn", icon: "truncated" },
  cancelling: { word: "Cancelling", tone: "warn", icon: "cancelled" },
  cancelled: { word: "Cancelled", tone: "quiet", icon: "cancelled" },
};

export function BatchStatus({ batch }: { batch: BatchItem }) {
  const { word, tone, icon } = words[batch.status] ?? { word: batch.status, tone: "quiet", icon: "right" };
  const isWaiting = batch.waits_until !== null && batch.waits_until !== undefined;
  return (
    <span className={styles["status"]} data-tone={isWaiting ? "quiet" : tone} title={`OpenAI status: ${batch.status}`}>
      <Icon name={icon} />
      {isWaiting ? "Waiting for off-peak hours" : word}
    </span>
  );
}
