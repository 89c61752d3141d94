/** Text to take along: a copy button, and a block of code that has one. */
import { useEffect, useState } from "react";
import { Button } from "./button";
import { Icon } from "./icons";
import styles from "./copy.module.css";

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = (): void => {
    void navigator.clipboard.writeText(text).then(() => setCopied(true), () => setCopied(false));
  };
  return (
    <Button kind="bare" onPress={copy} aria-label={label} title={label}>
      <Icon name={isCopied ? "ok" : "copy"} />
      <span aria-live="polite">{isCopied ? "Copied" : ""}</span>
    </Button>
  );
}

export function Code({ text, label }: { text: string; label: string }) {
  return (
    <div className={styles["code"]}>
      {/* A region that scrolls must be reachable by keyboard. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0} role="region" aria-label={label}>{text}</pre>
      <div className={styles["corner"]}>
        <CopyButton text={text} label={`Copy ${label}`} />
      </div>
    </div>
  );
}
