/** What is told of a call that has no messages: one passed on to a provider's own path, or a count of tokens. */
import type { Span } from "@/client/types";
import { bytes, count } from "@/kit/format";

/** Lines to read; none for a chat. */
export function besideChat({ type, attributes }: Pick<Span, "type" | "attributes">): string[] {
  if (type !== "gateway") return [];
  const counted = attributes["counted_tokens"];
  if (counted) return [`${count(Number(counted))} tokens counted`];
  const path = attributes["url.path"];
  if (!path) return [];
  const sent = Number(attributes["request_bytes"] ?? 0);
  const received = attributes["reply_bytes"];
  const sizes = [`${bytes(sent)} sent`, ...(received === undefined ? [] : [`${bytes(Number(received))} received`])].join(", ");
  return [`${attributes["http.request.method"] ?? ""} ${path}`.trim(), `${sizes}. The bodies of pass-through calls are not stored.`];
}
