/** Chooses the time range of a page: a preset, or two moments of one's own. */
import { useState, type FormEvent } from "react";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Icon } from "./icons";
import { Menu } from "./menu";
import { PRESETS, resolve, titleOf, type TimeRange } from "./time_range";
import styles from "./time_range_picker.module.css";

interface Props {
  range: TimeRange;
  onChange: (range: TimeRange) => void;
}

export function TimeRangePicker({ range, onChange }: Props) {
  const [isCustom, setCustom] = useState(false);
  const choose = (id: string): void => (id === "custom" ? setCustom(true) : onChange({ since: id }));
  const choices = [...PRESETS.map(({ since, title }) => ({ id: since, title })), { id: "custom", title: "Other range" }];
  return (
    <>
      <Menu
        label={`Time range: ${titleOf(range)}`} choices={choices} onChoose={choose} selected={range.until === undefined ? range.since : "custom"}
        button={
          <>
            {titleOf(range)} <Icon name="down" />
          </>
        }
      />
      <Dialog title="Time range" isOpen={isCustom} onClose={() => setCustom(false)}>
        <Custom
          range={range}
          onChange={(chosen) => {
            setCustom(false);
            onChange(chosen);
          }}
        />
      </Dialog>
    </>
  );
}

function local(moment: number): string {
  return new Date(moment - new Date(moment).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function Custom({ range, onChange }: Props) {
  const [now] = useState(() => Date.now());
  const [since, setSince] = useState(() => local(resolve(range.since, now)));
  const [until, setUntil] = useState(() => local(resolve(range.until ?? "now-0s", now)));
  const isBackwards = since >= until;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!isBackwards) onChange({ since: new Date(since).toISOString(), until: new Date(until).toISOString() });
  };
  return (
    <form className={styles["form"]} onSubmit={submit}>
      <label>
        From
        <input type="datetime-local" value={since} required onChange={(event) => setSince(event.target.value)} />
      </label>
      <label>
        To
        <input type="datetime-local" value={until} required onChange={(event) => setUntil(event.target.value)} />
      </label>
      {isBackwards && <p role="alert" className={styles["bad"]}>The end is before the start.</p>}
      <Button type="submit" kind="main" isDisabled={isBackwards}>Show this range</Button>
    </form>
  );
}
