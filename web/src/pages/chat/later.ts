// Parts of the chat that are fetched when they are first opened, with their texts.

import { page } from "../lazy";

const texts = import.meta.glob("./more/locales/*.json");

export const EmojiPicker = page(() => import("./emoji-picker"), texts);
export const Voice = page(() => import("./voice"), texts);
export const Side = page(() => import("./side"), texts);
export const Create = page(() => import("./create"), texts);
export const Shortcuts = page(() => import("./shortcuts"), texts);
export const Jump = page(() => import("./jump"), texts);
export const Confirm = page(() => import("@/ui/confirm"));
export const Gallery = page(() => import("./gallery"), texts);
export const Facts = page(() => import("./facts"), texts);
export const Forward = page(() => import("./forward"), texts);
export const Search = page(() => import("../search"), texts);
export const Uploads = page(() => import("./uploads"));
