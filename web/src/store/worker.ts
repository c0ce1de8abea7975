// The service worker: registered once the app stands, asked for pushes where the reader allows them.

import { get, post } from "@/api/rest";
import { session } from "@/api/session";
import { t } from "@/i18n";
import { toast } from "@/ui/toast";

let registration: Promise<ServiceWorkerRegistration | null> | undefined;

/** The page's policy lets no text become the address of a script; this one address may. */
function address(): string {
  type Factory = { createPolicy: (name: string, rules: object) => { createScriptURL: (text: string) => string } };
  const { trustedTypes } = window as { trustedTypes?: Factory };
  if (!trustedTypes) return "/sw.js";
  return trustedTypes.createPolicy("parlor", { createScriptURL: () => "/sw.js" }).createScriptURL("");
}

/** Registers it. */
export function startWorker(): void {
  if (!("serviceWorker" in navigator) || import.meta.env.DEV) return;
  const { serviceWorker } = navigator;
  // Registering throws where the policy of the page is stricter than the browser can say.
  registration ??= Promise.resolve()
    .then(() => serviceWorker.register(address(), { updateViaCache: "none" }))
    .then(watch, () => null);
  // Whoever allowed pushes once is subscribed at each start: the server asks for it, and it is cheap.
  if ("Notification" in window && Notification.permission === "granted") void subscribe().catch(() => undefined);
}

function watch(found: ServiceWorkerRegistration | undefined): ServiceWorkerRegistration | null {
  // Browsers that block workers answer with nothing.
  if (!found) return null;
  const hint = (worker: ServiceWorker): void => {
    // The first one is no news.
    if (!navigator.serviceWorker.controller) return;
    toast(t("version.new"), { action: { label: t("app.reload"), run: () => takeOver(worker) } });
  };
  if (found.waiting) hint(found.waiting);
  found.addEventListener("updatefound", () => {
    const worker = found.installing;
    worker?.addEventListener("statechange", () => worker.state === "installed" && hint(worker));
  });
  setInterval(() => void found.update().catch(() => undefined), 3_600_000);
  return found;
}

/** What was written is on disk: the page can go and come again. */
function takeOver(worker: ServiceWorker): void {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  worker.postMessage("take over");
}

export const pushPossible = (): boolean => "serviceWorker" in navigator && "PushManager" in window;

function bytes(key: string): Uint8Array<ArrayBuffer> {
  const text = atob(key.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Subscribes this browser to the account's pushes. */
export async function subscribe(): Promise<boolean> {
  const worker = await registration;
  if (!worker || !pushPossible() || !session.get()) return false;
  const { publicKey } = await get<{ publicKey: string }>("push.vapid");
  const options = { userVisibleOnly: true, applicationServerKey: bytes(publicKey) };
  const subscription = (await worker.pushManager.getSubscription()) ?? (await worker.pushManager.subscribe(options));
  await post("push.subscribe", subscription.toJSON());
  return true;
}

/** Ends it, before signing out. */
export async function unsubscribe(): Promise<void> {
  const worker = await registration;
  const subscription = await worker?.pushManager.getSubscription();
  if (!subscription) return;
  await post("push.unsubscribe", { endpoint: subscription.endpoint }).catch(() => undefined);
  await subscription.unsubscribe();
}
