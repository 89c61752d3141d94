/** The catalogue of models and providers, as the server knows it. */
import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/client/client";
import type { ModelItem, ProviderItem } from "@/client/types";

async function readModels(): Promise<ModelItem[]> {
  return (await body(api.GET("/api/models"))).items;
}

async function readProviders(): Promise<ProviderItem[]> {
  return (await body(api.GET("/api/providers"))).items;
}

export const modelsQuery = queryOptions({ queryKey: ["models"], queryFn: readModels, staleTime: 60_000 });
export const providersQuery = queryOptions({ queryKey: ["providers"], queryFn: readProviders, staleTime: 60_000 });
