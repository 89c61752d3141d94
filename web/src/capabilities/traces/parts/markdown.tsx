/** Markdown as React elements. HTML in it stays text, and nothing is loaded from elsewhere by itself. */
import { memo } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import styles from "./markdown.module.css";

const plugins = [remarkGfm];

const components: Components = {
  // A wide table scrolls by itself, and the keyboard must reach what scrolls.
  // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
  table: ({ children }) => <div className={styles["table"]} tabIndex={0} role="group" aria-label="Table"><table>{children}</table></div>,
  a: ({ href, children }) => <Outside href={href}>{children}</Outside>,
  // The page may load no picture from elsewhere (its content security policy), so a click opens it in a tab of its own.
  img: ({ src, alt }) => <Outside href={typeof src === "string" ? src : undefined}>Image{alt ? `: ${alt}` : ""}</Outside>,
  // The headings of the page are its own; those of a message stay below them.
  h1: ({ children }) => <p className={styles["heading"]}>{children}</p>,
  h2: ({ children }) => <p className={styles["heading"]}>{children}</p>,
  h3: ({ children }) => <p className={styles["heading"]}>{children}</p>,
  h4: ({ children }) => <p className={styles["heading"]}>{children}</p>,
  h5: ({ children }) => <p className={styles["heading"]}>{children}</p>,
  h6: ({ children }) => <p className={styles["heading"]}>{children}</p>,
};

function Outside({ href, children }: { href: string | undefined; children: React.ReactNode }) {
  if (!href || !/^(https?:|mailto:)/i.test(href)) return <span>{children}{href ? ` (${href})` : ""}</span>;
  return (
    <>
      <a href={href} title={href} target="_blank" rel="noopener noreferrer">{children}</a>
      {children !== href && <span className={styles["target"]}> ({href})</span>}
    </>
  );
}

export const Markdown = memo(function Markdown({ text }: { text: string }) {
  return <div className={styles["markdown"]}><ReactMarkdown components={components} remarkPlugins={plugins}>{text}</ReactMarkdown></div>;
});
