/** Buttons: `plain` for most, `main` for the one act of a page, `bad` for what takes something away, `bare` inside bars. */
import { Button as AriaButton, type ButtonProps } from "react-aria-components/Button";
import styles from "./button.module.css";

interface Props extends Omit<ButtonProps, "className" | "style"> {
  kind?: "plain" | "main" | "bad" | "bare";
  title?: string;
}

export function Button({ kind = "plain", ...rest }: Props) {
  return <AriaButton {...rest} className={`${styles["button"]} ${styles[kind]}`} />;
}
