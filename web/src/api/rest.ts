// REST v1: one function, typed errors, the session's headers.

import { headersOf, type Proof, proving } from "./challenge";
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
  /** The session's last request: it goes out while the others are given up. */
  last?: boolean;
  /** May go in one request with others of the same moment: the slowest of them decides for all. */
  joined?: boolean;
}

const LONGEST = 10_000;

/** Gives up what is under way for the session, as soon as its end was asked for. */
let ending = new AbortController();

/** Ends the session at the server. What else was under way would only be refused. */
export async function endSession(timeout: number): Promise<void> {
  ending.abort();
  try {
    await once("POST", "logout", { body: {}, timeout, last: true });
  } finally {
    ending = new AbortController();
  }
}

/** Told when the server no longer knows the session. */
export const signedOut = new EventTarget();

export async function get<T = Record<string, unknown>>(name: string, query?: Query, options: Options = {}): Promise<T> {
  if (options.joined) return join<T>(name, query);
  return call<T>("GET", name, { ...options, query });
}

interface Waiting {
  name: string;
  query: Query | undefined;
  resolve: (body: never) => void;
  reject: (error: unknown) => void;
}

let waiting: Waiting[] = [];
/** Requests in one, as the server allows, and how long one of many may take (ms). */
const AT_ONCE = 12;
const LONG = 30_000;

function join<T>(name: string, query?: Query): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    // All that is asked for in one turn.
    if (waiting.length === 0) queueMicrotask(send);
    waiting.push({ name, query, resolve, reject });
  });
}

function send(): void {
  const all = waiting;
  waiting = [];
  for (let at = 0; at < all.length; at += AT_ONCE) void sendSome(all.slice(at, at + AT_ONCE));
}

async function sendSome(all: Waiting[]): Promise<void> {
  const alone = ({ name, query, resolve, reject }: Waiting): void =>
    void call<never>("GET", name, { query, timeout: LONG }).then(resolve, reject);
  if (all.length === 1) return all.forEach(alone);
  const token = session.get()?.token;
  const calls = all.map(({ name, query }): [string, string] => ["call", path(name, query)]);
  try {
    type Answers = { answers: { status: number; body: Record<string, unknown> }[] };
    const { answers } = await call<Answers>("GET", `requests.batch?${new URLSearchParams(calls)}`, { timeout: LONG });
    for (const [at, one] of all.entries()) {
      const answer = answers[at];
      // A question that is asked of one is answered by one.
      if (!answer || answer.status === 413 || asks(answer.body)) alone(one);
      else
        try {
          one.resolve(judge(answer.status, answer.body, token) as never);
        } catch (error) {
          one.reject(error);
        }
    }
  } catch (error) {
    // Away for one is away for all; a server that can't join them answers each.
    if (error instanceof ApiError && error.isAway) for (const { reject } of all) reject(error);
    else all.forEach(alone);
  }
}

const asks = ({ error, errorType }: Record<string, unknown>): boolean =>
  error === "totp-required" || errorType === "totp-required";

export async function post<T = Record<string, unknown>>(
  name: string,
  body: unknown = {},
  options: Options = {},
): Promise<T> {
  return call<T>("POST", name, { ...options, body });
}

/** Makes a request. Where the server asks first who is there, the person is asked, and the request made again. */
export async function call<T>(method: string, name: string, options: Options): Promise<T> {
  // Whoever is not signed in yet is asked by the page that signs in.
  if (options.anonymous) return once<T>(method, name, options);
  return proving((proof) => once<T>(method, name, options, proof));
}

async function once<T>(method: string, name: string, options: Options, proof?: Proof): Promise<T> {
  const headers: Record<string, string> = { ...options.headers, ...headersOf(proof) };
  const own = session.get();
  if (own && !options.anonymous) {
    headers["X-Auth-Token"] = own.token;
    headers["X-User-Id"] = own.userId;
  }
  const form = options.body instanceof FormData;
  if (options.body !== undefined && !form) headers["Content-Type"] = "application/json";
  const signals = [AbortSignal.timeout(options.timeout ?? LONGEST)];
  if (!options.last && !options.anonymous) signals.push(ending.signal);
  if (options.signal) signals.push(options.signal);
  const request: RequestInit = {
    method,
    headers,
    cache: "no-store",
    signal: AbortSignal.any(signals),
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

const address = (name: string, query?: Query): string => `/api/v1/${path(name, query)}`;

function path(name: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(key, String(value));
  }
  const text = parameters.toString();
  return `${name}${text ? `?${text}` : ""}`;
}

async function read<T>(response: Response, token?: string): Promise<T> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  return judge(response.status, body, token, response.statusText) as T;
}

/** What came of a call; throws where it was refused. */
function judge(status: number, body: Record<string, unknown>, token?: string, otherwise = ""): unknown {
  if (status < 300 && body.success !== false) return body;
  const text = String(body.message ?? body.error ?? otherwise);
  const code = String(body.errorType ?? body.error ?? status);
  if (status === 401 && token && token === session.get()?.token && body.error === undefined) {
    signedOut.dispatchEvent(new Event("signed-out"));
  }
  throw new ApiError(status, code, text, body.details);
}
