import { type ReactNode, useEffect, useState } from "react";
import { useT } from "@/i18n";
import { type Credential, type Service, services } from "@/store/account";
import { Button } from "@/ui/button";
import css from "./login.module.css";

const BACK = "parlor.oauth.back";

/** What the page of return left for this one, if somebody just came back from a provider. Taken once. */
export function cameBack(): Credential | null {
  try {
    const kept = sessionStorage.getItem(BACK);
    sessionStorage.removeItem(BACK);
    return kept ? (JSON.parse(kept) as Credential) : null;
  } catch {
    return null;
  }
}

/** Goes to the provider; the whole page leaves and comes back to where it is now. */
function leave(service: string): void {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const credentialToken = Array.from(crypto.getRandomValues(new Uint8Array(43)), (byte) => letters[byte & 63]).join("");
  const redirectUrl = location.pathname + location.search;
  const state = btoa(JSON.stringify({ loginStyle: "redirect", credentialToken, redirectUrl }));
  const safe = state.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  location.assign(`/_oauth/${encodeURIComponent(service)}/authorize?state=${safe}`);
}

/** The services of the workspace that people may sign in by. */
export function Services(): ReactNode {
  const t = useT();
  const [all, setAll] = useState<Service[]>([]);
  useEffect(() => {
    services()
      .then((answer) => setAll(answer.services))
      .catch(() => undefined);
  }, []);
  if (all.length === 0) return null;
  return (
    <div className={css.services}>
      {all.map(({ service, buttonLabelText }) => (
        <Button key={service} onClick={() => leave(service)}>
          {t("login.by", { name: buttonLabelText || service })}
        </Button>
      ))}
    </div>
  );
}
