/** Messages one below the other: who speaks at the side, what is said beside it. */
import { useState } from "react";
import type { Message, Part } from "@/client/types";
import { Button } from "@/kit/button";
import { isMarkdown } from "../markdown_signs";
import { partText } from "../transcript";
import { hasTraceback } from "../traceback";
import { PartView } from "./part_view";
import styles from "./messages.module.css";

const names: Record<string, string> = { system: "System", user: "User", assistant: "Model", tool: "Tool" };
/** Who writes Markdown; instructions and tools are shown as sent. */
const written = new Set(["user", "assistant"]);
const usual = new Set(["stop", "end", "end_turn", "tool_calls", "tool_use", "tool_call"]);

/** The lines of a traceback are no Markdown: `__init__` is not bold in it. Fenced, it is a block as any other. */
function isRichText(part: Part): boolean {
  const text = partText(part);
  return isMarkdown(text) && (text.includes("```") || !hasTraceback(text));
}

export function Messages({ messages, isAnswer = false }: { messages: Message[]; isAnswer?: boolean }) {
  // Messages have no id, and their order never changes.
  // oxlint-disable-next-line react/no-array-index-key
  return messages.map((message, at) => <One key={at} message={message} isAnswer={isAnswer} />);
}

function One({ message, isAnswer }: { message: Message; isAnswer: boolean }) {
  const [isSource, setSource] = useState(false);
  const isRich = written.has(message.role) && message.parts.some((part) => part.type === "text" && isRichText(part));
  return (
    <div className={styles["message"]} data-answer={isAnswer || undefined}>
      <div className={styles["role"]}>
        {names[message.role] ?? message.role}
        {message.name && <span className={styles["name"]}>{message.name}</span>}
        {isRich && <Button kind="bare" onPress={() => setSource(!isSource)} aria-pressed={isSource}>Source</Button>}
      </div>
      <div className={styles["parts"]}>
        {message.parts.map((part, place) => (
          // oxlint-disable-next-line react/no-array-index-key
          <PartView key={place} part={part} isSystem={message.role === "system"} isMarkdown={isRich && !isSource && isRichText(part)} />
        ))}
        {message.finish_reason && !usual.has(message.finish_reason) && <p className={styles["finish"]}>Ended by {message.finish_reason}</p>}
      </div>
    </div>
  );
}
