// The service worker: the app's own files for when there is no network, and pushes. It keeps nothing that anybody
// wrote: messages come from the server, or from the page's own store.

declare const self: ServiceWorkerGlobalScope;
/** The files of this build, put in by the build. */
declare const FILES: string[];
/** Changes with them. */
declare const BUILD: string;

const CACHE = `parlor-${BUILD}`;
const SHELL = "/index.html";
/** How long the server may take for a page of which there is one here (ms). */
const PATIENCE = 2_500;

self.addEventListener("install", (event) => {
  // What this build needs to stand, or nothing: a half is worse than none.
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([SHELL, ...FILES])));
});

self.addEventListener("activate", (event) => {
  const tidy = async (): Promise<void> => {
    const old = (await caches.keys()).filter((name) => name.startsWith("parlor-") && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

// The page asks for the new version when its reader wants it.
self.addEventListener("message", (event) => {
  if (event.data === "take over") void self.skipWaiting();
});

/** Addresses that are the server's and not the app's. */
const FOREIGN =
  /^\/(api|avatar|file-upload|emoji-custom|custom-sounds|images|assets|_oauth|oauth|hooks|health|websocket|sockjs)(\/|$|\.)/;

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || FOREIGN.test(url.pathname)) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (url.pathname.startsWith("/web/")) event.respondWith(own(request));
});

/** The page of the server; where that is away, ill or too slow, the one that is kept. */
async function page(request: Request): Promise<Response> {
  const kept = await caches.match(SHELL);
  if (!kept) return fetch(request);
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(kept), PATIENCE));
  const answer = fetch(request).then(
    (found) => (found.status >= 500 ? kept : found),
    () => kept,
  );
  return Promise.race([answer, late]);
}

/** Files whose names change with their content are good for ever. */
async function own(request: Request): Promise<Response> {
  const kept = await caches.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  // What was opened once is there without a network too.
  if (answer.ok) await (await caches.open(CACHE)).put(request, answer.clone());
  return answer;
}

interface Push {
  type: "message" | "read" | "test";
  tag: string;
  title?: string;
  body?: string;
  url?: string;
  icon?: string;
  badge?: number;
  at?: number;
}

self.addEventListener("push", (event) => {
  let push: Push;
  try {
    push = event.data?.json() as Push;
  } catch {
    return;
  }
  event.waitUntil(show(push));
});

async function show(push: Push): Promise<void> {
  if (typeof push.badge === "number" && "setAppBadge" in navigator) {
    await (push.badge > 0 ? navigator.setAppBadge(push.badge) : navigator.clearAppBadge()).catch(() => undefined);
  }
  if (push.type === "read") {
    for (const one of await self.registration.getNotifications({ tag: push.tag })) one.close();
    return;
  }
  const pages = await self.clients.matchAll({ type: "window" });
  // Whoever looks at the app sees the message there.
  if (push.type === "message" && pages.some((page) => page.focused)) return;
  await self.registration.showNotification(push.title ?? "Parlor", {
    body: push.body ?? "",
    tag: push.tag,
    icon: push.icon ?? "/app/icon.svg",
    data: { url: push.url ?? "/" },
    ...(push.at ? { timestamp: push.at } : {}),
  });
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url } = event.notification.data as { url: string };
  // Only what is on this server.
  const path = url.startsWith("/") && !url.startsWith("//") ? url : "/";
  event.waitUntil(open(path));
});

async function open(path: string): Promise<void> {
  const [page] = await self.clients.matchAll({ type: "window" });
  if (!page) {
    await self.clients.openWindow(path);
    return;
  }
  page.postMessage({ open: path });
  await page.focus();
}

export {};
