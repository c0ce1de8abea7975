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

/** The few lines that the bundler's own modules share stand in a file of their own, which the shell needs at once: they
 * are put into the shell, and whoever asked for them asks it. */
export function withoutRuntime() {
  return {
    name: "without-runtime",
    enforce: "post",
    generateBundle(_, bundle) {
      const all = Object.values(bundle).filter(({ type }) => type === "chunk");
      const runtime = all.find(({ name }) => name === "rolldown-runtime");
      const shell = all.find(({ name }) => name === "shell");
      const [end, list] = /export\s*\{([^}]*)\};?\s*$/.exec(runtime?.code ?? "") ?? [];
      if (!runtime || !shell || !end) throw new Error("the bundler's runtime is not where it was");
      const names = list.split(",").map((one) => one.trim().split(/\s+as\s+/));
      const [file, target] = [runtime, shell].map(({ fileName }) => fileName.split("/").at(-1));
      const asked = new RegExp(`import\\s*\\{([^}]*)\\}\\s*from\\s*["']\\./${file.replaceAll(".", "\\.")}["'];?`, "g");
      const given = (name) => `runtime_${name}`;
      for (const chunk of all) {
        if (chunk === runtime) continue;
        chunk.code = chunk.code.replace(asked, (_, what) => {
          const wanted = what.split(",").map((one) => one.trim().split(/\s+as\s+/));
          if (chunk !== shell)
            return `import{${wanted.map(([from, to = from]) => `${given(from)} as ${to}`).join()}}from"./${target}";`;
          return wanted.map(([from, to = from]) => `var ${to}=${given(from)};`).join("");
        });
        chunk.code = chunk.code.replace(new RegExp(`import\\s*["']\\./${file.replaceAll(".", "\\.")}["'];?`, "g"), "");
        chunk.code = chunk.code.replaceAll(runtime.fileName, shell.fileName);
        const imports = chunk.imports.map((one) => (one === runtime.fileName ? shell.fileName : one));
        chunk.imports = [...new Set(imports)].filter((one) => one !== chunk.fileName);
      }
      const body = runtime.code.slice(0, -end.length);
      const kept = names.map(([own, out = own]) => `${given(out)}=made.${out}`).join();
      const made = `(()=>{${body};return{${names.map(([own, out = own]) => `${out}:${own}`).join()}}})()`;
      shell.code = `var made=${made},${kept};${shell.code};export{${names.map(([own, out = own]) => given(out)).join()}};`;
      delete bundle[runtime.fileName];
      for (const page of Object.values(bundle)) {
        if (!page.fileName.endsWith(".html")) continue;
        const tag = new RegExp(`\\s*<script[^>]*${file.replaceAll(".", "\\.")}"></script>`);
        page.source = String(page.source).replace(tag, "");
      }
    },
  };
}
