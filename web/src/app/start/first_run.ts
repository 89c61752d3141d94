/** Whether this Sternpost has never recorded anything. */
import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { newestTraceQuery } from "@/capabilities/traces/queries";

/**
 * `first` stays until the reader leaves the page: when the call arrives, a key that is shown this once must not
 * vanish with it. A failed question counts as `no`, so that the page itself can say what is wrong.
 */
export function useFirstRun(): "unknown" | "first" | "no" {
  const newest = useQuery(newestTraceQuery(false));
  const [isFirst, setFirst] = useState(false);
  if (newest.isSuccess && newest.data === null && !isFirst) setFirst(true);
  if (isFirst) return "first";
  return newest.isPending ? "unknown" : "no";
}
