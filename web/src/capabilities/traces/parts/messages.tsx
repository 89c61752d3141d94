/** Messages one below the other: who speaks at the side, what is said beside it. */
import type { Message } from "@/client/types";
import { PartView } from "./part_view";
import styles from "./messages.module.css";

const names: Record<string, string> = { system: "System", user: "User", assistant: "Model", tool: "Tool" };
const usual = new Set(["stop", "end_turn", "tool_calls", "tool_use", "tool_call"]);

export function Messages({ messages, isAnswer = false }: { messages: Message[]; isAnswer?: boolean }) {
  return messages.map((message, at) => (
    // Messages have no id, and their order never changes.
    // oxlint-disable-next-line react/no-array-index-key
    <div key={at} className={styles["message"]} data-answer={isAnswer || undefined}>
      <div className={styles["role"]}>
        {names[message.role] ?? message.role}
        {message.name && <span className={styles["name"]}>{message.name}</span>}
      </div>
      <div className={styles["parts"]}>
        {message.parts.map((part, place) => (
          // oxlint-disable-next-line react/no-array-index-key
          <PartView key={place} part={part} isSystem={message.role === "system"} />
        ))}
        {message.finish_reason && !usual.has(message.finish_reason) && <p className={styles["finish"]}>Ended by {message.finish_reason}</p>}
      </div>
    </div>
  ));
}
