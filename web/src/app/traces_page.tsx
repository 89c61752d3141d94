/** The list of traces, or the way to the first one. */
import { TraceList } from "@/capabilities/traces/page";
import { Skeleton } from "@/kit/states";
import { useFirstRun } from "./start/first_run";
import { ConnectPage } from "./start/page";

export function TracesPage() {
  const firstRun = useFirstRun();
  if (firstRun === "unknown") return <Skeleton rows={14} />;
  return firstRun === "first" ? <ConnectPage isFirst /> : <TraceList />;
}
