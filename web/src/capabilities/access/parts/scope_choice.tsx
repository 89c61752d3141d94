/** What a key may do: one box per scope, and buttons for the sets that have a name. */
import type { KeyScope } from "@/client/types";
import { Button } from "@/kit/button";
import { ALL_SCOPES, PRESETS, presetOf, SCOPES } from "../scopes";
import styles from "../page.module.css";

interface Props {
  scopes: KeyScope[];
  onChange: (scopes: KeyScope[]) => void;
}

export function ScopeChoice({ scopes, onChange }: Props) {
  const chosen = presetOf(scopes);
  const toggle = (scope: KeyScope): void =>
    onChange(ALL_SCOPES.filter((one) => (one === scope ? !scopes.includes(one) : scopes.includes(one))));
  return (
    <fieldset className={styles["scopes"]}>
      <legend>Scopes</legend>
      <div className={styles["presets"]} role="group" aria-label="Presets">
        {Object.keys(PRESETS).map((name) => (
          <Button key={name} kind="plain" aria-pressed={name === chosen} onPress={() => onChange(PRESETS[name]!)}>{name}</Button>
        ))}
      </div>
      {ALL_SCOPES.map((scope) => (
        <label key={scope} className={styles["scope"]}>
          <input type="checkbox" checked={scopes.includes(scope)} onChange={() => toggle(scope)} />
          <code>{scope}</code>
          <span>{SCOPES[scope]}</span>
        </label>
      ))}
    </fieldset>
  );
}
