/** The record itself as JSON: the chosen span, or the whole trace. */
import { useMemo, useState } from "react";
import type { Span, TraceDetail } from "@/client/types";
import { Button } from "@/kit/button";
import { CopyButton } from "@/kit/copy";
import { count } from "@/kit/format";
import { mediaOf } from "../media";
import { Medium } from "./medium";
import styles from "./raw.module.css";

const MOST_MEDIA = 50;
const SHOWN = 200_000; // characters; more would block the page while it is laid out

export function Raw({ detail, selected }: { detail: TraceDetail; selected: Span | undefined }) {
  const [isWhole, setWhole] = useState(false);
  const text = useMemo(() => JSON.stringify(isWhole || !selected ? detail : selected, null, 2), [detail, selected, isWhole]);
  const media = useMemo(() => mediaOf((isWhole || !selected ? detail.spans : [selected]).flatMap(({ input, output }) => [...input, ...output])).slice(0, MOST_MEDIA), [detail, selected, isWhole]);
  return (
    <div className={styles["raw"]}>
      <div className={styles["bar"]}>
        <Button kind="bare" aria-pressed={!isWhole && selected !== undefined} isDisabled={!selected} onPress={() => setWhole(false)}>Span</Button>
        <Button kind="bare" aria-pressed={isWhole || !selected} onPress={() => setWhole(true)}>Whole trace</Button>
        <CopyButton text={text} label="Copy the JSON" />
        <span>{text.length > SHOWN ? `the first ${count(SHOWN)} of ${count(text.length)} characters; copy takes all` : `${count(text.length)} characters`}</span>
      </div>
      {media.length > 0 && <section className={styles["media"]} aria-label="Media">{media.map((part) => <Medium key={part.hash ?? part.uri ?? part.file_id} part={part} />)}</section>}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} role="region" aria-label="JSON">{text.slice(0, SHOWN)}</pre>
    </div>
  );
}
