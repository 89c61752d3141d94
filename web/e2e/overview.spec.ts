import { expect, test } from "@playwright/test";
import { callAndFindTrace, expectAccessible } from "./support";

test("the sums are shown, and the number of errors opens the traces behind it", async ({ page, request }) => {
  await callAndFindTrace(request, "How many calls are there?");
  await page.goto("/?since=now-1h");
  await expect(page.getByRole("heading", { name: "Calls and errors per" })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("link", { name: /^Errors/ }).click();
  await expect(page).toHaveURL(/\/traces\?.*filter=status(%3A|:)error/);
  await expect(page).toHaveURL(/since=now-1h/);
});

test("the palette goes to a page and a shortcut sheet is one key away", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("keys");
  await expectAccessible(page);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Keys", level: 1 })).toBeVisible();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard" })).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.keyboard.press("g");
  await page.keyboard.press("m");
  await expect(page.getByRole("heading", { name: "Models", level: 1 })).toBeVisible();
});

test("the connect page gives commands with the real address and sees a call arrive", async ({ page, request, baseURL }) => {
  await page.goto("/connect");
  await expect(page.getByRole("region", { name: "curl commands" })).toContainText(`${baseURL}/v1/chat/completions`);
  await expectAccessible(page);
  const traceId = await callAndFindTrace(request, "Has it arrived?");
  await expect(page.getByRole("status").getByRole("link")).toHaveAttribute("href", new RegExp(traceId));
});
