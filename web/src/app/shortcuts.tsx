/** The sheet of keys, opened by `?` on every page. */
import { Dialog } from "@/kit/dialog";
import { pages } from "./pages";
import styles from "./shortcuts.module.css";

const groups: { title: string; keys: [string, string][] }[] = [
  {
    title: "Everywhere",
    keys: [
      ["Ctrl K", "Go to a page, a trace or an action"],
      ["?", "This help"],
      ["Esc", "Close the dialog or panel"],
      ...pages.map(({ letter, title }): [string, string] => [`g ${letter}`, title]),
    ],
  },
  {
    title: "Traces",
    keys: [["j  k", "Next, previous row"], ["Enter", "Open"], ["f  /", "Filter"], ["Shift F", "Clear the filter"], ["v", "Turn live updates on or off"]],
  },
  {
    title: "Trace",
    keys: [
      ["j  k", "Next, previous span"], ["h  l", "Collapse, expand"], ["n  p", "Next, previous error"], ["[  ]", "Newer, older trace in the list"],
      ["1  5", "Transcript, raw"], [".", "Copy the link"], ["y", "Copy the id"], ["Esc", "Back to the list"],
    ],
  },
];

export function Shortcuts({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Dialog title="Keyboard" isOpen={isOpen} onClose={onClose}>
      <div className={styles["sheet"]}>
        {groups.map((group) => (
          <section key={group.title}>
            <h3>{group.title}</h3>
            <dl className={styles["keys"]}>
              {group.keys.map(([key, act]) => (
                <div key={key}>
                  <dt><kbd>{key}</kbd></dt>
                  <dd>{act}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
