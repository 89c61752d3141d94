import { expect, test } from "@playwright/test";
import { expectAccessible } from "./support";

test("a change is shown with who made it, as soon as it is made", async ({ page }) => {
  test.skip(process.env["STERNPOST_URL"] === undefined, "needs a running Sternpost");
  await page.goto("/changes");
  await expect(page.getByRole("heading", { name: "Changes", exact: true })).toBeVisible();
  await expect(page.getByRole("row", { name: /Signed in/ }).first()).toBeVisible();
  await expectAccessible(page);

  const session = (await (await page.request.get("/api/session")).json()) as { csrf_token: string };
  const headers = { "x-sternpost-csrf": session.csrf_token, origin: new URL(page.url()).origin };
  const made = await page.request.post("/api/keys", { headers, data: { name: "seen at once", scopes: ["calls"] } });
  expect(made.status()).toBe(201);

  const row = page.getByRole("row", { name: /seen at once/ });
  await expect(row).toContainText("Key created", { timeout: 10_000 });
  await expect(row).toContainText("admin");
  await page.getByRole("button", { name: "Batches" }).click();
  await expect(row).toBeHidden();
  await page.getByRole("button", { name: "Keys" }).click();
  await expect(row).toBeVisible();
});
