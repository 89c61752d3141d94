import { expect, test } from "@playwright/test";
import { callAndFindTrace, expectAccessible } from "./support";

test("a call is found, opened and read with the keyboard alone", async ({ page, request }) => {
  await callAndFindTrace(request, "What does a forklift do?");
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
  const traceId = await callAndFindTrace(request, "What does a forklift do?");
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
  await callAndFindTrace(request, "What does a forklift do?");
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
  await callAndFindTrace(request, "What does a forklift do?");
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

test("a trace in focus is read before it is opened, and its head stands while spans load", async ({ page, request }) => {
  const traceId = await callAndFindTrace(request, "Is it read ahead?");
  await page.goto("/traces");
  await page.getByRole("grid", { name: "Traces" }).waitFor();
  let release: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(`**/api/traces/${traceId}`, async (route) => {
    await held;
    await route.continue();
  });
  const asked = page.waitForRequest(`**/api/traces/${traceId}`);
  await page.locator("[role=row]").filter({ has: page.locator(`a[href*="${traceId}"]`) }).hover();
  await asked;
  await page.locator(`a[href*="${traceId}"]`).first().click();
  await expect(page.getByRole("definition").filter({ hasText: / in, / })).toBeVisible();
  await expect(page.getByRole("treegrid")).toHaveCount(0);
  release?.();
  await expect(page.getByRole("treegrid", { name: "Tree of spans" })).toBeVisible();
});

test("Markdown is rendered without HTML or pictures, and its source is one press away", async ({ page, request }) => {
  const traceId = await callAndFindTrace(request, "Say **bold** <b id='raw'>raw</b> [docs](https://a.example/x) [bad](javascript:alert) ![pic](https://a.example/p.png)");
  const outside: string[] = [];
  page.on("request", (sent) => sent.url().includes("a.example") && outside.push(sent.url()));
  await page.goto(`/traces/${traceId}`);
  const turn = page.locator("article").filter({ hasText: "Model call" }).first();
  await expect(turn.locator("strong", { hasText: /^bold$/ }).first()).toBeVisible();
  await expect(turn.getByRole("link", { name: "docs", exact: true }).first()).toHaveAttribute("rel", /noopener/);
  await expect(turn).toContainText("(https://a.example/x)");
  await expect(turn.locator("img, #raw, a[href^=javascript]")).toHaveCount(0);
  await expectAccessible(page);
  await turn.getByRole("button", { name: "Source" }).first().click();
  await expect(turn).toContainText("Say **bold**");
  expect(outside).toEqual([]);
});

test("the scores of a row are whole at 1280 pixels", async ({ page, request }) => {
  const traceId = await callAndFindTrace(request, "Are chips whole?");
  await page.route("**/api/traces?*", async (route) => {
    const json = (await (await route.fetch()).json()) as { items: object[] };
    json.items = json.items.map((one) => ({ ...one, scores: [{ name: "user_feedback", value: 1, label: null }, { name: "judged", value: 0.25, label: null }] }));
    await route.fulfill({ json });
  });
  await page.goto("/traces");
  const row = page.locator("[role=row]").filter({ has: page.locator(`a[href*="${traceId}"]`) });
  const chip = row.locator("[title^='user_feedback']");
  await expect(chip).toBeVisible();
  expect(await chip.evaluate((element) => element.scrollWidth <= element.clientWidth && element.getBoundingClientRect().right <= element.parentElement!.getBoundingClientRect().right)).toBe(true);
  await page.unrouteAll({ behavior: "ignoreErrors" }); // the list may be reading its next page
});

test("a failed trace shows its error in the list, and a traceback as a block on its page", async ({ page, request }) => {
  const traceId = await callAndFindTrace(request, "Is there one in stock?");
  const stack = 'Traceback (most recent call last):\n  File "/app/shop.py", line 12, in lookup\nValueError: no stock';
  await page.route("**/api/traces?*", async (route) => {
    const json = (await (await route.fetch()).json()) as { items: { trace_id: string }[] };
    json.items = json.items.map((one) => (one.trace_id === traceId ? { ...one, status: "error", error_preview: "ValueError: no stock" } : one));
    await route.fulfill({ json });
  });
  await page.route(`**/api/traces/${traceId}`, async (route) => {
    const json = (await (await route.fetch()).json()) as { spans: object[] };
    json.spans = json.spans.map((one, at) => (at === 0 ? { ...one, status: "error", error: "no stock", attributes: { events: JSON.stringify([{ name: "exception", "exception.stacktrace": stack }]) } } : one));
    await route.fulfill({ json });
  });
  await page.goto("/traces");
  await expect(page.locator("[role=row]").filter({ has: page.locator(`a[href*="${traceId}"]`) })).toContainText("ValueError: no stock");
  await page.goto(`/traces/${traceId}`);
  await expect(page.getByRole("article").first().getByRole("group", { name: "Traceback" })).toContainText('File "/app/shop.py", line 12');
  await expect(page).toHaveTitle(/ · Sternpost$/);
  await expectAccessible(page);
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

test("tables and lists are drawn, and a span of the tree scrolls to its entry, again and again", async ({ page, request }) => {
  const rows = Array.from({ length: 90 }, (_, at) => `${at + 1}. step`).join("\n");
  const traceId = await callAndFindTrace(request, `| name | age |\n|---|---|\n| Ann | 5 |\n\n- one\n- two\n\n${rows}`);
  await page.goto(`/traces/${traceId}`);
  const turn = page.getByRole("article").first();
  await expect(turn.getByRole("cell", { name: "Ann" })).toBeVisible();
  await expect(turn.getByRole("listitem").filter({ hasText: /^one$/ })).toHaveCSS("list-style-type", "disc");
  const tree = page.getByRole("treegrid", { name: "Tree of spans" });
  const head = turn.getByRole("button").first();
  for (let time = 0; time < 2; time += 1) {
    await page.getByText("step", { exact: true }).last().scrollIntoViewIfNeeded();
    await expect(head).not.toBeInViewport();
    await tree.getByRole("row").last().click(); // an attempt, which the entry of its call tells of
    await expect(head).toBeInViewport();
    await expect(page.locator("article[data-selected]")).toHaveCount(1);
  }
});

test("a trace is deleted for good after the page has said what goes", async ({ page, request }) => {
  const traceId = await callAndFindTrace(request, "Forget this question.");
  await page.goto(`/traces/${traceId}`);
  await page.getByRole("button", { name: "Delete…" }).focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Delete for good?" });
  await expect(dialog).toContainText("1 trace");
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Delete for good" }).press("Enter");
  await expect(dialog.getByRole("status")).toContainText("Deleted", { timeout: 60_000 });
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/traces(\?|$)/);
  await page.goto(`/traces/${traceId}`);
  await expect(page.getByText("Trace not found")).toBeVisible();
});
