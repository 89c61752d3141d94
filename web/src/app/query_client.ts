/** The cache of server state; a lost session anywhere sends the reader to the sign-in page. */
import { QueryCache, QueryClient } from "@tanstack/react-query";
import { Problem } from "@/client/client";

export const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      if (error instanceof Problem && error.status === 401) queries.setQueryData(["session"], null);
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 5000,
      retry: (failures, error) => failures < 2 && error instanceof Problem && (error.status === 0 || error.status >= 500),
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});
