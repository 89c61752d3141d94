import { expect, test } from "@playwright/test";
import { expectAccessible } from "./support";

test("the built-in models are ready and lead to their traces", async ({ page }) => {
  await page.goto("/models");
  await page.getByRole("searchbox", { name: "Find a model" }).fill("extract-large");
  const row = page.getByRole("row", { name: /offline\/extract-large/ });
  await expect(row).toContainText("Ready");
  await expectAccessible(page);
  await row.getByRole("link", { name: /Open traces of/ }).click();
  await expect(page).toHaveURL(/filter=model(%3A|:)(%2A|\*)extract-large/);
});

test("the page scrolls in one place, and the window does not scroll beside it", async ({ page }) => {
  await page.goto("/models");
  await expect(page.getByRole("heading", { name: "Models and routes" })).toBeVisible();
  expect(await page.evaluate(() => document.querySelector("main")!.scrollHeight > window.innerHeight)).toBe(true);
  expect(await page.evaluate(() => document.documentElement.scrollHeight - window.innerHeight)).toBe(0);
});

test("a provider says where its key is read from", async ({ page }) => {
  await page.route("**/api/providers?*", async (route) => {
    const shown = (await (await route.fetch()).json()) as { items: { name: string }[] };
    const items = shown.items.map((one) => (one.name === "openai" ? { ...one, is_configured: true, key_variable: "", is_key_written: true } : one));
    await route.fulfill({ json: { ...shown, items } });
  });
  await page.goto("/models");
  await expect(page.getByRole("row", { name: /OpenAI openai\// })).toContainText("set in sternpost.yaml");
  await page.getByText(/providers of the catalogue without a key/).click();
  await expect(page.getByRole("row", { name: /Anthropic anthropic\// })).toContainText("ANTHROPIC_API_KEY");
  await expectAccessible(page);
  await page.unrouteAll({ behavior: "ignoreErrors" }); // it may be asked again
});

test("a model that its provider takes away says when", async ({ page }) => {
  await page.goto("/models");
  await page.getByRole("searchbox", { name: "Find a model" }).fill("openai/gpt-4.1-nano");
  await expect(page.getByRole("row", { name: /^openai\/gpt-4.1-nano / })).toContainText("23 Oct 2026");
});

test("the page begins with the providers that are ready, hosts of one's own among them, and models have prices", async ({ page }) => {
  await page.route("**/api/providers?*", async (route) => {
    const shown = (await (await route.fetch()).json()) as { items: object[] };
    const lab = { name: "shed", title: "shed", dialect: "openai_chat", base_url: "http://127.0.0.1:9000/v1", is_configured: true, fault: "", key_variable: "", is_key_written: false, docs_url: "" };
    await route.fulfill({ json: { ...shown, items: [lab, ...shown.items] } });
  });
  await page.goto("/models");
  await expect(page.getByRole("heading", { level: 2 }).first()).toHaveText("Providers");
  await expect(page.getByRole("row", { name: /^shed shed\// })).toContainText(/Ready.*http:\/\/127\.0\.0\.1:9000\/v1/);
  await expect(page.getByRole("table", { name: "Providers", exact: true }).getByRole("row", { name: /Not configured/ })).toHaveCount(0);
  await page.getByRole("searchbox", { name: "Find a model" }).fill("openai/gpt-5-mini");
  await expect(page.getByRole("row", { name: /^openai\/gpt-5-mini / })).toContainText(/\$0\.2500 \/ \$2\.00/);
  await page.unrouteAll({ behavior: "ignoreErrors" });
});
