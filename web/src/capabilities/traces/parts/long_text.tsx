/** Text as written; what is long shows its beginning and opens on demand. */
import { useState } from "react";
import { Button } from "@/kit/button";
import { count } from "@/kit/format";
import styles from "./long_text.module.css";

interface Props {
  text: string;
  limit: number;
  isCode?: boolean;
}

export function LongText({ text, limit, isCode = false }: Props) {
  const [isOpen, setOpen] = useState(false);
  const isLong = text.length > limit * 1.2; // no button to reveal a few words
  return (
    <div className={isCode ? styles["code"] : styles["text"]}>
      {isLong && !isOpen ? `${text.slice(0, Math.max(text.lastIndexOf(" ", limit), limit / 2))} ...` : text}
      {isLong && (
        <div>
          <Button kind="bare" onPress={() => setOpen(!isOpen)} aria-expanded={isOpen}>{isOpen ? "Show less" : `Show all ${count(text.length)} characters`}</Button>
        </div>
      )}
    </div>
  );
}
