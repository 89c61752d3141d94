/** What a retriever was asked and the documents it gave, in their rank. */
import type { Part, Span } from "@/client/types";
import { count, plural } from "@/kit/format";
import { partText } from "../transcript";
import { LongText } from "./long_text";
import { Messages } from "./messages";
import styles from "./retrieval.module.css";

export function Retrieval({ span }: { span: Span }) {
  const documents = span.output.flatMap(({ parts }) => parts.filter(({ type }) => type === "document"));
  const others = span.output.filter(({ parts }) => parts.every(({ type }) => type !== "document"));
  return (
    <>
      <Messages messages={span.input} />
      <div className={styles["found"]}>
        <div className={styles["count"]}>{documents.length === 0 ? "Nothing was found" : plural(documents.length, "document")}</div>
        <ol className={styles["documents"]}>
          {documents.map((document, at) => (
            <li key={`${document.id ?? ""}${at}`}><Document document={document} rank={at + 1} /></li>
          ))}
        </ol>
      </div>
      <Messages messages={others} />
    </>
  );
}

function Document({ document, rank }: { document: Part; rank: number }) {
  const name = document.title || document.uri || document.id || "document";
  return (
    <details className={styles["document"]}>
      <summary>
        <span className={styles["rank"]}>{rank}</span>
        <span className={styles["name"]} title={document.uri ?? document.id ?? undefined}>{name}</span>
        <span className={styles["peek"]}>{partText(document).slice(0, 160)}</span>
        {typeof document.score === "number" && <span className={styles["score"]} title={`Score ${document.score}`}>{document.score.toFixed(3)}</span>}
      </summary>
      <div className={styles["content"]}>
        {document.uri && document.uri !== name && <p className={styles["uri"]}>{document.uri}</p>}
        <LongText text={partText(document)} limit={3000} />
        <p className={styles["uri"]}>{count(partText(document).length)} characters</p>
      </div>
    </details>
  );
}
