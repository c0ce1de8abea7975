// Parts of support that stand within the chat, fetched when they are needed.

import { page } from "../lazy";

const texts = import.meta.glob("./locales/*.json");

export const Alarm = page(() => import("./alarm"), texts);
export const CaseBar = page(() => import("./bar"), texts);
export const CasePanel = page(() => import("./panel"), texts);
