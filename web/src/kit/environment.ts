/** The environment that lists and numbers are narrowed to, from the address; undefined: all. */
import { useCallback } from "react";
import { useNavigate, useSearch } from "@tanstack/react-router";

export function useEnvironment(): string | undefined {
  return useSearch({ from: "/shell" }).env;
}

export function useSetEnvironment(): (name: string | undefined) => void {
  const navigate = useNavigate();
  return useCallback((name) => void navigate({ to: ".", search: (old) => ({ ...old, env: name }) }), [navigate]);
}
