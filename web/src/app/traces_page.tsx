/** The list of traces, or the way to the first one. */
import { useQuery } from "@tanstack/react-query";
import { newestTraceQuery } from "@/capabilities/traces/queries";
import { TraceList } from "@/capabilities/traces/page";
import { Skeleton } from "@/kit/states";
import { ConnectPage } from "./start/page";

export function TracesPage() {
  const newest = useQuery(newestTraceQuery(false));
  if (newest.isPending) return <Skeleton rows={14} />;
  return <TraceList firstRun={<ConnectPage />} hasAny={newest.isError || newest.data !== null} />;
}
