// The key screens, each at an address or one key away, so that they open alike in every language.
import { png } from "./png.mjs";

const CODE = ["```rust", "fn main() {", '    println!("hello");', "}", "```"].join("\n");

/** Sky above, the sea below. */
const harbour = (down) =>
  down < 0.6 ? [120 + 150 * down, 170 + 90 * down, 225 + 20 * down] : [20 + 30 * down, 70 + 30 * down, 110 + 30 * down];

/** So that two that begin in the same moment have rooms of their own. */
let scenes = 0;

/** A workspace somebody could work in: `{ ana, room, root }`. `ana` is an account. */
export async function furnish(stage, mark = `-${Date.now() % 100_000}-${++scenes}`) {
  const ana = await stage.account("Ana Lovelace");
  const bob = await stage.account("Bob Hopper");
  const eve = await stage.account("Éva Curie", ["user", "control-staff"]);
  const tom = await stage.account("Tom Turing", ["user", "bus-driver"]);
  const room = await stage.room(ana, [bob, eve], { name: `line-4${mark}` });
  await stage.room(bob, [ana], { name: `quiet-corner${mark}` });
  const { _id: root } = await bob.api.say(room.id, "Shall we move the stop at *Harbour* to the other side?");
  for (const [who, text] of [
    [eve, "Yes, there is more room, and the kerb is lower."],
    [ana, "I asked the city; they answer by Thursday."],
  ])
    await who.api.say(room.id, text, { tmid: root });
  await bob.api.say(room.id, CODE);
  await eve.api.say(room.id, `Timetable for the week-end is out, @${ana.username}.`);
  const form = new FormData();
  form.set("file", new Blob([png(480, 200, harbour)], { type: "image/png" }), "harbour.png");
  const { file } = await bob.api.call("POST", `rooms.media/${room.id}`, form);
  await bob.api.post(`rooms.mediaConfirm/${room.id}/${file._id}`, { msg: "The harbour from the south" });
  await ana.api.say(room.id, "> It looks wide enough.\n\nSee [the plan](https://example.org/plan), section 2.");
  const direct = await bob.api.post("im.create", { username: ana.username });
  await bob.api.say(direct.room.rid ?? direct.room._id, "Are you coming to the depot?");
  return { ana, bob, eve, tom, room, root };
}

const region = (page) => page.getByRole("article").last();

/** `who` looks at `path`; `act` opens what has no address; `ready` is what must be seen. */
export const SCREENS = [
  { name: "login", path: () => "/login", ready: (page) => page.locator("input[type=password]") },
  { name: "room", who: "ana", path: ({ room }) => room.path, ready: region },
  {
    name: "thread",
    who: "ana",
    path: ({ room, root }) => `${room.path}/thread/${root}`,
    ready: (page) => page.locator("aside").getByRole("article").last(),
  },
  {
    name: "search",
    who: "ana",
    path: ({ room }) => `${room.path}/search`,
    act: (page) => page.locator("aside input").first().fill("harbour"),
    ready: (page) => page.locator("aside").getByRole("mark").first(),
  },
  {
    name: "members",
    who: "ana",
    path: ({ room }) => `${room.path}/members`,
    ready: (page) => page.locator("aside").getByRole("listitem").last(),
  },
  {
    name: "switcher",
    who: "ana",
    path: ({ room }) => room.path,
    before: region,
    act: (page) => page.keyboard.press("Control+k"),
    ready: (page) => page.getByRole("dialog"),
  },
  {
    name: "directory",
    who: "ana",
    path: () => "/directory",
    ready: (page) => page.getByRole("main").getByRole("button"),
  },
  {
    name: "preferences",
    who: "ana",
    path: () => "/settings/profile",
    ready: (page) => page.getByRole("heading", { level: 2 }),
  },
  {
    name: "notifications",
    who: "ana",
    path: () => "/settings/notifications",
    ready: (page) => page.getByRole("heading", { level: 2 }),
  },
  { name: "support", who: "eve", path: () => "/support", ready: (page) => page.getByRole("heading", { level: 1 }) },
  { name: "ask", who: "tom", path: () => "/support", ready: (page) => page.getByRole("heading", { level: 1 }) },
  {
    name: "admin",
    who: "boss",
    path: () => "/admin/users",
    ready: (page) => page.getByRole("list").getByRole("link").last(),
  },
];

/** Shows a screen in a language. */
export async function show(person, screen, scene, locale) {
  const { page } = person;
  const path = screen.path(scene);
  await page.goto(`${path}?locale=${locale}`);
  if (screen.before) await person.sees(screen.before(page));
  if (screen.act) await screen.act(page);
  await person.sees(screen.ready(page));
}
