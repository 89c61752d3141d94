/** Opens the one-time link, and keeps the session for all tests. */
import { expect, test } from "@playwright/test";

const link = process.env["STERNPOST_SIGN_IN_URL"];

test("a one-time link signs in", async ({ page, context }) => {
  await page.goto(link ?? "/sign-in?token=any");
  await expect(page.getByRole("navigation", { name: "Pages" })).toBeVisible();
  await expect(page).not.toHaveURL(/token/); // a spent link stays neither in the address nor in the history
  await context.storageState({ path: "test-results/session.json" });
});
