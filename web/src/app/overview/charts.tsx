/** The four series of the overview, on one clock. */
import { useMemo } from "react";
import type { OverviewPoint } from "@/client/types";
import { Chart, type Series } from "@/kit/chart";
import { count, duration, money, plural, stepTitle, zone } from "@/kit/format";
import styles from "./page.module.css";

interface Props {
  series: OverviewPoint[];
  unknownCosts: number;
  stepS: number;
  onRange: (sinceS: number, untilS: number) => void;
}

interface Panel {
  title: string;
  summary: string;
  series: Series[];
  format: (value: number | null | undefined) => string;
  /** Said in place of a drawing that would be empty. */
  nothing?: string | undefined;
}

function column(series: OverviewPoint[], read: (point: OverviewPoint) => number | null | undefined): (number | null)[] {
  return series.map((point) => read(point) ?? null);
}

function highest(values: (number | null)[]): number | null {
  return values.reduce<number | null>((top, value) => (value !== null && (top === null || value > top) ? value : top), null);
}

const dollars = (value: number | null | undefined): string => (value === null || value === undefined ? "-" : money(String(value)));

function withoutCost(costs: (number | null)[], unknown: number): string | undefined {
  if (costs.some((cost) => cost !== null && cost > 0)) return undefined;
  return unknown > 0 ? `No known cost; ${plural(unknown, "call")} of unknown cost` : "All calls free";
}

function panels(series: OverviewPoint[], unknownCosts: number): Panel[] {
  const calls = column(series, (point) => point.calls);
  const errors = column(series, (point) => point.errors);
  const cost = column(series, (point) => (point.cost_usd ? Number(point.cost_usd) : null));
  const p95 = column(series, (point) => point.latency_p95_ms);
  return [
    {
      title: "Calls and errors", summary: `At most ${count(highest(calls))} calls and ${count(highest(errors))} errors in one step.`, format: count,
      series: [{ title: "Calls", colour: 1, values: calls, isBars: true }, { title: "Errors", colour: "bad", values: errors, isBars: true }],
    },
    {
      title: "Latency", summary: `The highest P95 is ${duration(highest(p95))}.`, format: duration,
      series: [{ title: "P50", colour: 1, values: column(series, (point) => point.latency_p50_ms) }, { title: "P95", colour: 2, values: p95, isDashed: true }],
    },
    { title: "Cost", summary: `At most ${dollars(highest(cost))} in one step.`, format: dollars, nothing: withoutCost(cost, unknownCosts), series: [{ title: "US dollars", colour: 3, values: cost, isBars: true }] },
    {
      title: "Tokens", summary: `At most ${count(highest(column(series, (point) => point.input_tokens)))} input tokens in one step.`, format: count,
      series: [
        { title: "Input", colour: 1, values: column(series, (point) => point.input_tokens) },
        { title: "Output", colour: 4, values: column(series, (point) => point.output_tokens), isDashed: true },
      ],
    },
  ];
}

export function Charts({ series, unknownCosts, stepS, onRange }: Props) {
  const times = useMemo(() => series.map(({ at }) => Date.parse(at) / 1000), [series]);
  const drawn = useMemo(() => panels(series, unknownCosts), [series, unknownCosts]);
  return (
    <div className={styles["charts"]}>
      {drawn.map((panel) => (
        <section key={panel.title} className={styles["panel"]}>
          <h2>{panel.title} <span>per {stepTitle(stepS)}, in {zone()}</span></h2>
          {panel.nothing !== undefined && <p className={styles["nothing"]}>{panel.nothing}</p>}
          {panel.nothing === undefined && (
            <Chart label={panel.title} summary={panel.summary} times={times} series={panel.series} format={panel.format} onRange={onRange} sync="overview" stepS={stepS} />
          )}
        </section>
      ))}
    </div>
  );
}
