// Message catalogs: `locales/*.json` hold ICU texts by explicit ids; here they become modules of compiled messages, so
// that no parser of ICU goes to the browser.
import { readFileSync } from "node:fs";
import { compileMessage } from "@lingui/message-utils/compileMessage";

export function catalogs() {
  return {
    name: "catalogs",
    enforce: "pre",
    load(id) {
      if (!/\/locales\/[\w-]+\.json$/.test(id)) return null;
      const texts = Object.entries(JSON.parse(readFileSync(id, "utf8")));
      const messages = Object.fromEntries(texts.map(([key, text]) => [key, compileMessage(text)]));
      return {
        code: `export default JSON.parse(${JSON.stringify(JSON.stringify(messages))})`,
        moduleType: "js",
      };
    },
  };
}
