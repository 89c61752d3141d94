/** The frame of a page: a bar with its title and its acts, the content below. */
import { useEffect, type ReactNode } from "react";
import styles from "./page.module.css";

interface Props {
  title: ReactNode;
  /** What the tab of the browser says, where `title` is more than text. */
  name?: string;
  actions?: ReactNode;
  children: ReactNode;
  isPadded?: boolean;
}

/** Names the tab of the browser. */
export function useTitle(name: string): void {
  useEffect(() => {
    document.title = name === "" ? "Sternpost" : `${name} · Sternpost`;
  }, [name]);
}

export function Page({ title, name, actions, children, isPadded = false }: Props) {
  useTitle(name ?? (typeof title === "string" ? title : ""));
  return (
    <>
      <header className={styles["bar"]}>
        {typeof title === "string" ? <h1>{title}</h1> : title}
        <div className={styles["actions"]}>{actions}</div>
      </header>
      <main className={isPadded ? `${styles["main"]} ${styles["padded"]}` : styles["main"]}>{children}</main>
    </>
  );
}
