/** Why a span failed; a traceback keeps its lines and scrolls by itself. */
import { errorBlocks } from "../traceback";
import styles from "./error_text.module.css";

export function ErrorText({ text }: { text: string }) {
  const { sentence, trace } = errorBlocks(text);
  return (
    <div className={styles["error"]}>
      {sentence !== "" && <p>{sentence}</p>}
      {trace !== "" && (
        // A block that scrolls must be reachable by keyboard.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <pre tabIndex={0} role="region" aria-label="Traceback">{trace}</pre>
      )}
    </div>
  );
}
