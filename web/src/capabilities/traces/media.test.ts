import { describe, expect, it } from "vitest";
import type { Part } from "@/client/types";
import { cutNote, isWebAddress, mediaOf, mediumKind, mediumLabel, mediumName, withoutReferences } from "./media";

const blob = (mime_type: string, extra: Part = {}): Part => ({ type: "blob", modality: "image", hash: "a".repeat(64), mime_type, size_bytes: 12_345, ...extra });

describe("media", () => {
  it("draws only formats that hold no code", () => {
    expect(["image/png", "image/svg+xml", "audio/wav", "video/mp4", "application/pdf", "text/html"].map((mime) => mediumKind(blob(mime)))).toEqual(["image", "download", "audio", "video", "download", "download"]);
  });

  it("says what was not kept, is elsewhere or is an id", () => {
    expect([{ type: "blob" }, { type: "uri" }, { type: "file" }].map(mediumKind)).toEqual(["missing", "address", "file"]);
  });

  it("is labelled by name, type and size", () => {
    expect(mediumLabel(blob("image/png"))).toBe("image/png, 12.3 kB");
    expect(mediumLabel(blob("application/pdf", { filename: "a.pdf" }))).toBe("a.pdf, application/pdf, 12.3 kB");
    expect(mediumLabel({ type: "blob", modality: "audio" })).toBe("audio");
  });

  it("is downloaded under the sender's name, or one that says what it is", () => {
    expect(mediumName(blob("application/pdf", { filename: "a.pdf" }))).toBe("a.pdf");
    expect(mediumName(blob("image/jpeg"))).toBe("image-aaaaaaaa.jpg");
    expect(mediumName(blob("application/octet-stream"))).toBe("image-aaaaaaaa.bin");
  });

  it("lists each medium of a span once, those of tools too", () => {
    const image = blob("image/png");
    const sound = blob("audio/wav", { hash: "b".repeat(64) });
    const tool: Part = { type: "tool_call_response", media: [image, sound] };
    expect(mediaOf([{ parts: [{ type: "text", content: "x" }, image] }, { parts: [tool] }])).toEqual([image, sound]);
  });

  it("links web addresses only", () => {
    expect(["https://a.example/p.png", "javascript:alert(1)", "data:text/html,x", "gs://bucket/x"].map(isWebAddress)).toEqual([true, false, false, false]);
  });

  it("says in a text where bytes stood, and when a request was cut", () => {
    expect(withoutReferences(`see sternpost:blob:${"a".repeat(64)}!`)).toBe("see [shown below]!");
    expect(cutNote({ warnings: "dropped:x\nrequest_body_cut" })).toContain("too large to be stored");
    expect(cutNote({})).toBe("");
  });
});
