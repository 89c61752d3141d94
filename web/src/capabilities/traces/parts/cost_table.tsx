/** The arithmetic behind a cost: tokens of each class, times its price, and the sum. */
import { costNote, count, exactMoney, money, MISSING } from "@/kit/format";
import { costLines } from "../cost_lines";
import styles from "./cost_table.module.css";

interface Props {
  usage: Record<string, number>;
  parts: Record<string, string>;
  usd: string | null | undefined;
  status: string | null | undefined;
}

export function CostTable({ usage, parts, usd, status }: Props) {
  const lines = costLines(usage, parts);
  return (
    <table className={styles["table"]}>
      <caption>Tokens and cost</caption>
      <thead>
        <tr>
          <th scope="col">Class</th>
          <th scope="col">Tokens</th>
          <th scope="col">$ per 1 M</th>
          <th scope="col">Cost</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.bucket}>
            <th scope="row">{line.title}</th>
            <td>{count(line.tokens)}</td>
            <td>{line.pricePerMillion ?? MISSING}</td>
            <td title={line.usd === null ? "no price is known for this class" : undefined}>{line.usd === null ? MISSING : exactMoney(line.usd)}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">Sum</th>
          <td>{count(lines.reduce((sum, { tokens }) => sum + tokens, 0))}</td>
          <td />
          <td title={costNote(usd, status)}>{usd && status !== "unknown" ? exactMoney(usd) : money(usd, status)}</td>
        </tr>
      </tfoot>
    </table>
  );
}
