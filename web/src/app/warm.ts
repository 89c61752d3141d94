/** Asks at once for what every signed-in page waits for, instead of one answer after the other. */
import { sessionQuery } from "@/capabilities/access/queries";
import { anyTraceQuery, BEFORE_LAST_HOUR, newestTraceQuery } from "@/capabilities/traces/queries";
import { basePath } from "@/client/base";
import { queries } from "./query_client";

export function warmStart(): void {
  const place = window.location.pathname.slice(basePath.length);
  if (place.startsWith("/sign-in")) return; // no session yet, or one that is about to change
  void queries.prefetchQuery(sessionQuery);
  if (place === "/" || place === "/traces") void queries.prefetchQuery(newestTraceQuery(false));
  if (place === "/") void queries.prefetchQuery(anyTraceQuery(BEFORE_LAST_HOUR));
}
