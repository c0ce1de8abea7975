// Every page and its address on one screen. A page is a folder with a default export, and with its own texts in
// `locales/` where it has many.

import { page } from "./lazy";

export const Login = page(() => import("./login"));
export const Chat = page(() => import("./chat"));

interface Entry {
  /** wouter's pattern. */
  path: string;
  page: ReturnType<typeof page<object>>;
}

/** Pages without signing in. */
export const outside: Entry[] = [];

/** Pages beside the chat, for those who are signed in: shown in place of the conversation. */
export const inside: Entry[] = [];
