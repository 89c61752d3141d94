/** One part of a message; text as it is, everything else as what it is. */
import type { Part } from "@/client/types";
import { partText, readable } from "../transcript";
import { toolMedia, withoutReferences } from "../media";
import { hasTraceback } from "../traceback";
import { LongText } from "./long_text";
import { Medium } from "./medium";
import styles from "./part_view.module.css";

export function PartView({ part, isSystem, isMarkdown }: { part: Part; isSystem: boolean; isMarkdown: boolean }) {
  const kind = part.type ?? "other";
  switch (kind) {
    case "text":
      return <LongText text={withoutReferences(partText(part))} limit={isSystem ? 280 : 2400} isMarkdown={isMarkdown} isCode={!isMarkdown && hasTraceback(partText(part))} />;
    case "reasoning":
      return <Reasoning part={part} />;
    case "refusal":
      return <p className={styles["refusal"]}>Refused: {partText(part)}</p>;
    case "tool_call":
      return <Block title={`Calls ${part.name ?? "a tool"}`} text={readable(part.arguments ?? "")} />;
    case "tool_call_response":
      return <ToolAnswer part={part} />;
    case "blob":
    case "uri":
    case "file":
      return <Medium part={part} />;
    default:
      return <Block title={kind} text={readable(part.content ?? part)} />;
  }
}

function ToolAnswer({ part }: { part: Part }) {
  const media = toolMedia(part);
  return (
    <>
      <Block title={part.is_error ? "Tool failed" : "Tool result"} text={withoutReferences(readable(part.response ?? part.content ?? ""))} />
      {media.map((one, at) => (
        // oxlint-disable-next-line react/no-array-index-key
        <Medium key={at} part={one} />
      ))}
    </>
  );
}

function Reasoning({ part }: { part: Part }) {
  const text = partText(part);
  if (text === "") return <p className={styles["media"]}>Reasoning, encrypted by the provider</p>;
  return (
    <details className={styles["reasoning"]}>
      <summary>Reasoning</summary>
      <LongText text={text} limit={4000} />
    </details>
  );
}

function Block({ title, text }: { title: string; text: string }) {
  return (
    <div className={styles["block"]}>
      <div className={styles["title"]}>{title}</div>
      {text !== "" && <LongText text={text} limit={1600} isCode />}
    </div>
  );
}
