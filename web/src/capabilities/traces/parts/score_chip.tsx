/** One score in few letters: its name and what it says. */
import { Icon } from "@/kit/icons";
import styles from "./score_chip.module.css";

interface Props {
  score: { name: string; value?: number | null | undefined; label?: string | null | undefined; kind?: string; explanation?: string | null | undefined };
}

function reading({ value, label, kind }: Props["score"]): string {
  if (label) return label;
  if (value === null || value === undefined) return "unscored";
  if (kind === "boolean") return value === 1 ? "yes" : "no";
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

export function ScoreChip({ score }: Props) {
  const text = reading(score);
  return (
    <span className={styles["chip"]} title={`${score.name}: ${text}${score.explanation ? `. ${score.explanation}` : ""}`}>
      <span>{score.name}</span> <strong>{text}</strong>
    </span>
  );
}

/** The scores of a row in the width of a word: the first one's reading, the names and the others on hover. */
export function ScoreSummary({ scores }: { scores: Props["score"][] }) {
  const [first, ...others] = scores;
  if (!first) return null;
  return (
    <span className={styles["chip"]} title={scores.map((score) => `${score.name}: ${reading(score)}`).join(", ")}>
      <Icon name="score" />
      <span className="hidden">{first.name}</span> <strong>{reading(first)}</strong>
      {others.length > 0 && <span>+{others.length}</span>}
    </span>
  );
}
