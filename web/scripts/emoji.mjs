// Emoji data: names and short codes of all emoji, cut from emojibase to what the picker and the renderer need, as one
// module that is loaded when somebody needs it.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

function read(locale) {
  return require(`emojibase-data/${locale}/compact.json`);
}

/** `[character, group, short codes, name, tags]` of each emoji, in the usual order. */
function rows(locale) {
  const codes = require("emojibase-data/en/shortcodes/joypixels.json");
  const more = require("emojibase-data/en/shortcodes/github.json");
  const list = (value) => (value === undefined ? [] : [value].flat());
  return read(locale)
    .filter((emoji) => emoji.group !== undefined && emoji.group !== 2)
    .sort((a, b) => a.order - b.order)
    .map((emoji) => [
      emoji.unicode,
      emoji.group,
      [...new Set([...list(codes[emoji.hexcode]), ...list(more[emoji.hexcode])])].join(" "),
      emoji.label,
      (emoji.tags ?? []).join(" "),
    ]);
}

export function emoji() {
  const prefix = "virtual:emoji/";
  return {
    name: "emoji",
    resolveId: (id) => (id.startsWith(prefix) ? `\0${id}` : null),
    load(id) {
      if (!id.startsWith(`\0${prefix}`)) return null;
      const locale = id.slice(prefix.length + 1);
      return `export default JSON.parse(${JSON.stringify(JSON.stringify(rows(locale)))})`;
    },
  };
}
