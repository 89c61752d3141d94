/** The catalogue of models and providers, as the server knows it. */
import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/client/client";
import type { ModelItem, ProviderItem } from "@/client/types";

const PAGE = 1000;

function readPage(cursor: string) {
  return body(api.GET("/api/models", { params: { query: { limit: PAGE, cursor } } }));
}

/** Reads every page: the catalogue has some hundred models, and the search is over all of them. */
async function readModels(): Promise<ModelItem[]> {
  const items: ModelItem[] = [];
  for (let cursor: string | null | undefined = ""; cursor !== null && cursor !== undefined; ) {
    const page = await readPage(cursor);
    items.push(...page.items);
    cursor = page.next_cursor;
  }
  return items;
}

async function readProviders(): Promise<ProviderItem[]> {
  return (await body(api.GET("/api/providers", { params: { query: { limit: PAGE } } }))).items;
}

export const modelsQuery = queryOptions({ queryKey: ["models"], queryFn: readModels, staleTime: 60_000 });
export const providersQuery = queryOptions({ queryKey: ["providers"], queryFn: readProviders, staleTime: 60_000 });
