/** The picker bound to the address: the range travels with the reader from page to page. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { DEFAULT_SINCE, type TimeRange } from "./time_range";
import { TimeRangePicker } from "./time_range_picker";

/** `fallback` holds as long as the address names no range. */
export function usePageRange(fallback: string = DEFAULT_SINCE): TimeRange {
  const { since, until } = useSearch({ from: "/shell" });
  return until === undefined ? { since: since ?? fallback } : { since: since ?? DEFAULT_SINCE, until };
}

export function useSetPageRange(): (range: TimeRange) => void {
  const navigate = useNavigate();
  return ({ since, until }) => {
    void navigate({ to: ".", search: (old) => ({ ...old, since, until }) });
  };
}

export function PageRange({ fallback }: { fallback?: string }) {
  return <TimeRangePicker range={usePageRange(fallback)} onChange={useSetPageRange()} />;
}
