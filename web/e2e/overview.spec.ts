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

test("a project younger than an hour opens on its last hour, and the address wins", async ({ page, request }) => {
  await callAndFindTrace(request, "How old is this project?");
  // The store of the other tests may be older, so the one question about its age is answered here.
  await page.route("**/api/traces?*until=now-1h*", (route) => route.fulfill({ json: { items: [], next_cursor: null } }));
  await page.goto("/");
  await expect(page.getByRole("button", { name: "Time range: Last hour" })).toBeVisible();
  await page.goto("/?since=now-7d");
  await expect(page.getByRole("button", { name: "Time range: Last 7 days" })).toBeVisible();
});

test("where the last day is empty the overview opens on a range that has calls, and says so", async ({ page }) => {
  const started_at = new Date(Date.now() - 3 * 86_400_000).toISOString();
  await page.route("**/api/traces?limit=1", async (route) => {
    const shown = (await (await route.fetch()).json()) as { items: object[] };
    await route.fulfill({ json: { ...shown, items: shown.items.map((one) => ({ ...one, started_at })) } });
  });
  await page.route("**/api/traces?*until=now-1h*", async (route) => route.fulfill({ json: await (await route.fetch({ url: route.request().url().replace(/&until=[^&]*/, "") })).json() }));
  await page.goto("/");
  await expect(page.getByRole("button", { name: "Time range: Last 7 days" })).toBeVisible();
  await expect(page.getByText("No calls in the last 24 hours; the newest was 3 d ago. Shown: last 7 days.")).toBeVisible();
  await expectAccessible(page);
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

test("sparse numbers are drawn: a lone point, a whole last bar, and a word where all calls are free", async ({ page }) => {
  const step = 900;
  const last = Math.floor(Date.now() / 1000 / step) * step;
  const none = { calls: 0, errors: 0, cost_usd: null, input_tokens: 0, output_tokens: 0, cache_hit_rate: null, cache_saved_usd: "0", cache_saved_nanousd: 0, latency_p50_ms: null, latency_p95_ms: null };
  const some = { calls: 3, errors: 0, cost_usd: "0", input_tokens: 40, output_tokens: 9, cache_hit_rate: 0, cache_saved_usd: "0", cache_saved_nanousd: 0, latency_p50_ms: 80, latency_p95_ms: 90 };
  const series = Array.from({ length: 96 }, (_, at) => ({ at: new Date((last - (95 - at) * step) * 1000).toISOString(), ...(at === 95 ? some : none) }));
  const json = { since: series[0]!.at, until: new Date().toISOString(), step_s: step, totals: { ...some, cost_status_counts: { free: 3 } }, series, by_model: [] };
  await page.route("**/api/overview?*", (route) => route.fulfill({ json }));
  await page.goto("/?since=now-24h");
  await expect(page.getByText("All calls free")).toBeVisible();
  const painted = (name: string) =>
    page.getByRole("img", { name }).locator("canvas").evaluate((canvas: HTMLCanvasElement) => {
      const { width, height } = canvas;
      const { data } = canvas.getContext("2d")!.getImageData(width * 0.9, 0, width * 0.1, height - 30);
      let marks = 0;
      // Series are saturated colours; the grid is grey.
      for (let at = 0; at < data.length; at += 4) if (data[at + 3]! > 200 && Math.max(data[at]!, data[at + 1]!, data[at + 2]!) - Math.min(data[at]!, data[at + 1]!, data[at + 2]!) > 80) marks += 1;
      return marks;
    });
  await expect.poll(() => painted("Calls and errors")).toBeGreaterThan(300);
  await expect.poll(() => painted("Latency")).toBeGreaterThan(15);
  await page.getByRole("button", { name: "Show last 15 minutes" }).click();
  await expect(page).toHaveURL(/since=now-15m/);
});

test("models of one name are told apart, and a narrow window cuts nothing but the table", async ({ page }) => {
  const sums = { calls: 3, errors: 0, cost_usd: "0.1", input_tokens: 40, output_tokens: 9, cache_hit_rate: 0, cache_saved_usd: "0", cache_saved_nanousd: 0, latency_p50_ms: 80, latency_p95_ms: 90 };
  const at = new Date(Date.now() - 60_000).toISOString();
  const by_model = ["openai", "azure"].map((provider) => ({ ...sums, model: "gpt-5-mini", provider, filter: `model:gpt-5-mini provider:${provider}`, latency_p50_ms: 80, latency_p95_ms: 90 }));
  const json = { since: at, until: new Date().toISOString(), step_s: 60, totals: { ...sums, cost_status_counts: { computed: 6 } }, series: [{ at, ...sums }], by_model };
  await page.route("**/api/overview?*", (route) => route.fulfill({ json }));
  await page.setViewportSize({ width: 800, height: 900 });
  await page.goto("/?since=now-15m");
  await expect(page.getByRole("link", { name: "openai/gpt-5-mini" })).toBeVisible();
  expect(await page.getByRole("main").evaluate((main) => main.scrollWidth - main.clientWidth)).toBe(0);
  await page.getByRole("link", { name: "azure/gpt-5-mini" }).click();
  await expect(page).toHaveURL(/filter=model(%3A|:)gpt-5-mini(%20|\+)provider(%3A|:)azure/);
});
