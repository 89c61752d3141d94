/** What the palette can do, and which of it matches some words. */
import type { NavigateOptions } from "@tanstack/react-router";
import { useQuery } from "@tanstack/react-query";
import { environmentsQuery, useSignOut } from "@/capabilities/access/queries";
import { useSetEnvironment } from "@/kit/environment";
import { chooseTheme } from "@/kit/theme";
import { pages } from "./pages";

export interface Command {
  title: string;
  note: string;
  words: string;
  to?: NavigateOptions;
  act?: () => void;
}

const views: Command[] = [
  { title: "Traces with errors", note: "status:error", words: "failed", to: { to: "/traces", search: { filter: "status:error" } } },
  { title: "Truncated traces", note: "status:truncated", words: "cut stream", to: { to: "/traces", search: { filter: "status:truncated" } } },
  { title: "Slow traces", note: "duration:>5s", words: "latency", to: { to: "/traces", search: { filter: "duration:>5s" } } },
  { title: "Expensive traces", note: "cost:>0.01", words: "money", to: { to: "/traces", search: { filter: "cost:>0.01" } } },
];

/** The commands that hold all the words; with an id or other words, a trace or a filter as well. */
export function matching(commands: Command[], words: string): Command[] {
  const asked = words.trim().toLowerCase();
  const parts = asked.split(/\s+/);
  const found = commands.filter(({ title, note, words: more }) => {
    const text = `${title} ${note} ${more}`.toLowerCase();
    return parts.every((part) => text.includes(part));
  });
  if (/^[0-9a-f]{32}$/.test(asked))
    found.unshift({ title: `Open trace ${asked}`, note: "trace", words: "", to: { to: "/traces/$traceId", params: { traceId: asked } } });
  else if (asked !== "")
    found.push({ title: `Filter traces by ${words.trim()}`, note: "filter", words: "", to: { to: "/traces", search: { filter: words.trim() } } });
  return found;
}

export function useCommands(words: string, onShortcuts: () => void): Command[] {
  const signOut = useSignOut();
  const environments = useQuery(environmentsQuery).data ?? [];
  const choose = useSetEnvironment();
  const all: Command[] = [
    ...pages.map(({ to, title, letter, words: more }) => ({ title, note: `g ${letter}`, words: more, to: { to } })),
    ...views,
    { title: "All environments", note: "environment", words: "switch", act: () => choose(undefined) },
    ...environments.map((name) => ({ title: `Only ${name}`, note: "environment", words: "switch", act: () => choose(name) })),
    { title: "Light theme", note: "theme", words: "appearance", act: () => chooseTheme("light") },
    { title: "Dark theme", note: "theme", words: "appearance", act: () => chooseTheme("dark") },
    { title: "System theme", note: "theme", words: "appearance", act: () => chooseTheme("system") },
    { title: "Keyboard shortcuts", note: "?", words: "help keys", act: onShortcuts },
    { title: "Sign out", note: "account", words: "log out leave", act: () => signOut.mutate() },
  ];
  return matching(all, words);
}
