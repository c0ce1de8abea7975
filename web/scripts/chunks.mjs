// What is fetched together stands in one file: the shell, what signing in and the chat share, and the chat. Each request
// costs a reader far from the server a turn, and dozens of small files were fetched before the first message was seen.

const PAGES = ["login", "chat"];

/** What a module imports at once, and so on. */
function closure(id, context, seen = new Set()) {
  if (seen.has(id)) return seen;
  seen.add(id);
  for (const next of context.getModuleInfo(id)?.importedIds ?? []) closure(next, context, seen);
  return seen;
}

/** Groups of modules for the bundler. */
export function chunks() {
  const known = new Map();
  const needs = (page, id, context) => {
    const entry = new URL(`../src/pages/${page}/index.tsx`, import.meta.url).pathname;
    if (!known.has(page)) known.set(page, closure(entry, context));
    return known.get(page).has(id);
  };
  const name = (id, context) => {
    const [login, chat] = PAGES.map((page) => needs(page, id, context));
    // What signing in needs beside its own page is small: it comes with what both need, in one file.
    const own = /\/pages\/login\/(?!frame)/.test(id);
    return login && !own ? "both" : chat ? "chat" : null;
  };
  return {
    groups: [
      { name: "shell", tags: ["$initial"], priority: 2 },
      { name, debugName: "pages", priority: 1 },
    ],
  };
}
