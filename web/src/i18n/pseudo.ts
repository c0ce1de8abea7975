// Two locales made from English. en-XA (longer, accented, in brackets) shows texts that don't fit or bypass the
// catalogs; ar-XB (right to left) shows layouts that are not mirrored.

type Token = string | [string, string?, unknown?];
export type Compiled = string | Token[];

const ACCENTS: Record<string, string> = {
  a: "á",
  e: "é",
  i: "í",
  o: "ó",
  u: "ú",
  c: "ç",
  n: "ñ",
  A: "Å",
  E: "É",
  O: "Ö",
};

const longer = (text: string): string => text.replace(/[a-zA-Z]/g, (letter) => ACCENTS[letter] ?? letter);
const mirrored = (text: string): string => (text.trim() ? `\u202e${text}\u202c` : text);

/** Changes what people read and leaves names of arguments alone. */
function walk(message: Compiled, change: (text: string) => string): Compiled {
  if (typeof message === "string") return change(message);
  return message.map((token): Token => {
    if (typeof token === "string") return token === "#" ? token : change(token);
    const [name, kind, cases] = token;
    if ((kind === "plural" || kind === "select" || kind === "selectordinal") && cases) {
      const changed = Object.entries(cases as Record<string, Compiled | number>).map(([key, value]) => [
        key,
        key === "offset" ? value : walk(value as Compiled, change),
      ]);
      return [name, kind, Object.fromEntries(changed)];
    }
    return token;
  });
}

const length = (message: Compiled): number => JSON.stringify(message).length;

export function pseudo(locale: "en-XA" | "ar-XB", messages: Record<string, Compiled>): Record<string, Compiled> {
  const all = Object.entries(messages).map(([id, message]): [string, Compiled] => {
    if (locale === "ar-XB") return [id, walk(message, mirrored)];
    const changed = walk(message, longer);
    const tokens = typeof changed === "string" ? [changed] : changed;
    return [id, ["[", ...tokens, `${" ~".repeat(Math.ceil(length(message) / 6))}]`]];
  });
  return Object.fromEntries(all);
}
