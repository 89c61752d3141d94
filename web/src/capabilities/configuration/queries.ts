/** The configuration in force, and the request to reload it. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/client/client";
import type { Configuration, Reload } from "@/client/types";

export const configurationQuery = queryOptions({
  queryKey: ["configuration"],
  queryFn: (): Promise<Configuration> => body(api.GET("/api/config")),
  staleTime: 15_000,
  refetchInterval: 30_000,
});

/** Reads the file again; models and routes may be others afterwards. */
export function useReload() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (): Promise<Reload> => body(api.POST("/api/config/reload")),
    onSuccess: async ({ configuration }) => {
      queries.setQueryData(configurationQuery.queryKey, configuration);
      await Promise.all(["models", "providers", "events"].map((key) => queries.invalidateQueries({ queryKey: [key] })));
    },
  });
}
