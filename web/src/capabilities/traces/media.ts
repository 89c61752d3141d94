/** What the media of messages are called and where their bytes are; nothing here fetches them. */
import { basePath } from "@/client/base";
import type { Part } from "@/client/types";
import { bytes } from "@/kit/format";

export type MediumKind = "image" | "audio" | "video" | "download" | "missing" | "address" | "file";

/** Formats a browser draws without running code; SVG is no such format. */
const drawn = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"]);
const extensions: Record<string, string> = { jpeg: "jpg", mpeg: "mp3", "svg+xml": "svg", plain: "txt" };
const reference = /sternpost:blob:[0-9a-f]{64}/g;

export function isMedium(part: Part): boolean {
  return part.type === "blob" || part.type === "uri" || part.type === "file";
}

export function mediumKind(part: Part): MediumKind {
  if (part.type === "uri") return "address";
  if (part.type === "file") return "file";
  if (!part.hash) return "missing";
  const mime = part.mime_type ?? "";
  if (drawn.has(mime)) return "image";
  if (mime.startsWith("audio/")) return "audio";
  return mime.startsWith("video/") ? "video" : "download";
}

/** `report.pdf, application/pdf, 12 kB`. */
export function mediumLabel(part: Part): string {
  const size = typeof part.size_bytes === "number" ? bytes(part.size_bytes) : "";
  return [part.filename, part.mime_type || part.modality || "media", size].filter(Boolean).join(", ");
}

export function mediumUrl(part: Part, thumbnail?: number): string {
  return `${basePath}/api/blobs/${part.hash ?? ""}${thumbnail ? `?thumbnail=${thumbnail}` : ""}`;
}

/** A name for the downloaded file. */
export function mediumName(part: Part): string {
  const subtype = (part.mime_type ?? "").split("/")[1] ?? "";
  const extension = extensions[subtype] ?? (/^[a-z0-9]{2,5}$/.test(subtype) ? subtype : "bin");
  return part.filename || `${part.modality ?? "blob"}-${(part.hash ?? "").slice(0, 8)}.${extension}`;
}

/** Only addresses that a browser opens as a page may become links; none is loaded by itself. */
export function isWebAddress(uri: string): boolean {
  return /^https?:\/\//i.test(uri);
}

/** The media beside the answer of a tool. */
export function toolMedia(part: Part): Part[] {
  return Array.isArray(part.media) ? (part.media as Part[]).filter((one) => isMedium(one)) : [];
}

/** Every medium of some messages, each once. */
export function mediaOf(messages: { parts: Part[] }[]): Part[] {
  const all = messages.flatMap(({ parts }) => parts.flatMap((part) => (isMedium(part) ? [part] : toolMedia(part))));
  const known = new Set<string>();
  return all.filter((part) => {
    const name = part.hash || part.uri || part.file_id || "";
    if (name === "" || known.has(name)) return false;
    known.add(name);
    return true;
  });
}

/** A text as people read it: where bytes stood, it says so. */
export function withoutReferences(text: string): string {
  return text.replace(reference, "[shown below]");
}

/** Why messages of a span may end early. */
export function cutNote(attributes: Record<string, unknown>): string {
  const warnings = typeof attributes["warnings"] === "string" ? attributes["warnings"].split("\n") : [];
  return warnings.includes("request_body_cut") ? "The request was too large to be stored completely; its end is not shown." : "";
}
