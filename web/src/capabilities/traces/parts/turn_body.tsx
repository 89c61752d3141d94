/** What one call sent for the first time and what came back; the rest on demand. */
import { useState } from "react";
import { Button } from "@/kit/button";
import { plural } from "@/kit/format";
import type { Turn } from "../transcript";
import { besideChat } from "../beside_chat";
import { cutNote } from "../media";
import { Messages } from "./messages";
import styles from "./turn_body.module.css";

export function TurnBody({ turn }: { turn: Turn }) {
  const [isFull, setFull] = useState(false);
  const cut = cutNote(turn.span.attributes);
  const { span, repeated, fresh, failedAttempts } = turn;
  return (
    <>
      {repeated > 0 && (
        <div className={styles["repeated"]}>
          <span>{plural(repeated, "message")} shown above</span>
          <Button kind="bare" onPress={() => setFull(!isFull)} aria-expanded={isFull}>{isFull ? "Hide" : "Full context"}</Button>
        </div>
      )}
      <Messages messages={isFull ? span.input : fresh} />
      {besideChat(span).map((line) => <p key={line} className={styles["beside"]}>{line}</p>)}
      {cut !== "" && <p className={styles["attempt"]}>{cut}</p>}
      {failedAttempts.map((attempt) => (
        <p key={attempt.span_id} className={styles["attempt"]}>
          {[attempt.provider, attempt.request_model].filter(Boolean).join("/") || attempt.name} failed before this: {attempt.error || "no reason given"}
        </p>
      ))}
      <Messages messages={span.output} isAnswer />
    </>
  );
}
