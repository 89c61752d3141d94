/** The filter as text, the usual views as buttons, and the words that the text may hold. */
import { useQuery } from "@tanstack/react-query";
import { useState, type FormEvent, type KeyboardEvent, type RefObject } from "react";
import { Button } from "@/kit/button";
import { Icon } from "@/kit/icons";
import { factsQuery } from "../queries";
import styles from "./filter_bar.module.css";

interface Props {
  filter: string;
  onFilter: (text: string) => void;
  error: string | undefined;
  inputRef: RefObject<HTMLInputElement | null>;
}

const views = [
  { title: "Errors", filter: "status:error" },
  { title: "Truncated", filter: "status:truncated" },
  { title: "Slow", filter: "duration:>5s" },
  { title: "Expensive", filter: "cost:>0.01" },
];

const words: [string, string][] = [
  ["status:error", "ok, error, truncated, cancelled"],
  ["model:gpt-*", "provider:openai, route:fast; * is any text"],
  ["user:u1", "session:, tag:, name:\"docs bot\""],
  ["duration:>2s", "cost:>0.01, tokens:>1000"],
  ["score.helpful:<1", "any score by its name"],
  ["attr.plan:pro", "any attribute of a span by its name"],
  ["\"free words\"", "text of the first question and the answer"],
  ["a b, a OR b, NOT a", "all, any, none; with parentheses"],
];

export function FilterBar({ filter, onFilter, error, inputRef }: Props) {
  const [text, setText] = useState(filter);
  const [isFocused, setFocused] = useState(false);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onFilter(text);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key !== "Escape") return;
    setText(filter);
    event.currentTarget.blur();
  };
  return (
    <form role="search" className={styles["bar"]} onSubmit={submit}>
      <div className={styles["field"]} data-bad={error !== undefined || undefined}>
        <Icon name="search" />
        <input
          ref={inputRef} value={text} spellCheck={false} autoComplete="off" aria-label="Filter" aria-invalid={error !== undefined}
          aria-describedby={error === undefined ? undefined : "filter-error"} placeholder="Filter: status:error model:gpt-6.1-terra duration:>2s"
          onChange={(event) => setText(event.target.value)} onKeyDown={onKeyDown}
          onFocus={() => setFocused(true)} onBlur={() => setFocused(false)}
        />
        {text !== "" && (
          <Button kind="bare" aria-label="Clear the filter" onPress={() => onFilter("")}>
            <Icon name="close" />
          </Button>
        )}
        {isFocused && error === undefined && <Words />}
      </div>
      <div className={styles["views"]}>
        {views.map((view) => (
          <Button key={view.filter} kind="bare" aria-pressed={filter === view.filter} onPress={() => onFilter(filter === view.filter ? "" : view.filter)}>
            {view.title}
          </Button>
        ))}
      </div>
      {error !== undefined && <p id="filter-error" role="alert" className={styles["error"]}>{error}</p>}
    </form>
  );
}

function Words() {
  const facts = useQuery(factsQuery).data ?? [];
  const fields = facts.map(({ name, kind, description }): [string, string] => [`${name}:${kind === "number" ? ">0" : kind === "flag" ? "true" : "*"}`, description.replaceAll("`", "")]);
  return (
    <dl className={styles["words"]}>
      {[...words, ...fields].map(([example, note]) => (
        <div key={example}>
          <dt><code>{example}</code></dt>
          <dd>{note}</dd>
        </div>
      ))}
    </dl>
  );
}
