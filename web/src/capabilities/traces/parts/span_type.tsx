/** What kind of work a span is: a mark in its colour and always the word. */
import styles from "./span_type.module.css";

const words: Record<string, string> = {
  llm: "Model call", gateway: "Gateway", attempt: "Attempt", embedding: "Embedding", retriever: "Retrieval", reranker: "Rerank", tool: "Tool",
  agent: "Agent", workflow: "Workflow", chain: "Chain", guardrail: "Guardrail", evaluator: "Evaluator", prompt: "Prompt",
  cache: "Cache", memory: "Memory", plan: "Plan", approval: "Approval", event: "Event",
};
const series: Record<string, number> = { llm: 1, gateway: 1, attempt: 1, tool: 2, retriever: 3, agent: 4, guardrail: 5 };

export const typeColour = (type: string): string => `var(--series-${series[type] ?? 6})`;

export function SpanType({ type }: { type: string }) {
  return (
    <span className={styles["type"]}>
      <span className={styles["mark"]} style={{ background: typeColour(type) }} aria-hidden="true" />
      {words[type] ?? type}
    </span>
  );
}
