/** The few icons that carry meaning; drawn 16 by 16 in the colour of the text. */
const shapes = {
  ok: "M3.5 8.5l3 3 6-7",
  error: "M4.5 4.5l7 7m0-7l-7 7",
  truncated: "M2.5 8h4M9.5 8h.5M13 8h.5M9 4.5l-2 7",
  cancelled: "M4 8h8",
  score: "M8 2.500l1.700 3.500 3.800.500-2.800 2.700.700 3.800L8 11.200 4.600 13l.700-3.800L2.500 6.500 6.300 6z",
  copy: "M5.5 5.5v-3h8v8h-3m-8-5h8v8h-8z",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zm3.3-1.2l3.2 3.2",
  close: "M4.5 4.5l7 7m0-7l-7 7",
  right: "M6 3.5L10.5 8 6 12.5",
  down: "M3.5 6L8 10.5 12.5 6",
  up: "M5 7.5V13h6l1.5-5H9V3.5c-1.5 0-1.5 2-2 3zM5 7.5H3V13h2",
  thumbDown: "M5 8.5V3h6l1.5 5H9v4.500c-1.500 0-1.500-2-2-3zM5 8.500H3V3h2",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1.500v1.500M8 13v1.500M1.500 8H3M13 8h1.500M3.400 3.400l1 1M11.600 11.600l1 1M12.600 3.400l-1 1M4.400 11.600l-1 1",
  moon: "M13 9.500A5.500 5.500 0 0 1 6.500 3a5.500 5.500 0 1 0 6.500 6.500z",
  system: "M2.500 3.500h11v7.500h-11zM6 13.500h4",
  overview: "M2.500 13.500h11M4 11V8m4 3V4m4 7V6",
  traces: "M2.500 4h7M4.500 8h9M7.500 12h4",
  models: "M8 2l5.500 3v6L8 14l-5.500-3V5zM2.500 5L8 8l5.500-3M8 8v6",
  keys: "M9.500 9a3.500 3.500 0 1 0-2.700-1.300L2.500 12v1.500h2V12H6l1.500-1.500",
  batches: "M2.500 4.500h11v7.500h-11zM5 2.500h6M4.500 7h7M4.500 9.500h4",
  changes: "M8 4.500V8l2.500 1.500M3 8a5 5 0 1 0 1.500-3.500M3 2.500V5h2.500",
  start: "M3 8h9M8.500 4.500L12 8l-3.500 3.500",
  back: "M9.500 3.500L5 8l4.500 4.500",
  link: "M6.500 9.500l3-3M7 5l1.500-1.500a2.500 2.500 0 0 1 3.500 3.500L10.500 8.500M9 11l-1.500 1.500A2.500 2.500 0 0 1 4 9l1.500-1.500",
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  );
}
