/**
 * The one way to the server: same origin, cookie session, errors as one type.
 * Refuses nothing and retries nothing; TanStack Query decides about both.
 */

/** What the API says when it refuses, or what the browser says when nothing answers. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly help: string | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** The session is missing or over. */
  get isSignedOut(): boolean {
    return this.status === 401;
  }
}

interface ErrorBody {
  error?: { code?: string; message?: string; help?: string | null };
}

async function readError(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as ErrorBody;
  const error = body.error ?? {};
  return new ApiError(
    response.status,
    error.code ?? "http",
    error.message ?? `${response.status} ${response.statusText}`,
    error.help ?? null,
  );
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...init });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, "unreachable", cause instanceof Error ? cause.message : String(cause));
  }
  if (!response.ok) throw await readError(response);
  return response;
}

export async function fetchJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await send(path, { signal: signal ?? null, headers: { accept: "application/json" } });
  return (await response.json()) as T;
}

export async function sendJson<T>(
  method: "POST" | "PATCH",
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<T | null> {
  const response = await send(path, {
    method,
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });
  const text = await response.text();
  return text === "" ? null : (JSON.parse(text) as T);
}

export function bodyPath(flow: string, side: "request" | "response"): string {
  return `/api/flows/${flow}/${side}/body`;
}
