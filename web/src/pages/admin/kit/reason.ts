import { ApiError } from "@/api/rest";
import type { Translate } from "@/i18n";
import { why } from "@/ui/failed";

const KNOWN: Record<string, string> = {
  "error-action-not-allowed": "admin.notAllowed",
  "error-not-allowed": "admin.notAllowed",
  "error-not-authorized": "admin.notAllowed",
  "error-unauthorized": "admin.notAllowed",
  unauthorized: "admin.notAllowed",
};

/** Why something was refused, in the reader's language as far as we have words, else in the server's. */
export function reason(error: unknown, t: Translate): string {
  if (!(error instanceof ApiError)) return t(why(error));
  if (error.isAway) return t("login.away");
  const known = KNOWN[error.code];
  if (known || error.status === 403) return t(known ?? "admin.notAllowed");
  return t("admin.said", { text: error.message.replace(/ \[[\w-]+\]$/, "") });
}
