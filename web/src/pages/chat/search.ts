// The words of a search. The server knows the filters; the reader may write them in English or French.

const NAMES: Record<string, string> = {
  from: "from",
  de: "from",
  in: "in",
  dans: "in",
  has: "has",
  avec: "has",
  before: "before",
  avant: "before",
  after: "after",
  après: "after",
  apres: "after",
  on: "on",
  le: "on",
  mention: "mention",
};
const KINDS: Record<string, string> = {
  fichier: "file",
  lien: "link",
  image: "image",
  épingle: "pin",
  epingle: "pin",
  étoile: "star",
  etoile: "star",
};
const TERM = /"[^"]*"?|\S+/gu;

export interface Query {
  /** What the server is asked. */
  server: string;
  /** Words to be marked in what is found. */
  words: string[];
}

export function parse(input: string): Query {
  const words: string[] = [];
  const parts = (input.match(TERM) ?? []).map((term) => {
    const [, word = "", value = ""] = /^(\p{L}+):(.+)$/u.exec(term) ?? [];
    const name = NAMES[word.toLowerCase()];
    if (name) return `${name}:${name === "has" ? (KINDS[value.toLowerCase()] ?? value) : value}`;
    const clean = term.replaceAll('"', "");
    if (clean.length > 1) words.push(clean);
    return term;
  });
  return { server: parts.join(" "), words };
}

/** A filter that is being typed at the end of a search: its name in English, and what stands after the colon. */
export function filterAt(input: string): { from: number; name: string; value: string } | null {
  const match = /(^|\s)(\p{L}+):(\S*)$/u.exec(input);
  const name = NAMES[match?.[2]?.toLowerCase() ?? ""];
  return match && name ? { from: match.index + (match[1]?.length ?? 0), name, value: match[3] ?? "" } : null;
}
