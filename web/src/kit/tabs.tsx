/** Tabs over one selection. */
import type { ReactNode } from "react";
import { Tab, TabList, TabPanel, Tabs as AriaTabs, type Key } from "react-aria-components/Tabs";
import styles from "./tabs.module.css";

interface Props {
  label: string;
  tabs: { id: string; title: string; content: ReactNode }[];
  selected?: string;
  onSelect?: (id: string) => void;
}

export function Tabs({ label, tabs, selected, onSelect }: Props) {
  const controlled = selected === undefined ? {} : { selectedKey: selected };
  return (
    <AriaTabs className={styles["tabs"]} {...controlled} onSelectionChange={(key: Key) => onSelect?.(String(key))}>
      <TabList aria-label={label} className={styles["list"]}>
        {tabs.map((tab) => (
          <Tab key={tab.id} id={tab.id} className={styles["tab"]}>
            {tab.title}
          </Tab>
        ))}
      </TabList>
      {tabs.map((tab) => (
        <TabPanel key={tab.id} id={tab.id} className={styles["panel"]}>
          {tab.content}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}
