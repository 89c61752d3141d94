/** Keys of a page: single letters that never fire while someone types or a layer is open. */
import { useEffect, useRef, type RefObject } from "react";

export type Hotkeys = Record<string, (event: KeyboardEvent) => void>;
type Press = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">;

const typing = "input, textarea, select, [contenteditable=true], [role=dialog], [role=menu], [role=listbox]";
const CHORD_MS = 1200;
const registered = new Set<RefObject<Hotkeys>>();
let chordStartedAt = -CHORD_MS;

/** Names a key press: `j`, `Shift+f`, `Mod+k` (Ctrl, or Cmd on a Mac). */
export function keyName(event: Press): string {
  const isLetter = /^[a-z]$/i.test(event.key);
  const key = isLetter ? event.key.toLowerCase() : event.key;
  if (event.altKey) return "";
  if (event.ctrlKey || event.metaKey) return `Mod+${key}`;
  return isLetter && event.shiftKey ? `Shift+${key}` : key;
}

/** The name of a press, as `g t` when it follows a `g` in time. */
function chordName(event: KeyboardEvent): string {
  const name = keyName(event);
  const isSecond = event.timeStamp - chordStartedAt < CHORD_MS;
  chordStartedAt = !isSecond && name === "g" ? event.timeStamp : -CHORD_MS;
  return isSecond ? `g ${name}` : name;
}

function listen(event: KeyboardEvent): void {
  const isTyping = event.target instanceof Element && event.target.closest(typing) !== null;
  if (event.defaultPrevented || (isTyping && !event.ctrlKey && !event.metaKey)) return;
  const name = chordName(event);
  for (const keys of registered) keys.current[name]?.(event);
}

export function useHotkeys(keys: Hotkeys): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    if (registered.size === 0) window.addEventListener("keydown", listen);
    registered.add(latest);
    return () => {
      registered.delete(latest);
      if (registered.size === 0) window.removeEventListener("keydown", listen);
    };
  }, []);
}
