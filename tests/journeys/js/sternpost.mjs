// What the journeys share: where Sternpost and the fake provider are, what is asked, and how a trace is read.
import { setTimeout as pause } from "node:timers/promises";

export const baseURL = process.env.STERNPOST_BASE_URL;
export const apiKey = process.env.STERNPOST_API_KEY;
const provider = process.env.FAKE_PROVIDER_URL;

export const ask = [{ role: "user", content: "How is the weather in Paris?" }];
export const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
export const weatherSchema = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
export const weatherOf = ({ city }) => `18 degrees in ${city}`;

/** Wait until a trace can be read and is over. */
export async function traceOf(id) {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await pause(50)) {
    const reply = await fetch(`${baseURL}/api/traces/${id}`, { headers: { authorization: `Bearer ${apiKey}` } });
    if (reply.ok) return reply.json();
  }
  throw new Error(`there is no trace ${id}`);
}

/** Everything the fake provider was sent since `forget`. */
export async function sent() {
  const { requests } = await (await fetch(`${provider}/_requests`)).json();
  return requests.map((one) => ({ ...one, json: JSON.parse(one.body || "null") }));
}

/** How many calls, or connections closed on it, the fake provider counted since `forget`. */
export async function counted(name) {
  return (await (await fetch(`${provider}/_requests`)).json()).counts[name] ?? 0;
}

export const forget = () => fetch(`${provider}/_reset`);

export async function until(probe, what) {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await pause(20)) {
    const found = await probe();
    if (found) return found;
  }
  throw new Error(`${what} did not happen`);
}
