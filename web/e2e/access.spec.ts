import { expect, test } from "@playwright/test";
import { callAndFindTrace, expectAccessible } from "./support";

test("a key is created, shown once, and revoked", async ({ page }) => {
  const name = `browser test ${Date.now()}`;
  await page.goto("/keys");
  await page.getByRole("button", { name: "Create key" }).click();
  await page.getByLabel("Name").fill(name);
  await expect(page.getByRole("checkbox", { name: /calls/ })).toBeChecked();
  await expect(page.getByRole("checkbox", { name: /traces:read/ })).not.toBeChecked();
  await page.getByRole("button", { name: "Read-only" }).click();
  await expect(page.getByRole("checkbox", { name: /calls/ })).not.toBeChecked();
  await page.getByRole("checkbox", { name: /keys:read/ }).check();
  await page.getByLabel("Models and routes").fill("fast, lab/*");
  await page.getByLabel("Expires").selectOption("in 30 days");
  await expectAccessible(page);
  await page.getByLabel("Name").press("Enter");
  await expect(page.getByRole("region", { name: "key" })).toContainText(/^sp-/);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByRole("row", { name })).toContainText(/fast, lab\/\*\s*traces:read, keys:read\s*Active until/);
  await expectAccessible(page);
  await page.getByRole("button", { name: `Revoke ${name}` }).click();
  await page.getByRole("button", { name: "Revoke key" }).click();
  await expect(page.getByRole("row", { name })).toContainText("Revoked");
});

test("a key that is over or held to models says so", async ({ page }) => {
  const key = { project_id: "default", created_at: "2026-01-02T03:04:05Z", last_used_at: null, revoked_at: null };
  const items = [
    { ...key, key_id: "key_1", name: "old", prefix: "sp-1", expires_at: "2026-02-01T00:00:00Z", models: [], scopes: ["calls", "traces:write", "scores:write"] },
    { ...key, key_id: "key_2", name: "held", prefix: "sp-2", expires_at: "2100-01-01T00:00:00Z", models: ["fast", "openai/gpt-5"], scopes: ["calls"] },
  ];
  await page.route("**/api/keys", (route) => route.fulfill({ json: { items, next_cursor: null } }));
  await page.goto("/keys");
  await expect(page.getByRole("row", { name: "old" })).toContainText(/every model\s*Application\s*Expired/);
  await expect(page.getByRole("row", { name: "held" })).toContainText(/fast, openai\/gpt-5\s*calls\s*Active until 1 Jan 2100/);
});

test("a reader without a session is told how to get a link, and a bad link says so", async ({ browser, baseURL }) => {
  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } });
  const page = await context.newPage();
  await page.route("**/api/session", (route) =>
    route.fulfill({ status: 401, contentType: "application/problem+json", json: { status: 401, code: "not_signed_in", title: "Unauthorized", detail: "This link was used or has expired." } }),
  );
  await page.goto(`${baseURL}/traces?filter=status:ok`);
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await expect(page.getByText("sternpost sign-in")).toBeVisible();
  await expectAccessible(page);
  await page.goto(`${baseURL}/sign-in?token=spent`);
  await expect(page.getByRole("alert")).toContainText("used or has expired");
  await context.close();
});

test("signing out ends the session in every tab, and says so", async ({ browser, baseURL }) => {
  const context = await browser.newContext({ storageState: "test-results/session.json" });
  const session = { user: { user_id: "user_1", name: "admin", is_admin: true }, project_id: "project_1", project_name: "default", csrf_token: "t" };
  let isOver = false; // the session of the other tests must outlive this one, so its end is played here
  await context.route("**/api/session", (route) => {
    if (route.request().method() === "DELETE") {
      isOver = true;
      return route.fulfill({ status: 204 });
    }
    return isOver ? route.fulfill({ status: 401, json: { status: 401, code: "not_signed_in", title: "Unauthorized", detail: "Sign in." } }) : route.fulfill({ json: session });
  });
  const [page, other] = [await context.newPage(), await context.newPage()];
  await other.goto(`${baseURL}/models`);
  await expect(other.getByRole("heading", { name: "Models", level: 1 })).toBeVisible();
  await page.goto(`${baseURL}/traces?filter=status:ok`);
  await page.getByRole("button", { name: "Sign out" }).click();
  for (const tab of [page, other]) {
    await expect(tab.getByRole("heading", { name: "You are signed out" })).toBeVisible();
    await expect(tab).toHaveURL(/\/sign-in$/);
    await expect(tab).toHaveTitle("Signed out · Sternpost");
  }
  await expectAccessible(page);
  await page.goBack();
  await expect(page.getByRole("navigation", { name: "Pages" })).toHaveCount(0);
  await context.close();
});

test("the environment that is chosen stays in the address and narrows every page", async ({ page, request }) => {
  await callAndFindTrace(request, "A call, so that there is a list of traces.");
  const asked: string[] = []; // pages may be read before they are opened
  page.on("request", (request) => asked.push(request.url()));
  const isAsked = (path: RegExp): boolean => asked.some((url) => path.test(url));
  await page.goto("/keys");
  const choice = page.getByRole("combobox", { name: "Environment" });
  await choice.selectOption("staging");
  await expect.poll(() => isAsked(/\/api\/keys\?.*environment=staging/)).toBe(true);
  await expect(page).toHaveURL(/env=staging/);
  await expectAccessible(page);
  await page.getByRole("link", { name: "Traces" }).click();
  await expect.poll(() => isAsked(/\/api\/traces\?.*environment=staging/)).toBe(true);
  await expect(choice).toHaveValue("staging");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: /Page, action/ }).fill("all environments");
  await page.keyboard.press("Enter");
  await expect(page).not.toHaveURL(/env=/);
});
