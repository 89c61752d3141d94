/** Text as written; what is long shows its beginning and opens on demand. */
import { lazy, Suspense, useState } from "react";
import { Button } from "@/kit/button";
import { count } from "@/kit/format";
import styles from "./long_text.module.css";

const Markdown = lazy(async () => ({ default: (await import("./markdown")).Markdown }));

interface Props {
  text: string;
  limit: number;
  isCode?: boolean;
  isMarkdown?: boolean;
}

export function LongText({ text, limit, isCode = false, isMarkdown = false }: Props) {
  const [isOpen, setOpen] = useState(false);
  const isLong = text.length > limit * 1.2; // no button to reveal a few words
  const shown = isLong && !isOpen ? `${text.slice(0, Math.max(text.lastIndexOf(" ", limit), limit / 2))} ...` : text;
  return (
    <div className={isCode ? styles["code"] : styles["text"]}>
      {isMarkdown ? <Suspense fallback={shown}><Markdown text={shown} /></Suspense> : shown}
      {isLong && (
        <div>
          <Button kind="bare" onPress={() => setOpen(!isOpen)} aria-expanded={isOpen}>{isOpen ? "Show less" : `Show all ${count(text.length)} characters`}</Button>
        </div>
      )}
    </div>
  );
}
