/** Reads a trace, and the page that shows it, a moment before the reader opens it. */
import { useCallback, useEffect, useRef } from "react";
import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { traceQuery } from "./queries";

const PAUSE_MS = 60; // a pointer that only passes, or a held key, asks for nothing

export function useWarmTrace(): (traceId: string) => void {
  const queries = useQueryClient();
  const router = useRouter();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(
    (traceId) => {
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        void queries.prefetchQuery(traceQuery(traceId));
        void router.preloadRoute({ to: "/traces/$traceId", params: { traceId } });
      }, PAUSE_MS);
    },
    [queries, router],
  );
}
