import "./styles/base.css";
import { i18n } from "@lingui/core";
import { I18nProvider } from "@lingui/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { session } from "./api/session";
import { App } from "./app";
import { startLanguage } from "./i18n";
import { followKeyboard } from "./lib/viewport";
import { start } from "./store/account";

// A part of the app that is gone from the server belongs to an older build: one reload fetches the new one.
const RELOADED = "parlor.reloaded";
/** A reload that did not help is not repeated for this long (ms). */
const PAUSE = 60_000;
addEventListener("vite:preloadError", () => {
  if (Date.now() - Number(sessionStorage.getItem(RELOADED)) < PAUSE) return;
  // Where the server is away nothing is newer, and a page that goes would not come back.
  fetch("/", { method: "HEAD", cache: "no-store" }).then(
    ({ ok }) => {
      if (!ok) return;
      sessionStorage.setItem(RELOADED, String(Date.now()));
      location.reload();
    },
    () => undefined,
  );
});

if (session.get()) {
  void start();
  // Fetched beside the texts and the lists, not after them.
  void import("./pages/chat").catch(() => undefined);
}
followKeyboard();
await startLanguage();
const place = document.getElementById("app");
if (place) {
  createRoot(place).render(
    <StrictMode>
      <I18nProvider i18n={i18n}>
        <App />
      </I18nProvider>
    </StrictMode>,
  );
}
