import { expect, test } from "@playwright/test";
import { callAndFindTrace, expectAccessible } from "./support";

test("a call is found, opened and read with the keyboard alone", async ({ page, request }) => {
  await callAndFindTrace(request, "What does a windlass do?");
  await page.goto("/traces");
  await expect(page.getByRole("grid", { name: "Traces" })).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press("j");
  await expect(page.locator("[role=row][data-index='0']")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}/);
  await expect(page.getByRole("treegrid", { name: "Tree of spans" })).toBeVisible();
  await page.keyboard.press("j");
  await expect(page.locator("[role=row][aria-selected=true]")).toHaveCount(1);
  await expect(page).toHaveURL(/span=/);
  await expectAccessible(page);
  await page.keyboard.press("5");
  await expect(page.getByRole("region", { name: "JSON" })).toContainText("span_id");
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL(/\/traces(\?|$)/);
});

test("the transcript shows what was asked, and a link restores the chosen span", async ({ page, request }) => {
  const traceId = await callAndFindTrace(request, "What does a windlass do?");
  await page.goto(`/traces/${traceId}`);
  const turn = page.locator("article").filter({ hasText: "Model call" }).first();
  await expect(turn).toContainText("User");
  await turn.getByRole("button").first().click();
  await expect(page).toHaveURL(/span=/);
  await page.reload();
  await expect(page.locator("article[data-selected]")).toHaveCount(1);
  await expect(page.getByRole("region", { name: "Chosen span" })).toContainText("Tokens and cost");
});

test("feedback becomes a score of the trace", async ({ page, request }) => {
  const traceId = await callAndFindTrace(request, "Is feedback kept?");
  await page.goto(`/traces/${traceId}`);
  await page.getByRole("button", { name: "Helpful", exact: true }).click();
  await expect(page.getByRole("button", { name: "Helpful", exact: true })).toHaveAttribute("aria-pressed", "true");
  await expect(page.getByText("helpful yes")).toBeVisible();
});

test("the filter lives in the address and its errors say what is wrong", async ({ page, request }) => {
  await callAndFindTrace(request, "What does a windlass do?");
  await page.goto("/traces");
  await page.getByRole("grid", { name: "Traces" }).waitFor();
  await page.keyboard.press("f");
  await page.keyboard.type("status:ok");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/filter=status(%3A|:)ok/);
  await expect(page.getByRole("grid", { name: "Traces" })).toBeVisible();
  await page.goto("/traces?filter=statuss:x");
  await expect(page.getByRole("alert")).toContainText("status");
  await expectAccessible(page);
});

test("a filter that nothing matches offers to drop its part", async ({ page, request }) => {
  await callAndFindTrace(request, "What does a windlass do?");
  await page.goto("/traces?filter=status:cancelled");
  await page.getByRole("button", { name: "Drop status:cancelled" }).click();
  await expect(page.getByRole("grid", { name: "Traces" })).toBeVisible();
});

test("a new call appears by itself while the list is live", async ({ page, request }) => {
  const first = await callAndFindTrace(request, "Who is first?");
  await page.goto("/traces");
  await expect(page.locator(`a[href*="${first}"]`).first()).toBeVisible();
  const second = await callAndFindTrace(request, "Who is second?");
  await expect(page.locator(`a[href*="${second}"]`).first()).toBeVisible();
});
