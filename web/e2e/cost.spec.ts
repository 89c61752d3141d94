import { expect, test } from "@playwright/test";
import { callAndFindTrace, expectAccessible } from "./support";

test("how a cost came about is opened with the keyboard, line by line", async ({ page, request }) => {
  const traceId = await callAndFindTrace(request, "What does this call cost?");
  await page.goto(`/traces/${traceId}`);
  const panel = page.getByRole("region", { name: "Chosen span" });
  await panel.locator("summary").focus();
  await page.keyboard.press("Enter");
  const lines = panel.getByRole("list", { name: "The sum, line by line" });
  await expect(lines.getByRole("listitem").last()).toHaveText("total = $0");
  await expect(panel).toContainText("free of charge");
  await expect(panel).toContainText("the price table of today gives the same");
  await expectAccessible(page);
});

test("what the prompt cache saved opens the calls behind it", async ({ page, request }) => {
  await callAndFindTrace(request, "What did the cache save?");
  await page.goto("/?since=now-1h");
  await page.getByRole("link", { name: /^Prompt cache/ }).click();
  await expect(page).toHaveURL(/\/traces\?.*filter=cached(%3A|:)(%3E|>)0/);
  await expect(page).toHaveURL(/since=now-1h/);
});
