/** A button that opens a short list of choices. */
import type { ReactNode } from "react";
import { Menu as AriaMenu, MenuItem, MenuTrigger } from "react-aria-components/Menu";
import { Popover } from "react-aria-components/Popover";
import { Button } from "./button";
import styles from "./menu.module.css";

interface Props {
  label: string;
  button: ReactNode;
  choices: { id: string; title: string; note?: string }[];
  selected?: string;
  onChoose: (id: string) => void;
}

export function Menu({ label, button, choices, selected, onChoose }: Props) {
  return (
    <MenuTrigger>
      <Button aria-label={label}>{button}</Button>
      <Popover className={styles["popover"]} placement="bottom end">
        <AriaMenu
          aria-label={label} className={styles["menu"]} selectionMode={selected === undefined ? "none" : "single"}
          selectedKeys={selected === undefined ? [] : [selected]} onAction={(key) => onChoose(String(key))}
        >
          {choices.map((choice) => (
            <MenuItem key={choice.id} id={choice.id} textValue={choice.title} className={styles["item"]}>
              <span>{choice.title}</span>
              {choice.note !== undefined && <span className={styles["note"]}>{choice.note}</span>}
            </MenuItem>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
