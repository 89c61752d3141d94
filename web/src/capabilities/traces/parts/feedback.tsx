/** A thumb up or down for the whole trace, kept as a score of a human. */
import type { TraceDetail } from "@/client/types";
import { Button } from "@/kit/button";
import { Icon } from "@/kit/icons";
import { useGiveFeedback } from "../queries";
import styles from "./feedback.module.css";

const NAME = "helpful";

export function Feedback({ detail }: { detail: TraceDetail }) {
  const give = useGiveFeedback(detail.trace.trace_id);
  const given = detail.scores.filter(({ name, source, span_id }) => name === NAME && source === "human" && !span_id);
  const latest = given.toSorted((one, other) => Date.parse(one.created_at) - Date.parse(other.created_at)).at(-1)?.value;
  const rate = (isGood: boolean) => (): void => give.mutate({ name: NAME, isGood, explanation: "" });
  return (
    <div role="group" aria-label="Was it helpful?" className={styles["feedback"]}>
      {give.error && <span role="alert" className={styles["bad"]}>{give.error.message}</span>}
      <Button kind="bare" aria-label="Helpful" title="Helpful" aria-pressed={latest === 1} onPress={rate(true)} isDisabled={give.isPending}>
        <Icon name="up" />
      </Button>
      <Button kind="bare" aria-label="Not helpful" title="Not helpful" aria-pressed={latest === 0} onPress={rate(false)} isDisabled={give.isPending}>
        <Icon name="thumbDown" />
      </Button>
    </div>
  );
}
