// REST v1: one function, typed errors, the session's headers.

import { session } from "./session";

export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    /** Rocket.Chat's `errorType`, or its `error` where that is a bare code. */
    readonly code: string,
    text: string,
    readonly details?: unknown,
  ) {
    super(text);
  }

  /** Nothing was refused: the network or the server is away, and trying again may help. */
  get isAway(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

type Query = Record<string, string | number | boolean | undefined>;

export interface Options {
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  /** Milliseconds before the request is given up (10 s unless said otherwise). */
  timeout?: number;
  signal?: AbortSignal;
  /** Sends no credentials. */
  anonymous?: boolean;
}

const LONGEST = 10_000;

/** Told when the server no longer knows the session. */
export const signedOut = new EventTarget();

export async function get<T = Record<string, unknown>>(name: string, query?: Query, options: Options = {}): Promise<T> {
  return call<T>("GET", name, { ...options, query });
}

export async function post<T = Record<string, unknown>>(
  name: string,
  body: unknown = {},
  options: Options = {},
): Promise<T> {
  return call<T>("POST", name, { ...options, body });
}

export async function call<T>(method: string, name: string, options: Options): Promise<T> {
  const headers: Record<string, string> = { ...options.headers };
  const own = session.get();
  if (own && !options.anonymous) {
    headers["X-Auth-Token"] = own.token;
    headers["X-User-Id"] = own.userId;
  }
  const form = options.body instanceof FormData;
  if (options.body !== undefined && !form) headers["Content-Type"] = "application/json";
  const timeout = AbortSignal.timeout(options.timeout ?? LONGEST);
  const request: RequestInit = {
    method,
    headers,
    cache: "no-store",
    signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
  };
  if (options.body !== undefined) request.body = form ? (options.body as FormData) : JSON.stringify(options.body);
  let response: Response;
  try {
    response = await fetch(address(name, options.query), request);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, "network", error instanceof Error ? error.message : "");
  }
  return read<T>(response, own?.token);
}

function address(name: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(key, String(value));
  }
  const text = parameters.toString();
  return `/api/v1/${name}${text ? `?${text}` : ""}`;
}

async function read<T>(response: Response, token?: string): Promise<T> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok && body.success !== false) return body as T;
  const text = String(body.message ?? body.error ?? response.statusText);
  const code = String(body.errorType ?? body.error ?? response.status);
  if (response.status === 401 && token && token === session.get()?.token && body.error === undefined) {
    signedOut.dispatchEvent(new Event("signed-out"));
  }
  throw new ApiError(response.status, code, text, body.details);
}
