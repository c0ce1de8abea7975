// Completion in the composer: what may stand in place of what is being typed. Fetched when somebody types a mark.

import { get } from "@/api/rest";
import type { Id } from "@/api/types";
import { addCatalog, intl, t } from "@/i18n";
import { fit } from "@/lib/text";
import { character, loadEmoji } from "@/markup/emoji";
import { atEnd, state } from "@/store/state";
import type { Choice, Typed } from "./typed";

/** What the commands do: needed only where one is typed. */
const COMMANDS = import.meta.glob("./commands/locales/*.json");

interface Person {
  _id: Id;
  username: string;
  name?: string;
}

const members = new Map<Id, Promise<Person[]>>();

function inRoom(rid: Id): Promise<Person[]> {
  const type = state().subscriptions[rid]?.t ?? "c";
  const family = { c: "channels", p: "groups", d: "im", l: "groups" }[type];
  let found = members.get(rid);
  if (!found) {
    found = get<{ members: Person[] }>(`${family}.members`, { roomId: rid, count: 100 })
      .then((answer) => answer.members)
      .catch(() => []);
    members.set(rid, found);
    setTimeout(() => members.delete(rid), 60_000);
  }
  return found;
}

const ranked = <T>(all: T[], score: (one: T) => number, most = 8): T[] =>
  all
    .map((one) => ({ one, at: score(one) }))
    .filter(({ at }) => at > 0)
    .sort((a, b) => b.at - a.at)
    .slice(0, most)
    .map(({ one }) => one);

async function people(rid: Id | undefined, text: string): Promise<Choice[]> {
  const here = rid ? await inRoom(rid) : [];
  const score = (one: Person): number => Math.max(fit(one.username, text), fit(one.name ?? "", text));
  let found = ranked(here, score, 6);
  if (found.length < 4 && text) {
    const selector = JSON.stringify({ term: text, exceptions: found.map(({ username }) => username) });
    const more = await get<{ items: Person[] }>("users.autocomplete", { selector }).catch(() => ({ items: [] }));
    found = [...found, ...more.items.slice(0, 6 - found.length)];
  }
  const choices = found.map((one): Choice => ({
    key: one._id,
    insert: `@${one.username} `,
    label: one.name ?? one.username,
    more: `@${one.username}`,
    username: one.username,
  }));
  const all = ["all", "here"].filter((name) => text && name.startsWith(text.toLowerCase()));
  return [...choices, ...all.map((name): Choice => ({ key: name, insert: `@${name} `, label: `@${name}` }))];
}

async function rooms(text: string): Promise<Choice[]> {
  const own = Object.values(state().subscriptions).filter((sub) => sub.t === "c" || sub.t === "p");
  return ranked(own, (sub) => Math.max(fit(sub.name, text), fit(sub.fname ?? "", text))).map((sub) => ({
    key: sub.rid,
    insert: `#${sub.name} `,
    ...(sub.fname && sub.fname !== sub.name ? { label: sub.fname, more: `#${sub.name}` } : { label: `#${sub.name}` }),
    rid: sub.rid,
  }));
}

async function emoji(text: string): Promise<Choice[]> {
  const rows = await loadEmoji(intl());
  const custom = Object.entries(state().emoji).map(([name, src]): Choice => ({
    key: name,
    insert: `:${name}: `,
    label: `:${name}:`,
    src,
  }));
  const known = ranked(
    rows,
    ([, , codes, name]) => Math.max(...codes.split(" ").map((code) => fit(code, text)), fit(name, text) - 1),
    8,
  );
  const choices = known.flatMap(([char, , codes, name]): Choice[] => {
    const [code] = ranked(codes.split(" "), (one) => 1 + fit(one, text), 1);
    return code ? [{ key: char, insert: `${character(code) ?? char} `, label: `:${code}:`, more: name, char }] : [];
  });
  return [...ranked(custom, (one) => fit(one.label, text), 3), ...choices].slice(0, 8);
}

interface Command {
  command: string;
  params?: string;
  description?: string;
}

let known: Promise<Command[]> | undefined;
atEnd(() => {
  known = undefined;
  members.clear();
});

export function commands(): Promise<Command[]> {
  known ??= get<{ commands: Command[] }>("commands.list", { count: 100 })
    .then((answer) => answer.commands)
    .catch(() => {
      // Asked for again the next time.
      known = undefined;
      return [];
    });
  return known;
}

async function slash(text: string): Promise<Choice[]> {
  const [all] = await Promise.all([commands(), addCatalog(COMMANDS).catch(() => undefined)]);
  return ranked(all, ({ command }) => (command.startsWith(text) ? fit(command, text) : 0)).map((one) => ({
    key: one.command,
    insert: `/${one.command} `,
    label: `/${one.command}`,
    more: saying(one),
  }));
}

/** What a command does, in the reader's language; what others have added says what it takes. */
function saying({ command, params = "" }: Command): string {
  const id = `command.${command}`;
  const words = t(id);
  return words === id ? params : words;
}

/** What may stand in place of what is typed; people of the room first, where there is one. */
export function choices(rid: Id | undefined, { mark, text }: Typed): Promise<Choice[]> {
  if (mark === "@") return people(rid, text);
  if (mark === "#") return rooms(text);
  if (mark === ":") return emoji(text);
  return slash(text);
}
