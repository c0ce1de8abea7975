// What is fetched together stands in one file: the shell with signing in, and the chat. Each request
// costs a reader far from the server a turn, and dozens of small files were fetched before the first message was seen.

const CHAT = new URL("../src/pages/chat/index.tsx", import.meta.url).pathname;

const ICONS = /\/lucide-react\/dist\/esm\/lucide-react\.m?js$/;

/** The icons that a module asks the set of all icons for: otherwise whoever takes one would have those of all pages. */
function icons(code, set, context) {
  const [, names = ""] = /import\s*\{([^}]*)\}\s*from\s*["']lucide-react["']/.exec(code ?? "") ?? [];
  const wanted = names.split(",").map((name) => name.trim().split(/\s+as\s+/)[0]);
  const files = [
    ...(context.getModuleInfo(set)?.code ?? "").matchAll(/export\s*\{([^}]*)\}\s*from\s*["']\.\/(icons\/[^"']+)["']/g),
  ]
    .filter(([, list]) =>
      list.split(",").some((one) =>
        wanted.includes(
          one
            .trim()
            .split(/\s+as\s+/)
            .at(-1),
        ),
      ),
    )
    .map(([, , file]) => set.replace(/[^/]+$/, file));
  return files;
}

/** What a module imports at once, and so on. */
function closure(id, context, seen = new Set()) {
  if (seen.has(id)) return seen;
  seen.add(id);
  const { importedIds = [], code } = context.getModuleInfo(id) ?? {};
  for (const next of importedIds) {
    if (!ICONS.test(next)) closure(next, context, seen);
    else for (const icon of icons(code, next, context)) closure(icon, context, seen);
  }
  return seen;
}

/** Groups of modules for the bundler. */
export function chunks() {
  let chat;
  const name = (id, context) => {
    chat ??= closure(CHAT, context);
    return chat.has(id) ? "chat" : null;
  };
  return {
    groups: [
      { name: "shell", tags: ["$initial"], priority: 2 },
      { name: "shell", test: /rolldown.runtime/, priority: 2 },
      { name, debugName: "pages", priority: 1 },
    ],
  };
}

/** The bundler puts a file of one line before a page that stands in a group: whoever wants the page asks the group. */
export function withoutDetours() {
  const LINE = /^export\{(\w+) as default\}from"\.\/([^"]+)";?\s*$/;
  return {
    name: "without-detours",
    enforce: "post",
    generateBundle(_, bundle) {
      const all = Object.values(bundle).filter(({ type }) => type === "chunk");
      for (const { fileName, code } of all) {
        const [, name, target] = LINE.exec(code) ?? [];
        if (!name) continue;
        const [file, place] = fileName.split("/").reverse();
        const direct = `import("./${target}").then(all=>({default:all.${name}}))`;
        for (const chunk of all) {
          for (const quote of ['"', "'", "`"])
            chunk.code = chunk.code.replaceAll(`import(${quote}./${file}${quote})`, direct);
          chunk.code = chunk.code.replaceAll(`"${place}/${file}"`, `"${place}/${target}"`);
        }
      }
    },
  };
}
