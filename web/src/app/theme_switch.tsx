/** System, light or dark; kept in this browser. */
import { ToggleButton } from "react-aria-components/ToggleButton";
import { ToggleButtonGroup } from "react-aria-components/ToggleButtonGroup";
import { Icon } from "@/kit/icons";
import { chooseTheme, useThemeChoice, type ThemeChoice } from "@/kit/theme";
import styles from "./theme_switch.module.css";

const choices: { id: ThemeChoice; title: string; icon: "system" | "sun" | "moon" }[] = [
  { id: "system", title: "System theme", icon: "system" },
  { id: "light", title: "Light theme", icon: "sun" },
  { id: "dark", title: "Dark theme", icon: "moon" },
];

export function ThemeSwitch() {
  const choice = useThemeChoice();
  return (
    <ToggleButtonGroup
      aria-label="Theme" className={styles["group"]} selectionMode="single" disallowEmptySelection selectedKeys={[choice]}
      onSelectionChange={(keys) => {
        const picked = choices.find(({ id }) => keys.has(id));
        if (picked) chooseTheme(picked.id);
      }}
    >
      {choices.map(({ id, title, icon }) => (
        <ToggleButton key={id} id={id} aria-label={title} className={styles["choice"]}>
          <Icon name={icon} />
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}
