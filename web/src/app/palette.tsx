/** The command palette: pages, acts, a trace by its id, a filter by its words. */
import { useId, useState, type KeyboardEvent } from "react";
import { useNavigate } from "@tanstack/react-router";
import { Dialog } from "@/kit/dialog";
import { useCommands, type Command } from "./commands";
import styles from "./palette.module.css";

interface Props {
  isOpen: boolean;
  onClose: () => void;
  onShortcuts: () => void;
}

export function Palette({ isOpen, onClose, onShortcuts }: Props) {
  return (
    <Dialog title="Go to" isOpen={isOpen} onClose={onClose} isAtTop isTitleHidden>
      <Choices onClose={onClose} onShortcuts={onShortcuts} />
    </Dialog>
  );
}

function Choices({ onClose, onShortcuts }: Omit<Props, "isOpen">) {
  const [words, setWords] = useState("");
  const [chosen, setChosen] = useState(0);
  const navigate = useNavigate();
  const id = useId();
  const found = useCommands(words, onShortcuts);
  const run = (command: Command | undefined): void => {
    if (!command) return;
    onClose();
    if (command.to) void navigate(command.to);
    else command.act?.();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setChosen((at) => (at + step + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter") run(found[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <div className={styles["palette"]}>
      <input
        className={styles["input"]} role="combobox" aria-label="Page, action, trace id or words to filter traces by" aria-expanded="true"
        aria-controls={`${id}-list`} aria-activedescendant={found[chosen] ? `${id}-${chosen}` : undefined}
        placeholder="Page, action, trace id, or words to filter traces by" autoFocus value={words} spellCheck={false} autoComplete="off"
        onChange={(event) => {
          setWords(event.target.value);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id={`${id}-list`} role="listbox" aria-label="Choices" className={styles["list"]}>
        {found.map((command, index) => (
          // The keyboard reaches the options through the combobox above.
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
          <li
            key={command.title} id={`${id}-${index}`} role="option" aria-selected={index === chosen} className={styles["option"]}
            onClick={() => run(command)} onMouseMove={() => setChosen(index)}
          >
            <span>{command.title}</span>
            <span className={styles["note"]}>{command.note}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
