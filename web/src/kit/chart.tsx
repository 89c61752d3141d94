/** A time series: lines or bars, a sentence and a table for those who can't see it, drag to choose a range. */
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useTheme } from "./theme";
import styles from "./chart.module.css";

export interface Series {
  title: string;
  /** Number of its colour, 1 to 6, or "bad". */
  colour: number | "bad";
  values: (number | null)[];
  isDashed?: boolean;
  isBars?: boolean;
}

interface Props {
  label: string;
  summary: string;
  /** Seconds since 1970. */
  times: number[];
  series: Series[];
  format: (value: number | null | undefined) => string;
  onRange: (sinceS: number, untilS: number) => void;
  sync: string;
  /** Width of one step; a value at `t` counts what happened from `t` to `t + stepS`. */
  stepS: number;
}

const HEIGHT = 150;

function paint(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const colourOf = (colour: Series["colour"]): string => paint(colour === "bad" ? "--bad" : `--series-${colour}`);

function axes(format: Props["format"]): uPlot.Axis[] {
  const shared = { stroke: paint("--text-3"), font: `11px ${paint("--sans")}`, ticks: { show: false } };
  const grid = { stroke: paint("--line"), width: 1 };
  return [
    { ...shared, grid: { show: false }, size: 24, space: 70, values: timeLabels },
    { ...shared, grid, size: 62, space: 34, values: (chart, ticks) => (isFlat(chart) ? ticks.map((tick) => (tick === 0 ? format(0) : "")) : ticks.map((tick) => format(tick))) },
  ];
}

/** Nothing but zeros: then the marks above zero would claim a scale that is not there. */
function isFlat(chart: uPlot): boolean {
  return chart.data.slice(1).every((values) => [...values].every((value) => !value));
}

function timeLabels(chart: uPlot, ticks: number[]): string[] {
  const span = (chart.scales["x"]?.max ?? 0) - (chart.scales["x"]?.min ?? 0);
  const shape: Intl.DateTimeFormatOptions = span > 2 * 86_400 ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" };
  return ticks.map((tick) => new Date(tick * 1000).toLocaleString("en-GB", shape));
}

/** Values without a neighbour: no line leads to them, so a point has to show them. */
function isolated(values: uPlot.TypedArray | (number | null | undefined)[]): number[] {
  const isThere = (at: number): boolean => typeof values[at] === "number";
  return [...values.keys()].filter((at) => isThere(at) && !isThere(at - 1) && !isThere(at + 1));
}

function lines(series: Series[]): uPlot.Series[] {
  const bars = uPlot.paths.bars?.({ size: [0.8, 24], align: 0 });
  return series.map(({ title, colour, isDashed, isBars }) => ({
    label: title, stroke: colourOf(colour), width: isBars ? 0 : 1.5, points: isBars ? { show: false } : { show: false, size: 6, fill: colourOf(colour), filter: (chart, at) => isolated(chart.data[at] ?? []) }, spanGaps: false,
    ...(isBars ? { fill: colourOf(colour), ...(bars ? { paths: bars } : {}) } : {}),
    ...(isDashed ? { dash: [5, 4] } : {}),
  }));
}

export function Chart({ label, summary, times, series, format, onRange, sync, stepS }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  const latest = useRef({ onRange, format });
  useEffect(() => {
    latest.current = { onRange, format };
  });
  useEffect(() => {
    const home = place.current;
    if (!home) return undefined;
    const onSelect = (chart: uPlot): void => {
      if (chart.select.width < 4) return;
      // A step is drawn around its beginning, so its edges lie half a step beside.
      const edge = (left: number): number => chart.posToVal(left, "x") + stepS / 2;
      latest.current.onRange(edge(chart.select.left), edge(chart.select.left + chart.select.width));
      chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    };
    const shape = lines(series).map((one) => ({ ...one, value: (_: uPlot, value: number | null) => latest.current.format(value) }));
    const chart = new uPlot(
      {
        width: home.clientWidth, height: HEIGHT, padding: [8, 8, 0, 0], series: [{ value: (_, at) => (at ? new Date(at * 1000).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }) : "") }, ...shape],
        axes: axes((value) => latest.current.format(value)), cursor: { sync: { key: sync }, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
        scales: { x: { range: (_, min, max) => [min - stepS / 2, max + stepS / 2] }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.12 : 1] } }, legend: { live: true }, hooks: { setSelect: [onSelect] },
      },
      [times, ...series.map(({ values }) => values)],
      home,
    );
    const watcher = new ResizeObserver(() => chart.setSize({ width: home.clientWidth, height: HEIGHT }));
    watcher.observe(home);
    return () => {
      watcher.disconnect();
      chart.destroy();
    };
    // The colours are read from the tokens, so a change of theme draws anew.
    // oxlint-disable-next-line react/exhaustive-effect-dependencies
  }, [times, series, theme, sync, stepS]);
  return (
    <figure className={styles["chart"]}>
      <div ref={place} role="img" aria-label={`${label}. ${summary}`} />
      <details className={styles["table"]}>
        <summary>Show as table</summary>
        <DataTable label={label} times={times} series={series} format={format} />
      </details>
    </figure>
  );
}

function DataTable({ label, times, series, format }: Pick<Props, "label" | "times" | "series" | "format">) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div tabIndex={0} role="region" aria-label={`${label}, table`} className={styles["scroll"]}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map(({ title }) => <th key={title} scope="col">{title}</th>)}
          </tr>
        </thead>
        <tbody>
          {times.map((at, index) => (
            <tr key={at}>
              <th scope="row">{new Date(at * 1000).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" })}</th>
              {series.map(({ title, values }) => <td key={title}>{format(values[index])}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
