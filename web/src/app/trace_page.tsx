/** One trace, with the explanation of each span's cost. */
import { CostExplanationPanel } from "@/capabilities/cost/parts/cost_explanation";
import { TraceView, type ExplainCost } from "@/capabilities/traces/trace_page";

const explainCost: ExplainCost = (traceId, spanId) => <CostExplanationPanel key={spanId} traceId={traceId} spanId={spanId} />;

export function TracePage() {
  return <TraceView explainCost={explainCost} />;
}
