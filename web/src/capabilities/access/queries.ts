/** Sessions and keys, as the server knows them. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body, Problem, rememberCsrfToken } from "@/client/client";
import type { CreatedKey, KeyItem, NewKey, Session } from "@/client/types";

async function readSession(): Promise<Session | null> {
  try {
    const session: Session = await body(api.GET("/api/session"));
    rememberCsrfToken(session.csrf_token);
    return session;
  } catch (error) {
    if (error instanceof Problem && error.status === 401) return null;
    throw error;
  }
}

/** The session; `null` when nobody is signed in. */
export const sessionQuery = queryOptions({ queryKey: ["session"], queryFn: readSession, staleTime: 60_000, retry: 1 });

async function readKeys(): Promise<KeyItem[]> {
  return (await body(api.GET("/api/keys"))).items;
}

export const keysQuery = queryOptions({ queryKey: ["keys"], queryFn: readKeys });

/** Trades the token of a sign-in link for a session cookie. */
export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (token: string) => body(api.POST("/api/session", { body: { token } })),
    onSuccess: () => queries.invalidateQueries(),
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => body(api.DELETE("/api/session")),
    onSuccess: () => {
      queries.clear();
      queries.setQueryData(sessionQuery.queryKey, null);
    },
  });
}

export function useCreateKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (key: NewKey): Promise<CreatedKey> => body(api.POST("/api/keys", { body: key })),
    onSuccess: () => queries.invalidateQueries(keysQuery),
  });
}

export function useRevokeKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (keyId: string) => body(api.POST("/api/keys/{key_id}/revoke", { params: { path: { key_id: keyId } } })),
    onSuccess: () => queries.invalidateQueries(keysQuery),
  });
}
