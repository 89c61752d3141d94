/** Why a span failed; a traceback keeps its lines and scrolls by itself. */
import { errorBlocks } from "../traceback";
import styles from "./error_text.module.css";

/** `stack` is what the program reported beside its error. */
export function ErrorText({ text, stack = "" }: { text: string; stack?: string | undefined }) {
  const { sentence, trace: own } = errorBlocks(text);
  const trace = own || stack;
  return (
    <div className={styles["error"]}>
      {sentence !== "" && <p>{sentence}</p>}
      {trace !== "" && (
        // A block that scrolls must be reachable by keyboard.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <pre tabIndex={0} role="group" aria-label="Traceback">{trace}</pre>
      )}
    </div>
  );
}
