// Before something grave the server asks who is there: for the password, or for a code. The question is shown by
// `ui/question.tsx`, and the request is made again with the answer.

import { create } from "zustand";
import { ApiError } from "@/api/rest";
import { atEnd } from "./state";

export type Proof = Record<string, string>;

export interface Question {
  method: "totp" | "email" | "password";
  /** The last answer was wrong. */
  wrong: boolean;
  answer: (proof: Proof | null) => void;
}

export const useQuestion = create<{ question: Question | null }>(() => ({ question: null }));

atEnd(() => useQuestion.getState().question?.answer(null));

/** The person did not want to answer. */
export class Unanswered extends Error {}

const isQuestion = (error: unknown): error is ApiError => error instanceof ApiError && /^totp-/.test(error.code);

/** Makes a request that may ask for a proof of who is there: `confirmed((headers) => post(..., { headers }))`. */
export async function confirmed<T>(run: (headers: Proof) => Promise<T>): Promise<T> {
  let proof: Proof = {};
  for (let wrong = false; ; wrong = true) {
    try {
      const done = await run(proof);
      useQuestion.setState({ question: null });
      return done;
    } catch (error) {
      if (!isQuestion(error)) {
        useQuestion.setState({ question: null });
        throw error;
      }
      const details = (error.details ?? {}) as { method?: Question["method"] };
      const given = await ask(details.method ?? "totp", wrong);
      if (!given) throw new Unanswered();
      proof = given;
    }
  }
}

function ask(method: Question["method"], wrong: boolean): Promise<Proof | null> {
  return new Promise((resolve) => {
    const answer = (proof: Proof | null): void => {
      if (!proof) useQuestion.setState({ question: null });
      resolve(proof);
    };
    useQuestion.setState({ question: { method, wrong, answer } });
  });
}

/** A password is not sent in clear where a digest serves. */
export async function digest(text: string): Promise<string> {
  const data = new TextEncoder().encode(text);
  // Browsers keep theirs from pages that came without TLS.
  const bytes = crypto.subtle
    ? new Uint8Array(await crypto.subtle.digest("SHA-256", data))
    : (await import("@/lib/sha256")).sha256(data);
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
