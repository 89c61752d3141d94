/** What every page test needs: a call through the gateway, and the accessibility check. */
import { AxeBuilder } from "@axe-core/playwright";
import { expect, type APIRequestContext, type Page } from "@playwright/test";

const key = process.env["STERNPOST_KEY"] ?? "sp-any";

/** Sends one call and returns the trace it left, once the list shows it. */
export async function callAndFindTrace(request: APIRequestContext, question: string): Promise<string> {
  const answer = await request.post("/v1/chat/completions", {
    headers: { authorization: `Bearer ${key}` },
    data: { model: "offline/extract-large", messages: [{ role: "system", content: "A forklift lifts loads with a fork." }, { role: "user", content: question }] },
  });
  expect(answer.ok()).toBe(true);
  const sent = answer.headers()["x-sternpost-trace-id"];
  let found = "";
  await expect
    .poll(async () => {
      const page = (await (await request.get("/api/traces?limit=20")).json()) as { items: { trace_id: string }[] };
      found = (sent ? page.items.find(({ trace_id }) => trace_id === sent) : page.items[0])?.trace_id ?? "";
      return found;
    })
    .not.toBe("");
  return found;
}

/** No violation that axe knows of, in both themes. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const { violations } = await new AxeBuilder({ page }).analyze();
    const found = violations.map(({ id, nodes }) => `${colorScheme} ${id}: ${nodes.map(({ target, failureSummary }) => `${String(target)} ${failureSummary ?? ""}`).join(" | ")}`);
    expect(found).toEqual([]);
  }
}
