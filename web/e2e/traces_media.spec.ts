import { expect, test, type APIRequestContext } from "@playwright/test";
import { expectAccessible } from "./support";

const key = process.env["STERNPOST_KEY"] ?? "sp-any";
/** A PNG of 8 by 6 pixels, a WAV of 80 samples and a PDF without pages. */
const png = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAGCAIAAABxZ0isAAAAHUlEQVR4nGOUj9/PgA0wYRUlTuLBAgdkCUaS7QAAZgsERQ4QrIsAAAAASUVORK5CYII=";
const wav = Buffer.concat([Buffer.from("RIFF"), word(116), Buffer.from("WAVEfmt "), word(16), Buffer.from([1, 0, 1, 0]), word(8000), word(8000), Buffer.from([1, 0, 8, 0]), Buffer.from("data"), word(80), Buffer.alloc(80, 128)]).toString("base64");
const pdf = Buffer.from("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n").toString("base64");

function word(value: number): Buffer {
  const packed = Buffer.alloc(4);
  packed.writeUInt32LE(value);
  return packed;
}

/** Sends a call with one medium of each kind and returns its trace, once it can be read. */
async function callWithMedia(request: APIRequestContext): Promise<string> {
  const content = [
    { type: "text", text: "What is on these?" },
    { type: "image_url", image_url: { url: `data:image/png;base64,${png}` } },
    { type: "image_url", image_url: { url: "data:image/jpeg;base64,bm8gcGljdHVyZQ==" } },
    { type: "input_audio", input_audio: { data: wav, format: "wav" } },
    { type: "file", file: { filename: "report.pdf", file_data: `data:application/pdf;base64,${pdf}` } },
    { type: "image_url", image_url: { url: "https://a.example/p.png" } },
    { type: "file", file: { file_id: "file_abc" } },
  ];
  const answer = await request.post("/v1/chat/completions", {
    headers: { authorization: `Bearer ${key}` },
    data: { model: "offline/extract-large", messages: [{ role: "user", content }] },
  });
  const id = answer.headers()["x-sternpost-trace-id"] ?? "";
  expect(id).not.toBe("");
  await expect.poll(async () => (await request.get(`/api/traces/${id}`)).status()).toBe(200);
  return id;
}

test("media of a trace are seen small, opened large with the keyboard, heard and downloaded", async ({ page, request }) => {
  test.skip(!process.env["STERNPOST_URL"], "the fixtures keep no media");
  test.slow(); // two looks at accessibility, each in both themes
  const traceId = await callWithMedia(request);
  const outside: string[] = [];
  page.on("request", (sent) => sent.url().includes("a.example") && outside.push(sent.url()));
  await page.goto(`/traces/${traceId}`);
  const turn = page.locator("article").filter({ hasText: "What is on these?" }).first();

  const picture = turn.getByRole("button", { name: /^Open image\/png/ });
  await expect.poll(async () => picture.locator("img").evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  await expect(turn.locator("audio")).toHaveAttribute("aria-label", /audio\/wav/);
  await expect(turn).toContainText("image by address, not loaded");
  await expect(turn.getByRole("link", { name: "https://a.example/p.png" })).toHaveAttribute("rel", /noreferrer/);
  await expect(turn).toContainText("file_abc");
  await expectAccessible(page);

  await picture.focus();
  await page.keyboard.press("Enter");
  const layer = page.getByRole("dialog", { name: /image\/png/ });
  await expect(layer.getByRole("img", { name: /image\/png/ })).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(layer).toHaveCount(0);
  await expect(picture).toBeFocused();
  await expect(page).toHaveURL(new RegExp(`/traces/${traceId}`));

  await turn.getByRole("button", { name: /^Open image\/jpeg/ }).click();
  await expect(page.getByRole("dialog").getByRole("status")).toContainText("can't be shown");
  await page.keyboard.press("Escape");

  const waiting = page.waitForEvent("download");
  await turn.getByRole("link", { name: /^Download report.pdf/ }).click();
  expect((await waiting).suggestedFilename()).toBe("report.pdf");
  expect(outside).toEqual([]);
});

test("the list says what kind of medium was sent, and the raw view shows it", async ({ page, request }) => {
  test.skip(!process.env["STERNPOST_URL"], "the fixtures keep no media");
  const traceId = await callWithMedia(request);
  await page.goto("/traces");
  await expect(page.locator("[role=row]").filter({ has: page.locator(`a[href*="${traceId}"]`) })).toContainText("[image]");
  await page.goto(`/traces/${traceId}`);
  await page.getByRole("treegrid").waitFor();
  await page.keyboard.press("5");
  await expect(page.getByRole("region", { name: "Media" }).getByRole("button", { name: /^Open image\/png/ })).toBeVisible();
  await expect(page.getByRole("region", { name: "JSON" })).not.toContainText(png.slice(0, 40));
  await expectAccessible(page);
});
