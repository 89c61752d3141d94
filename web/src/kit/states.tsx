/** What a page shows when it has nothing, not yet, or failed to get it. */
import { useEffect, useState, type ReactNode } from "react";
import { Problem } from "@/client/client";
import { Button } from "./button";
import styles from "./states.module.css";

/** Bars of the final size, after 150 ms only, so that quick answers do not flicker. */
export function Skeleton({ rows, height = 28 }: { rows: number; height?: number }) {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 150);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="status" className={styles["skeleton"]} data-late={isLate || undefined}>
      <span className="hidden">Loading</span>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className={styles["bar"]} style={{ height: height - 8, width: `${92 - ((index * 17) % 38)}%` }} />
      ))}
    </div>
  );
}

interface EmptyProps {
  title: string;
  children?: ReactNode;
}

export function Empty({ title, children }: EmptyProps) {
  return (
    <div className={styles["empty"]}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

interface FailureProps {
  error: Error;
  what: string;
  retry?: () => void;
}

/** What failed, why, and what to do; with the id that support asks for. */
export function Failure({ error, what, retry }: FailureProps) {
  const requestId = error instanceof Problem ? error.requestId : undefined;
  return (
    <div role="alert" className={styles["failure"]}>
      <strong>{what}</strong>
      <p>{error.message}</p>
      {requestId !== undefined && (
        <p className={styles["small"]}>
          Request <code>{requestId}</code>
        </p>
      )}
      {retry && <Button onPress={retry}>Try again</Button>}
    </div>
  );
}
