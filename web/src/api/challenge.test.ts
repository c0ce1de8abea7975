import { afterEach, expect, test } from "vitest";
import { challenge, type Proof, proving, Unanswered } from "./challenge";
import { ApiError } from "./rest";

const asks = (code = "totp-required"): ApiError =>
  new ApiError(400, code, "", { method: "totp", availableMethods: ["totp", "email"] });

/** A call of a server that takes one code, and remembers it for all that come later. */
function server(right: string): (name: string) => (proof?: Proof) => Promise<string> {
  let known = false;
  return (name) => async (proof) => {
    if (proof && proof.code !== right) throw asks("totp-invalid");
    known ||= proof !== undefined;
    if (!known) throw asks();
    return name;
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
const answer = (code: string): void => challenge.get()?.answer({ method: "totp", code });

afterEach(() => challenge.get()?.answer(null));

test("calls of one moment share one question, and each is made again with its answer", async () => {
  const call = server("123456");
  const all = Promise.all(["a", "b", "c"].map((name) => proving(call(name))));
  await turn();
  const first = challenge.get();
  expect(first).toMatchObject({ method: "totp", others: ["email"], wrong: false });
  answer("123456");
  expect(await all).toEqual(["a", "b", "c"]);
  expect(challenge.get()).toBeNull();
});

test("a wrong answer is asked for again under the same id", async () => {
  const done = proving(server("123456")("a"));
  await turn();
  const first = challenge.get();
  answer("000000");
  await turn();
  expect(challenge.get()).toMatchObject({ id: first?.id, wrong: true });
  answer("123456");
  expect(await done).toBe("a");
});

test("whoever does not answer ends all that waited for it, and the next call asks anew", async () => {
  const call = server("123456");
  const all = Promise.allSettled([proving(call("a")), proving(call("b"))]);
  await turn();
  const first = challenge.get();
  first?.answer(null);
  for (const one of await all) expect(one).toMatchObject({ status: "rejected", reason: expect.any(Unanswered) });
  expect(challenge.get()).toBeNull();
  const later = proving(call("c"));
  await turn();
  expect(challenge.get()?.id).not.toBe(first?.id);
  answer("123456");
  expect(await later).toBe("c");
});

test("other refusals are the caller's, before and after the answer", async () => {
  const no = new ApiError(403, "error-not-allowed", "");
  await expect(proving(() => Promise.reject(no))).rejects.toBe(no);
  const own = asks("totp-invalid");
  await expect(proving(() => Promise.reject(own))).rejects.toBe(own);
  const done = proving((proof) => Promise.reject(proof ? no : asks()));
  await turn();
  answer("123456");
  await expect(done).rejects.toBe(no);
  expect(challenge.get()).toBeNull();
});
