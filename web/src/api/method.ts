// DDP's methods over REST: they are answered also while there is no socket.

import { headersOf, type Proof, proving } from "./challenge";
import { ApiError, post } from "./rest";

interface Answer {
  result?: unknown;
  error?: { error: string | number; reason?: string; message?: string; details?: unknown };
}

/** Calls a method; what it refuses is an `ApiError` with its code. */
export async function method<T = unknown>(name: string, params: unknown[] = [], anonymous = false): Promise<T> {
  const call = JSON.stringify({ msg: "method", id: "1", method: name, params });
  const path = `${anonymous ? "method.callAnon" : "method.call"}/${encodeURIComponent(name.replaceAll("/", ":"))}`;
  const once = async (proof?: Proof): Promise<T> => {
    const options = { headers: headersOf(proof), anonymous };
    const { message } = await post<{ message: string }>(path, { message: call }, options);
    const { result, error } = JSON.parse(message) as Answer;
    if (error) throw new ApiError(400, String(error.error), error.reason ?? error.message ?? "", error.details);
    return result as T;
  };
  return anonymous ? once() : proving(once);
}
