/** The frame of a page: a bar with its title and its acts, the content below. */
import type { ReactNode } from "react";
import styles from "./page.module.css";

interface Props {
  title: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  isPadded?: boolean;
}

export function Page({ title, actions, children, isPadded = false }: Props) {
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
