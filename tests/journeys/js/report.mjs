// A reporter of `node --test`: one line of JSON for each test, for the pytest module that runs the journeys.
export default async function* report(events) {
  for await (const { type, data } of events) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    const error = data.details.error?.cause?.stack ?? data.details.error?.stack ?? "";
    yield `${JSON.stringify({ test: data.name, took_ms: data.details.duration_ms, passed: type === "test:pass", error: String(error) })}\n`;
  }
}
