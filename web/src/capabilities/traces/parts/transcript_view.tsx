/** The trace as a conversation: what was retrieved, asked, called and answered, in order. */
import { useEffect, useMemo, useRef } from "react";
import type { TraceDetail } from "@/client/types";
import { Empty } from "@/kit/states";
import { entryOf, transcript, type Entry } from "../transcript";
import { EntryCard } from "./entry_card";
import { Messages } from "./messages";
import { Retrieval } from "./retrieval";
import { TurnBody } from "./turn_body";
import styles from "./transcript_view.module.css";

interface Props {
  detail: TraceDetail;
  selected: string | undefined;
  /** Changes with every choice, so that choosing the same span again scrolls back to it. */
  choice: number;
  onSelect: (spanId: string) => void;
}

const SHOWN = 200; // entries; longer traces are walked by the tree

export function Transcript({ detail, selected, choice, onSelect }: Props) {
  const entries = useMemo(() => transcript(detail.spans), [detail.spans]);
  const list = useRef<HTMLDivElement>(null);
  const at = useMemo(() => entryOf(entries, detail.spans, selected), [entries, detail.spans, selected]);
  const chosen = entries[at]?.span.span_id;
  const from = Math.max(0, Math.min(at - SHOWN / 2, entries.length - SHOWN));
  useEffect(() => {
    const card = chosen && list.current?.querySelector(`[data-span="${CSS.escape(chosen)}"]`);
    if (!card) return;
    card.scrollIntoView({ block: "nearest" });
    card.querySelector("header")?.scrollIntoView({ block: "nearest" }); // of a card taller than the view, its beginning
    // The same span may be chosen again after scrolling away from it.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [chosen, choice]);
  if (entries.length === 0) return <Empty title="No messages in this trace">Its spans have no messages; see the tree.</Empty>;
  return (
    <div ref={list} className={styles["list"]}>
      {from > 0 && <p className={styles["note"]}>{from} earlier entries are not shown; choose a span in the tree to go there.</p>}
      {entries.slice(from, from + SHOWN).map((entry) => (
        <EntryCard key={`${entry.kind} ${entry.span.span_id}`} type={entry.kind === "turn" ? "llm" : entry.span.type} span={entry.span} isSelected={entry.span.span_id === chosen} onSelect={onSelect}>
          <Body entry={entry} />
        </EntryCard>
      ))}
      {from + SHOWN < entries.length && <p className={styles["note"]}>{entries.length - from - SHOWN} later entries are not shown; choose a span in the tree to go there.</p>}
    </div>
  );
}

function Body({ entry }: { entry: Entry }) {
  if (entry.kind === "turn") return <TurnBody turn={entry} />;
  if (entry.kind === "retrieval") return <Retrieval span={entry.span} />;
  if (entry.kind === "given" || entry.kind === "made") {
    return (
      <>
        <p className={styles["note"]}>{entry.kind === "given" ? "Input" : "Output"}</p>
        <Messages messages={entry.messages} />
      </>
    );
  }
  const { input, output } = entry.span;
  return input.length + output.length === 0 ? null : <Messages messages={[...input, ...output]} />;
}
