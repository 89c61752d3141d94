/** How Sternpost itself is, as the server says. */
import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/client/client";
import type { Status } from "@/client/types";

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: (): Promise<Status> => body(api.GET("/api/status")),
  staleTime: 60_000,
});
