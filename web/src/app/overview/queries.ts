/** The sums and series of the overview, as the server knows them. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, body } from "@/client/client";
import type { Overview } from "@/client/types";

export const overviewQuery = (since: string, until: string | undefined, stepS: number, environment?: string) =>
  queryOptions({
    queryKey: ["overview", since, until, stepS, environment],
    queryFn: (): Promise<Overview> =>
      body(api.GET("/api/overview", { params: { query: { since, step: `${stepS}s`, ...(until === undefined ? {} : { until }), ...(environment && { environment }) } } })),
    placeholderData: keepPreviousData,
    refetchInterval: until === undefined ? 10_000 : false,
  });
