/** What a batch cost so far, and what of it is not known. */
import type { BatchItem } from "@/client/types";
import { count, money, plural } from "@/kit/format";
import table from "@/kit/table.module.css";

export function BatchCost({ batch, isShort = false }: { batch: BatchItem; isShort?: boolean }) {
  const { cost_usd: usd, unknown_costs: unknown } = batch;
  if (batch.completed === 0) return <span className={table["faint"]}>-</span>;
  return (
    <span title={usd ? `$${usd}` : "no price is known for these lines; it is not 0"}>
      {money(usd)}
      {unknown > 0 && usd !== null && <span className={table["faint"]}> + {isShort ? count(unknown) : plural(unknown, "line")} unknown</span>}
    </span>
  );
}
