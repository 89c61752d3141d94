import { expect, test, type APIRequestContext } from "@playwright/test";
import { expectAccessible } from "./support";

const headers = { authorization: `Bearer ${process.env["STERNPOST_KEY"] ?? "sp-any"}` };

interface Line {
  custom_id: string;
  model: string;
}

/** Starts a batch of such lines and returns its id. */
async function startBatch(request: APIRequestContext, lines: Line[]): Promise<string> {
  const rows = lines.map(({ custom_id, model }) =>
    JSON.stringify({ custom_id, method: "POST", url: "/v1/chat/completions", body: { model, messages: [{ role: "user", content: "What lifts?" }] } }),
  );
  const file = await request.post("/v1/files", {
    headers,
    multipart: { purpose: "batch", file: { name: "in.jsonl", mimeType: "application/jsonl", buffer: Buffer.from(rows.join("\n")) } },
  });
  const { id } = (await file.json()) as { id: string };
  const batch = await request.post("/v1/batches", { headers, data: { input_file_id: id, endpoint: "/v1/chat/completions", completion_window: "24h" } });
  return ((await batch.json()) as { id: string }).id;
}

test("a batch is followed to its end and its lines lead to their traces", async ({ page, request }) => {
  test.setTimeout(120_000);
  test.skip(process.env["STERNPOST_URL"] === undefined, "needs a running Sternpost");
  await page.goto("/batches");
  await expect(page.getByText("No batches yet")).toBeVisible();
  await expectAccessible(page);

  const id = await startBatch(request, [{ custom_id: "good", model: "offline/extract-large" }, { custom_id: "other", model: "offline/extract-large" }]);
  await page.goto("/models");
  await expect(page.getByRole("heading", { name: "Models", exact: true })).toBeVisible();
  await page.keyboard.press("g");
  await page.keyboard.press("b");
  const row = page.getByRole("row", { name: id });
  await expect(row).toContainText("Completed", { timeout: 20_000 });
  await expect(row).toContainText("2 of 2");
  await expectAccessible(page);

  await row.getByRole("link").focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: id })).toBeVisible();
  await expect(page.getByText("No line failed")).toBeVisible();
  await page.getByRole("tab", { name: "Answered", exact: true }).click();
  await expect(page.getByRole("row", { name: "good" })).toContainText("$0");
  await expectAccessible(page);
  await page.getByRole("link", { name: "trace of line 1" }).click();
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}/);
});

test("a batch that its provider keeps waiting says why", async ({ page, request }) => {
  test.skip(process.env["STERNPOST_URL"] === undefined, "needs a running Sternpost");
  const id = await startBatch(request, [{ custom_id: "a", model: "offline/extract-large" }]);
  await page.route(`**/api/batches/${id}`, async (route) => {
    const answer = await route.fetch();
    const batch = (await answer.json()) as object;
    await route.fulfill({ json: { ...batch, status: "in_progress", waits_because: "openai: the account is overdue" } });
  });
  await page.goto(`/batches/${id}`);
  await expect(page.getByRole("status").filter({ hasText: "openai: the account is overdue" })).toBeVisible();
  await expectAccessible(page);
  await page.unrouteAll({ behavior: "ignoreErrors" }); // the page goes on asking while the batch runs
});

test("a file that can't be run says which lines are wrong, and a batch can be cancelled", async ({ page, request }) => {
  test.setTimeout(120_000);
  test.skip(process.env["STERNPOST_URL"] === undefined, "needs a running Sternpost");
  const failed = await startBatch(request, [{ custom_id: "a", model: "offline/extract-large" }, { custom_id: "a", model: "no-such-model" }]);
  await page.goto(`/batches/${failed}`);
  await expect(page.getByText("Why it did not run")).toBeVisible({ timeout: 20_000 });
  await expect(page.getByRole("row", { name: "duplicate_custom_id" })).toContainText("line 2");
  await expectAccessible(page);

  const lines = Array.from({ length: 3000 }, (_, number) => ({ custom_id: `line ${number}`, model: "offline/extract-large" }));
  const long = await startBatch(request, lines);
  await page.goto(`/batches/${long}`);
  await page.getByRole("button", { name: "Cancel batch" }).click();
  await expect(page.getByText("Cancel this batch?")).toBeVisible();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel batch" }).click();
  await expect(page.getByText("Cancelled", { exact: true })).toBeVisible({ timeout: 60_000 });
});
