// Every page and its address on one screen. A page is a folder with a default export, and with its own texts in
// `locales/` where it has many.

import { Search } from "./chat/later";
import { page } from "./lazy";

export { default as Login } from "./login";
export const Chat = page(() => import("./chat"));

interface Entry {
  /** wouter's pattern. */
  path: string;
  page: ReturnType<typeof page<object>>;
}

/** Pages without signing in. */
export const outside: Entry[] = [
  { path: "/setup", page: page(() => import("./setup"), import.meta.glob("./setup/locales/*.json")) },
  { path: "/register", page: page(() => import("./register"), import.meta.glob("./register/locales/*.json")) },
  {
    path: "/forgot-password",
    page: page(() => import("./register/forgot"), import.meta.glob("./register/locales/*.json")),
  },
  {
    path: "/reset-password/:token",
    page: page(() => import("./register/reset"), import.meta.glob("./register/locales/*.json")),
  },
  {
    path: "/verify-email/:token",
    page: page(() => import("./register/verify"), import.meta.glob("./register/locales/*.json")),
  },
  { path: "/invite/:token", page: page(() => import("./invite")) },
];

/** Pages beside the chat, for those who are signed in: shown in place of the conversation. */
export const inside: Entry[] = [
  { path: "/support", page: page(() => import("./support"), import.meta.glob("./support/locales/*.json")) },
  {
    path: "/settings/:section?",
    page: page(() => import("./settings"), import.meta.glob("./settings/locales/*.json")),
  },
  { path: "/admin/*?", page: page(() => import("./admin"), import.meta.glob("./admin/locales/*.json")) },
  { path: "/directory", page: page(() => import("./directory"), import.meta.glob("./directory/locales/*.json")) },
  { path: "/search", page: Search },
];
