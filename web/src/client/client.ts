/** The one way to the management API: the generated client, with the CSRF token and errors as problems. */
import createClient, { type Middleware } from "openapi-fetch";
import { basePath } from "./base";
import type { paths } from "./schema";

/** What a failed request says: RFC 9457 problem details. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;

  constructor(status: number, code: string, detail: string, requestId?: string) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }
}

let csrfToken = "";

/** Keeps the token of the session; every write carries it. */
export function rememberCsrfToken(token: string): void {
  csrfToken = token;
}

const csrf: Middleware = {
  onRequest({ request }) {
    if (request.method !== "GET") request.headers.set("x-sternpost-csrf", csrfToken);
    return request;
  },
};

export const api = createClient<paths>({ baseUrl: basePath, credentials: "same-origin" });
api.use(csrf);

interface Answer<Body> {
  data?: Body;
  error?: unknown;
  response: Response;
}

function text(source: unknown, field: string): string | undefined {
  if (typeof source !== "object" || source === null) return undefined;
  const value: unknown = Reflect.get(source, field);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Waits for an answer and returns its body, or throws a Problem. */
export async function body<Body>(pending: Promise<Answer<Body>>): Promise<Body> {
  const answer = await pending.catch(() => {
    throw new Problem(0, "unreachable", "Sternpost is not responding. Is it running?");
  });
  const { data, error, response } = answer;
  if (response.ok) return data as Body;
  const detail = text(error, "detail") ?? `The server answered ${response.status}.`;
  throw new Problem(response.status, text(error, "code") ?? "unknown", detail, text(error, "request_id"));
}
