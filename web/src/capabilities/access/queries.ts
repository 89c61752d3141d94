/** Sessions and keys, as the server knows them. */
import { queryOptions, useMutation, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
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

const KEYS = ["keys"];

export const keysQuery = (environment?: string) =>
  queryOptions({
    queryKey: [...KEYS, environment],
    queryFn: async (): Promise<KeyItem[]> => (await body(api.GET("/api/keys", { params: { query: environment ? { environment } : {} } }))).items,
  });

/** The environments that are configured or that a key belongs to. */
export const environmentsQuery = queryOptions({
  queryKey: ["environments"],
  queryFn: async (): Promise<string[]> => (await body(api.GET("/api/environments"))).items.map(({ name }) => name),
  staleTime: 60_000,
});

/** Trades the token of a sign-in link for a session cookie. */
export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (token: string) => body(api.POST("/api/session", { body: { token } })),
    onSuccess: () => {
      queries.setQueryData(signedOutKey, false);
      return queries.invalidateQueries();
    },
  });
}

/** Holds `true` from the moment somebody signed out until the next sign-in. */
export const signedOutKey = ["signed out"];

/** Drops everything that was read, so that nothing of it stands on the page or behind the back button. */
function forget(queries: QueryClient): void {
  rememberCsrfToken("");
  // The session goes first: what is cleared while its page still stands would be asked for again.
  queries.setQueryData(signedOutKey, true);
  queries.setQueryData(sessionQuery.queryKey, null);
  queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" && queryKey[0] !== signedOutKey[0] });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => body(api.DELETE("/api/session")),
    // A session that ended already is signed out, too.
    onError: (error) => {
      if (error instanceof Problem && error.status === 401) forget(queries);
    },
    onSuccess: () => {
      forget(queries);
      tellOtherTabs();
    },
  });
}

const CHANNEL = "sternpost-session";

function tellOtherTabs(): void {
  const channel = new BroadcastChannel(CHANNEL);
  // A channel has no target origin: it reaches this origin alone.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  channel.postMessage("signed out");
  channel.close();
}

/** Signs out with the tab in which somebody did. */
export function useSignOutElsewhere(): void {
  const queries = useQueryClient();
  useEffect(() => {
    const channel = new BroadcastChannel(CHANNEL);
    channel.addEventListener("message", () => forget(queries));
    return () => channel.close();
  }, [queries]);
}

export function useCreateKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (key: NewKey): Promise<CreatedKey> => body(api.POST("/api/keys", { body: key })),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEYS }),
  });
}

export function useRevokeKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (keyId: string) => body(api.POST("/api/keys/{key_id}/revoke", { params: { path: { key_id: keyId } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEYS }),
  });
}
