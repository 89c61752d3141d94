import { describe, expect, it } from "vitest";
import { besideChat } from "./beside_chat";

const passedOn = { "http.request.method": "POST", "url.path": "/v1/images/generations", request_bytes: "38", reply_bytes: "80181" };

describe("beside chat", () => {
  it("says of a call passed on where it went and how much it moved", () => {
    expect(besideChat({ type: "gateway", attributes: passedOn })).toEqual([
      "POST /v1/images/generations",
      "38 B sent, 80.2 kB received. The bodies of pass-through calls are not stored.",
    ]);
  });

  it("says nothing of an answer that never came", () => {
    const { reply_bytes: _, ...unanswered } = passedOn;
    expect(besideChat({ type: "gateway", attributes: unanswered })[1]).toBe("38 B sent. The bodies of pass-through calls are not stored.");
  });

  it("says the number of a count, and nothing of a chat or a span of others", () => {
    expect(besideChat({ type: "gateway", attributes: { counted_tokens: "1200" } })).toEqual(["1,200 tokens counted"]);
    expect(besideChat({ type: "gateway", attributes: { dialect_in: "openai_chat" } })).toEqual([]);
    expect(besideChat({ type: "other", attributes: passedOn })).toEqual([]);
  });
});
