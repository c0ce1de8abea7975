// What is said when something was refused: what did not happen, why as far as that is known, and what to do.

import { Unanswered } from "@/api/challenge";
import { DdpError } from "@/api/ddp";
import { ApiError } from "@/api/rest";
import { t } from "@/i18n";
import { toast } from "./toast";

/** Why something was refused and what helps, as a message id. */
export function why(error: unknown): string {
  if (error instanceof Unanswered) return "why.unanswered";
  if (error instanceof DOMException) return "why.browser";
  if (!(error instanceof ApiError || error instanceof DdpError)) return "why.refused";
  const status = error instanceof ApiError ? error.status : -1;
  const said = `${error.code} ${error.message}`;
  if (error instanceof ApiError ? error.isAway : error.code === "offline") return "why.away";
  if (status === 429 || /too-many-requests/i.test(said)) return "why.tooOften";
  if (status === 404 || /not-found|invalid-(room|message|user|subscription)|no longer/i.test(said)) return "why.gone";
  if (status === 403 || /not[- ]allowed|un-?authorized|not-authorized|blocked|read-?only/i.test(said))
    return "why.notAllowed";
  return "why.refused";
}

/** Says that something did not happen (`what`: a message id) and why. Who would not say who is there knows it. */
export const failed =
  (what: string) =>
  (error: unknown): void => {
    if (error instanceof Unanswered) return;
    toast(t("failed.why", { what: t(what), why: t(why(error)) }), { bad: true });
  };
