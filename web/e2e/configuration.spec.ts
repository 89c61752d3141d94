import { expect, test } from "@playwright/test";
import { expectAccessible } from "./support";

test("the configuration in force is shown and can be reloaded", async ({ page }) => {
  test.skip(process.env["STERNPOST_URL"] === undefined, "needs a running Sternpost");
  await page.goto("/models");
  const panel = page.getByRole("region", { name: "Configuration" });
  await expect(panel).toContainText("loaded");
  await panel.getByRole("button", { name: "Reload" }).press("Enter");
  await expect(panel.getByRole("status")).toContainText("Reloaded");
  await expectAccessible(page);
});
