/** The record itself as JSON: the chosen span, or the whole trace. */
import { useMemo, useState } from "react";
import type { Span, TraceDetail } from "@/client/types";
import { Button } from "@/kit/button";
import { CopyButton } from "@/kit/copy";
import { count } from "@/kit/format";
import styles from "./raw.module.css";

const SHOWN = 200_000; // characters; more would block the page while it is laid out

export function Raw({ detail, selected }: { detail: TraceDetail; selected: Span | undefined }) {
  const [isWhole, setWhole] = useState(false);
  const text = useMemo(() => JSON.stringify(isWhole || !selected ? detail : selected, null, 2), [detail, selected, isWhole]);
  return (
    <div className={styles["raw"]}>
      <div className={styles["bar"]}>
        <Button kind="bare" aria-pressed={!isWhole && selected !== undefined} isDisabled={!selected} onPress={() => setWhole(false)}>Span</Button>
        <Button kind="bare" aria-pressed={isWhole || !selected} onPress={() => setWhole(true)}>Whole trace</Button>
        <CopyButton text={text} label="Copy the JSON" />
        <span>{text.length > SHOWN ? `the first ${count(SHOWN)} of ${count(text.length)} characters; copy takes all` : `${count(text.length)} characters`}</span>
      </div>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} role="region" aria-label="JSON">{text.slice(0, SHOWN)}</pre>
    </div>
  );
}
