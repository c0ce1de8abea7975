// Before something grave the server asks who is there: for a code, or for the password. Whatever was called waits until
// the person has answered, and is made again with the answer; who calls knows nothing of it. `ui/challenge.tsx` asks.

import { session } from "./session";

export type Way = "totp" | "email" | "password";

/** What shows who is there. */
export interface Proof {
  method: Way;
  /** A code, a recovery code, or the digest of a password. */
  code: string;
}

export interface Challenge {
  /** One for all that is asked about one thing: a wrong answer asks again under the same id. */
  id: number;
  method: Way;
  /** What the server would take as well. */
  others: Way[];
  /** The last answer was wrong. */
  wrong: boolean;
  /** `null`: the person does not want to. */
  answer: (proof: Proof | null) => void;
}

/** The person did not say who is there: nothing was done. */
export class Unanswered extends Error {}

interface Asked {
  method: Way;
  others: Way[];
  first: boolean;
}

const listeners = new Set<() => void>();
let shown: Challenge | null = null;
let next = 1;

function show(challenge: Challenge | null): void {
  shown = challenge;
  for (const listener of listeners) listener();
}

/** The question that is open. */
export const challenge = {
  get: (): Challenge | null => shown,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

session.subscribe(() => shown?.answer(null));

/** What a refusal asks for, if it asks. */
function read(error: unknown): Asked | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, details } = error as { code?: unknown; details?: unknown };
  if (code !== "totp-required" && code !== "totp-invalid") return undefined;
  const { method = "totp", availableMethods = [] } = (details ?? {}) as { method?: Way; availableMethods?: Way[] };
  return { method, others: availableMethods.filter((way) => way !== method), first: code === "totp-required" };
}

/** Settles when the open question is over: whether it was answered. */
let open: Promise<boolean> | undefined;

/**
 * Makes a call that may ask for a proof, and makes it again with the answer. Calls that ask meanwhile wait for the same
 * answer, which counts for the session, and ask for themselves only where it does not.
 *
 * Throws `Unanswered` where the person would not answer.
 */
export async function proving<T>(run: (proof?: Proof) => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      const asked = read(error);
      // Whatever brings codes of its own (it is being set up) hears itself that one was wrong.
      if (!asked?.first) throw error;
      if (!open) return lead(run, asked);
      if (!(await open)) throw new Unanswered();
    }
  }
}

async function lead<T>(run: (proof?: Proof) => Promise<T>, first: Asked): Promise<T> {
  let tell: (answered: boolean) => void = () => undefined;
  open = new Promise((resolve) => (tell = resolve));
  const id = next++;
  let answered = true;
  let asked = first;
  try {
    for (let wrong = false; ; wrong = true) {
      const proof = await ask({ id, method: asked.method, others: asked.others, wrong });
      answered = proof !== null;
      if (!proof) throw new Unanswered();
      try {
        return await run(proof);
      } catch (error) {
        const again = read(error);
        if (!again) throw error;
        // The way that was taken is asked for again.
        const all = new Set([...asked.others, asked.method, again.method]);
        asked = { ...again, method: proof.method, others: [...all].filter((way) => way !== proof.method) };
      }
    }
  } finally {
    open = undefined;
    show(null);
    tell(answered);
  }
}

const ask = (about: Omit<Challenge, "answer">): Promise<Proof | null> =>
  new Promise((answer) => show({ ...about, answer }));

/** The headers that carry it. */
export const headersOf = (proof: Proof | undefined): Record<string, string> =>
  proof ? { "x-2fa-code": proof.code, "x-2fa-method": proof.method } : {};

/** A password is not sent in clear where a digest serves. */
export async function digest(text: string): Promise<string> {
  const data = new TextEncoder().encode(text);
  // Browsers keep theirs from pages that came without TLS.
  const bytes = crypto.subtle
    ? new Uint8Array(await crypto.subtle.digest("SHA-256", data))
    : (await import("@/lib/sha256")).sha256(data);
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
