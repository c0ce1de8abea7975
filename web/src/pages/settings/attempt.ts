import { Unanswered } from "@/api/challenge";
import { ApiError } from "@/api/rest";
import { type Translate, useT } from "@/i18n";
import { why } from "@/ui/failed";
import { toast } from "@/ui/toast";

/** Whose fault a refusal is: what stands at a field, as a message id. */
export function problemOf(error: unknown): string {
  if (!(error instanceof ApiError)) return why(error);
  if (error.isAway) return "login.away";
  const said = `${error.code} ${error.message}`;
  if (/invalid-password/i.test(said)) return "profile.wrongPassword";
  if (/policy|password/i.test(said)) return "profile.weakPassword";
  if (/could-not-save-identity|field-unavailable.*username|username/i.test(said)) return "profile.badUsername";
  if (/email/i.test(said)) return "profile.badEmail";
  if (/action-not-allowed|not allowed|not-allowed/i.test(said)) return "profile.closed";
  if (error.status === 429) return "login.tooOften";
  return why(error);
}

/** Runs something and says how it went. Who does not want to prove who is there has not failed. */
export function useAttempt(): (work: Promise<unknown>, done?: string) => void {
  const t: Translate = useT();
  return (work, done) => {
    work
      .then(() => done && toast(t(done)))
      .catch((error: unknown) => {
        if (!(error instanceof Unanswered)) toast(t(problemOf(error)), { bad: true });
      });
  };
}
