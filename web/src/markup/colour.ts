// Colour for blocks of code: fetched when the first block in a language that is known is shown. What the highlighter
// finds becomes spans with a class; its HTML is never asked for.

import hljs from "highlight.js/lib/core";
import type { LanguageFn } from "highlight.js";

type Loader = () => Promise<{ default: LanguageFn }>;

const LANGUAGES: Record<string, Loader> = {
  bash: () => import("highlight.js/lib/languages/bash"),
  c: () => import("highlight.js/lib/languages/c"),
  cpp: () => import("highlight.js/lib/languages/cpp"),
  csharp: () => import("highlight.js/lib/languages/csharp"),
  css: () => import("highlight.js/lib/languages/css"),
  diff: () => import("highlight.js/lib/languages/diff"),
  go: () => import("highlight.js/lib/languages/go"),
  ini: () => import("highlight.js/lib/languages/ini"),
  java: () => import("highlight.js/lib/languages/java"),
  javascript: () => import("highlight.js/lib/languages/javascript"),
  json: () => import("highlight.js/lib/languages/json"),
  kotlin: () => import("highlight.js/lib/languages/kotlin"),
  markdown: () => import("highlight.js/lib/languages/markdown"),
  php: () => import("highlight.js/lib/languages/php"),
  python: () => import("highlight.js/lib/languages/python"),
  ruby: () => import("highlight.js/lib/languages/ruby"),
  rust: () => import("highlight.js/lib/languages/rust"),
  sql: () => import("highlight.js/lib/languages/sql"),
  swift: () => import("highlight.js/lib/languages/swift"),
  typescript: () => import("highlight.js/lib/languages/typescript"),
  xml: () => import("highlight.js/lib/languages/xml"),
  yaml: () => import("highlight.js/lib/languages/yaml"),
};
const OTHER_NAMES: Record<string, string> = {
  "c++": "cpp",
  "c#": "csharp",
  cs: "csharp",
  golang: "go",
  h: "c",
  html: "xml",
  js: "javascript",
  jsx: "javascript",
  kt: "kotlin",
  md: "markdown",
  patch: "diff",
  py: "python",
  rb: "ruby",
  rs: "rust",
  sh: "bash",
  shell: "bash",
  svg: "xml",
  toml: "ini",
  ts: "typescript",
  tsx: "typescript",
  yml: "yaml",
  zsh: "bash",
};
/** Longer code stays plain (characters): colouring may never hold up a frame for long. */
const LONGEST = 20_000;

/** A stretch of code: plain, or of a kind. */
export type Part = string | { kind: string; parts: Part[] };

interface Node {
  scope?: string;
  children: (Node | string)[];
}

const parts = (node: Node): Part[] =>
  node.children.map((child) =>
    typeof child === "string" ? child : { kind: (child.scope ?? "").split(".")[0] ?? "", parts: parts(child) },
  );

/** The parts of a text, or `null` where the language is not known or the text is too long. */
export async function colour(language: string, text: string): Promise<Part[] | null> {
  const asked = language.toLowerCase();
  const name = Object.hasOwn(OTHER_NAMES, asked) ? (OTHER_NAMES[asked] ?? asked) : asked;
  if (!Object.hasOwn(LANGUAGES, name) || text.length > LONGEST) return null;
  if (!hljs.getLanguage(name)) {
    const module = await LANGUAGES[name]?.();
    if (module) hljs.registerLanguage(name, module.default);
  }
  const { _emitter } = hljs.highlight(text, { language: name, ignoreIllegals: true });
  return parts((_emitter as unknown as { root: Node }).root);
}
