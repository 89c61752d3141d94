/** Changes, as the server knows them, and the stream that says when there are new ones. */
import { useEffect } from "react";
import { infiniteQueryOptions, useQueryClient } from "@tanstack/react-query";
import { basePath } from "@/client/base";
import { api, body } from "@/client/client";

const PAGE = 50;

/** A family of kinds, e.g. `key.`; empty for all. */
export const eventPagesQuery = (family: string, environment?: string) =>
  infiniteQueryOptions({
    queryKey: ["events", "pages", family, environment],
    queryFn: ({ pageParam }) =>
      body(api.GET("/api/events", { params: { query: { limit: PAGE, cursor: pageParam, ...(family && { kind: [family] }), ...(environment && { environment }) } } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });

/** Reads the list again when a change is committed; nothing is asked for while the page is hidden. */
export function useLiveEvents(): void {
  const queries = useQueryClient();
  useEffect(() => {
    let source: EventSource | undefined;
    const follow = (): void => {
      source?.close();
      source = undefined;
      if (document.hidden) return;
      source = new EventSource(`${basePath}/api/events`);
      source.addEventListener("change", () => void queries.invalidateQueries({ queryKey: ["events"] }));
    };
    const onVisibility = (): void => {
      follow();
      if (!document.hidden) void queries.invalidateQueries({ queryKey: ["events"] });
    };
    follow();
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      source?.close();
    };
  }, [queries]);
}
