// DDP's methods over REST: where a second factor may be asked for, which headers answer.

import { ApiError, post } from "./rest";

interface Answer {
  result?: unknown;
  error?: { error: string | number; reason?: string; message?: string; details?: unknown };
}

/** Calls a method; what it refuses is an `ApiError` with its code. */
export async function method<T = unknown>(
  name: string,
  params: unknown[] = [],
  headers: Record<string, string> = {},
  anonymous = false,
): Promise<T> {
  const call = JSON.stringify({ msg: "method", id: "1", method: name, params });
  const path = `${anonymous ? "method.callAnon" : "method.call"}/${encodeURIComponent(name.replaceAll("/", ":"))}`;
  const { message } = await post<{ message: string }>(path, { message: call }, { headers, anonymous });
  const { result, error } = JSON.parse(message) as Answer;
  if (error) throw new ApiError(400, String(error.error), error.reason ?? error.message ?? "", error.details);
  return result as T;
}
