/** The pages that exist, in the order of the rail; `letter` goes there after `g`. */
import type { IconName } from "@/kit/icons";

interface PageEntry {
  to: "/" | "/traces" | "/models" | "/batches" | "/keys" | "/changes" | "/connect";
  title: string;
  letter: string;
  icon: IconName;
  words: string;
}

export const pages: readonly PageEntry[] = [
  { to: "/", title: "Overview", letter: "o", icon: "overview", words: "calls errors cost tokens latency home" },
  { to: "/traces", title: "Traces", letter: "t", icon: "traces", words: "calls spans list search filter" },
  { to: "/models", title: "Models", letter: "m", icon: "models", words: "providers routes catalogue" },
  { to: "/batches", title: "Batches", letter: "b", icon: "batches", words: "queue jobs files later offline half price" },
  { to: "/keys", title: "Keys", letter: "k", icon: "keys", words: "api access revoke create" },
  { to: "/changes", title: "Changes", letter: "h", icon: "changes", words: "events audit history log who what when" },
  { to: "/connect", title: "Connect", letter: "c", icon: "start", words: "first call base url sdk curl python typescript" },
];
