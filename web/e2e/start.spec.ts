import { expect, test } from "@playwright/test";
import { callAndFindTrace, expectAccessible } from "./support";

test("an address without a page keeps the navigation and says where to go", async ({ page }) => {
  await page.goto("/no/such-page");
  await expect(page.getByText("There is no page at this address")).toBeVisible();
  await expect(page.getByText("/no/such-page", { exact: true })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Models" }).click();
  await expect(page).toHaveURL(/\/models$/);
  await page.goBack();
  await page.getByRole("link", { name: "Go to the overview" }).click();
  await expect(page).toHaveURL(/\/$/);
});

test("the first command of every kind of application stands ready, and the first answers", async ({ page, request }) => {
  await page.goto("/connect");
  await expect(page).toHaveTitle("Connect · Sternpost");
  const text = (await page.getByRole("region", { name: "curl commands" }).textContent()) ?? "";
  const sent = /-d '([^']*)'/.exec(text)?.[1] ?? "";
  const answer = await request.post("/v1/chat/completions", { headers: { authorization: `Bearer ${process.env["STERNPOST_KEY"] ?? "sp-any"}` }, data: JSON.parse(sent) as object });
  if (process.env["STERNPOST_URL"]) expect(await answer.text()).toContain("It records every call as a trace");
  for (const [tab, region, word] of [["Anthropic", "curl commands", "/v1/messages"], ["OpenTelemetry", "Variables commands", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"], ["Provider keys", "Variables commands", "OPENAI_API_KEY"]] as const) {
    await page.getByRole("tab", { name: tab }).click();
    await expect(page.getByRole("region", { name: region })).toContainText(word);
    await expectAccessible(page);
  }
});

const nothing = { items: [], next_cursor: null };

test("a Sternpost without traces says how to send the first call, and sees it arrive", async ({ page, request }) => {
  let isEmpty = true; // the store of the other tests is not empty any more, so the answer is held back here
  await page.route("**/api/traces?*", (route) => (isEmpty ? route.fulfill({ json: nothing }) : route.continue()));
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Send your first call" })).toBeVisible();
  await expect(page.getByText("Waiting for your first call")).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Create a key" }).click();
  const key = (await page.getByRole("region", { name: "key", exact: true }).textContent()) ?? "";
  await expect(page.getByRole("region", { name: "curl commands" })).toContainText(`Bearer ${key}`);
  const traceId = await callAndFindTrace(request, "Is this the first?");
  isEmpty = false;
  await expect(page.getByRole("status").getByRole("link")).toHaveAttribute("href", new RegExp(traceId));
  await expect(page.getByRole("region", { name: "key", exact: true })).toHaveText(key); // shown once, so it stays
});
