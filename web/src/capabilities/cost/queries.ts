/** How a cost came about, as the server knows it. */
import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/client/client";
import type { CostExplanation } from "@/client/types";

export const costQuery = (traceId: string, spanId: string) =>
  queryOptions({
    queryKey: ["cost", traceId, spanId],
    queryFn: (): Promise<CostExplanation> =>
      body(api.GET("/api/cost/spans/{span_id}", { params: { path: { span_id: spanId }, query: { trace_id: traceId } } })),
    retry: false,
  });
