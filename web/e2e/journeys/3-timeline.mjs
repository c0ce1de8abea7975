// Reading: the timeline never jumps.
import { createServer } from "node:http";
import { equal, until } from "../stage.mjs";

/** Fills a room with numbered messages of several heights: by the administrator, who may be as quick as he likes. */
async function fill({ admin }, room, count, from = 1) {
  const account = { api: admin };
  await admin.post("channels.join", { roomId: room.id });
  for (let at = from; at < from + count; at += 10) {
    const some = Array.from({ length: Math.min(10, from + count - at) }, (_, index) => at + index);
    for (const number of some) await account.api.say(room.id, `line ${number}.${"\nmore".repeat(number % 4)}`);
  }
}

/** Where a message stands on the screen. */
const top = (person, text) =>
  person
    .message(text)
    .first()
    .evaluate((row) => row.getBoundingClientRect().top);

/** A message well in sight, and where it stands. */
const inSight = (person) =>
  person.feed.evaluate((feed) => {
    const row = [...feed.querySelectorAll("article")].find((one) => one.getBoundingClientRect().top > 150);
    return { text: /line \d+\./.exec(row.textContent)[0], top: row.getBoundingClientRect().top };
  });

/** To another room and back: the same message stands where it stood. */
async function backAgain(reader, room, meanwhile = async () => undefined) {
  await reader.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 300))));
  const { text, top: before } = await inSight(reader);
  await reader.row("general").click();
  await reader.sees(reader.page.getByRole("heading", { name: "general", level: 1 }));
  await meanwhile();
  await reader.row(room.name).click();
  await reader.sees(reader.page.getByRole("heading", { name: room.name, level: 1 }));
  const there = async () =>
    (await reader.message(text).count()) > 0 && Math.abs((await top(reader, text).catch(() => 9e9)) - before) < 3;
  await until(`${text} stands where it stood`, there);
}

/** Scrolls up from the end. A room that opens takes a moment to stand still, and takes the first turn of the wheel back. */
async function away(reader) {
  await reader.feed.hover();
  const aside = reader.button("To the newest");
  await until("the reader is above the end", async () => {
    await reader.page.mouse.wheel(0, -900);
    await aside.waitFor({ state: "visible", timeout: 1_000 }).catch(() => null);
    // It stays so: two frames later nothing has moved it back.
    await reader.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 300))));
    return aside.isVisible();
  });
}

/**
 * Runs in the page: scrolls up to the beginning, and tells by how much at most the message under the eye moved by
 * itself (px) while pages were loaded above it.
 */
async function upwards(feed) {
  const frames = async (count) => {
    for (let at = 0; at < count; at += 1) await new Promise(requestAnimationFrame);
  };
  const top = (row) => row.getBoundingClientRect().top;
  let worst = 0;
  for (let step = 0; step < 400; step += 1) {
    feed.scrollBy(0, -600);
    // What comes into view is measured, which takes the list some frames.
    await frames(8);
    const row = [...feed.querySelectorAll("article")].find((one) => top(one) > top(feed) + 40);
    const before = row ? top(row) : 0;
    for (let at = 0; at < 600 && feed.ariaBusy === "true"; at += 1) await frames(1);
    await frames(8);
    if (row?.isConnected) worst = Math.max(worst, Math.abs(top(row) - before));
    if (feed.scrollTop <= 0 && feed.textContent.includes("This is the beginning of")) return worst;
  }
  return worst;
}

export default [
  {
    name: "a room opens at the first unread message, and is read when its end was seen",
    shows: [16, 50],
    async run(stage) {
      const bob = await stage.account("Bob");
      const ana = await stage.person("Ana");
      const room = await stage.room(bob, [ana]);
      await fill(stage, room, 5);
      // All of them have come to her, so that one mark reads them and none comes late for what is written next.
      await ana.sees(ana.row(room.name).filter({ hasText: "5 unread" }));
      await ana.row(room.name).click();
      await ana.sees(ana.message("line 5."));
      const unread = async () => (await ana.api.get(`subscriptions.getOne?roomId=${room.id}`)).subscription.alert;
      await until("read", async () => !(await unread()));
      await ana.seesNot(ana.row(room.name).filter({ hasText: "unread" }));
      await ana.row("general").click();
      await ana.sees(ana.page.getByRole("heading", { name: "general", level: 1 }));
      await fill(stage, room, 60, 6);
      await ana.page.reload();
      await ana.row(room.name).click();
      await ana.sees(ana.page.getByRole("separator", { name: "New messages" }));
      await ana.sees(ana.message("line 6."));
      equal(await unread(), true, "still unread while the end was not seen");
      await ana.shot("unread");
      await ana.button("To the newest").click();
      await ana.sees(ana.message("line 65."));
      await until("read at the end", async () => !(await unread()));
    },
  },
  {
    name: "a room that is shown again has what came, changed and went meanwhile, from the first unread message on",
    shows: [16, 19, 51],
    async run(stage) {
      const bob = await stage.account("Bob");
      const ana = await stage.person("Ana");
      const room = await stage.room(bob, [ana]);
      const { _id: first } = await bob.api.say(room.id, "said before");
      const { _id: second } = await bob.api.say(room.id, "soon deleted");
      await ana.row(room.name).click();
      await ana.sees(ana.message("soon deleted"));
      // What was in sight for a moment only is not read.
      const unread = async () => (await ana.api.get(`subscriptions.getOne?roomId=${room.id}`)).subscription.alert;
      await until("read", async () => !(await unread()));
      await ana.seesNot(ana.row(room.name).filter({ hasText: "unread" }));
      await ana.row("general").click();
      await ana.sees(ana.page.getByRole("heading", { name: "general", level: 1 }));
      await bob.api.post("chat.update", { roomId: room.id, msgId: first, text: "said better" });
      await bob.api.post("chat.delete", { roomId: room.id, msgId: second });
      for (const word of ["one", "two", "three"]) await bob.api.say(room.id, `meanwhile ${word}`);
      await ana.sees(ana.row(room.name).filter({ hasText: "3 unread" }));
      await ana.row(room.name).click();
      await ana.sees(ana.message("meanwhile three"));
      await ana.sees(ana.page.getByRole("separator", { name: "New messages" }));
      await ana.sees(ana.message("said better"));
      equal(await ana.message("soon deleted").count(), 0, "deleted");
      // Once all of it was seen nothing is said to be new any more.
      await ana.seesNot(ana.row(room.name).filter({ hasText: "unread" }));
      await ana.seesNot(ana.button(/new since/));
    },
  },
  {
    name: "older pages come before the edge, and nothing moves under the eye",
    shows: [17],
    async run(stage) {
      const bob = await stage.account("Bob");
      const ana = await stage.person("Ana", { path: null });
      const room = await stage.room(bob, [ana]);
      await fill(stage, room, 150);
      await ana.api.post("subscriptions.read", { rid: room.id });
      await ana.open(room.path);
      await ana.sees(ana.message("line 150."));
      await away(ana);
      const worst = await ana.feed.evaluate(upwards);
      equal(worst <= 1, true, `moved by ${worst} px`);
      await ana.sees(ana.message("line 1."));
      await ana.sees(ana.page.getByText(`This is the beginning of ${room.name}`));
    },
  },
  {
    name: "whoever reads above is not moved by news, and own words lead down",
    shows: [18, 19],
    async run(stage) {
      const bob = await stage.account("Bob");
      const ana = await stage.person("Ana", { path: null });
      const room = await stage.room(bob, [ana]);
      await fill(stage, room, 45);
      await ana.api.post("subscriptions.read", { rid: room.id });
      await ana.open(room.path);
      await ana.sees(ana.message("line 45."));
      await away(ana);
      const before = await inSight(ana);
      await bob.api.say(room.id, "news");
      await ana.sees(ana.button("1 new message"));
      equal(Math.abs((await top(ana, before.text)) - before.top) <= 1, true, "the place of what is read");
      // Whatever lies at the upper edge: a tall message, a small one, the beginning of the room.
      for (const further of [0, -70, -45, -9_000]) {
        await ana.feed.hover();
        await ana.page.mouse.wheel(0, further);
        await backAgain(ana, room);
      }
      await ana.say("mine");
      await ana.sees(ana.message("mine"));
      await ana.sees(ana.message("news"));
    },
  },
  {
    name: "a permalink loads around its message, and reading goes on both ways",
    shows: [20],
    async run(stage) {
      const bob = await stage.account("Bob");
      const ana = await stage.person("Ana", { path: null });
      const room = await stage.room(bob, [ana]);
      await fill(stage, room, 40);
      const { _id } = await bob.api.say(room.id, "the one in the middle");
      await fill(stage, room, 80, 41);
      await ana.api.post("subscriptions.read", { rid: room.id });
      await ana.open(`${room.path}?msg=${_id}`);
      await ana.sees(ana.message("the one in the middle"));
      await ana.sees(ana.message("line 40."));
      await ana.sees(ana.message("line 41."));
      // Reading goes on there after a look elsewhere, and a bar tells of what is new far below.
      await backAgain(ana, room, async () => {
        await bob.api.say(room.id, "news");
        await ana.sees(ana.row(room.name).filter({ hasText: "1 unread" }));
      });
      await ana.sees(ana.button(/1 new since/));
      await ana.feed.hover();
      await until("the end was reached", async () => {
        await ana.page.mouse.wheel(0, 900);
        return (await ana.message("line 120.").count()) > 0;
      });
      await ana.sees(ana.message("line 120."));
      await ana.sees(ana.message("news"));
    },
  },
  {
    name: "a link's preview comes later, moves nothing, and its author can take it away",
    shows: [25],
    async run(stage) {
      const site = createServer((request, response) => {
        response.writeHead(200, { "Content-Type": "text/html" }).end("<title>The page</title>");
      });
      await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
      const { port } = site.address();
      const usual = {};
      const wanted = { SSRF_Allowlist: ["127.0.0.1"], API_EmbedIgnoredHosts: "", API_EmbedSafePorts: String(port) };
      for (const [id, value] of Object.entries({ API_Embed: true, ...wanted })) {
        usual[id] = (await stage.admin.get(`settings/${id}`)).value;
        await stage.admin.post(`settings/${id}`, { value });
      }
      try {
        const bob = await stage.account("Bob");
        const ana = await stage.person("Ana", { path: null });
        const room = await stage.room(bob, [ana]);
        await fill(stage, room, 45);
        await Promise.all([ana, bob].map(({ api }) => api.post("subscriptions.read", { rid: room.id })));
        await ana.open(room.path);
        await ana.sees(ana.message("line 45."));
        const reader = await stage.as(bob, { path: room.path });
        await reader.sees(reader.message("line 45."));
        await away(reader);
        const number = await reader.feed.evaluate((feed) => {
          const row = [...feed.querySelectorAll("article")].find((one) => one.getBoundingClientRect().top > 150);
          return /line (\d+)\./.exec(row?.textContent ?? "")?.[1];
        });
        const before = await top(reader, `line ${number}.`);
        await ana.page.bringToFront();
        await ana.say(`look: http://127.0.0.1:${port}/page`);
        const card = ana.message("look:").getByRole("link", { name: /^The page/ });
        await ana.sees(card);
        // What comes after the preview shows that it has come to the other reader too.
        await ana.say("what comes after it");
        await reader.page.bringToFront();
        await reader.sees(reader.button("2 new messages"));
        equal(Math.abs((await top(reader, `line ${number}.`)) - before) <= 1, true, "the place of what is read");
        await reader.button("2 new messages").click();
        await reader.sees(reader.message("look:").getByRole("link", { name: /^The page/ }));
        equal(await reader.button("Remove the preview").count(), 0, "what somebody else may take away");
        await ana.page.bringToFront();
        await ana.button("Remove the preview").click();
        await ana.seesNot(card);
        await reader.page.bringToFront();
        await reader.seesNot(reader.message("look:").getByRole("link", { name: /^The page/ }));
        await ana.sees(ana.message("look:").getByRole("link", { name: /page$/ }));
      } finally {
        for (const [id, value] of Object.entries(usual)) await stage.admin.post(`settings/${id}`, { value });
        site.close();
      }
    },
  },
  {
    name: "messages of one author stand together under one head, by day",
    shows: [21],
    async run(stage) {
      const bob = await stage.account("Bob");
      const ana = await stage.person("Ana", { path: null });
      const room = await stage.room(bob, [ana]);
      await bob.api.say(room.id, "one");
      await bob.api.say(room.id, "two");
      await ana.open(room.path);
      await ana.sees(ana.message("two"));
      equal(await ana.feed.getByText("Bob", { exact: true }).count(), 1, "heads");
      await ana.sees(ana.feed.getByRole("heading", { name: "Today" }));
      await ana.sees(ana.page.getByRole("article", { name: /^Bob, .*: two/ }));
    },
  },
  {
    name: "the keyboard goes through messages and does what the pointer does",
    shows: [22],
    async run(stage) {
      const ana = await stage.person("Ana", { path: null });
      const room = await stage.room(ana);
      for (const text of ["first", "second", "third"]) await ana.api.say(room.id, text);
      await ana.open(room.path);
      await ana.sees(ana.message("third"));
      await ana.feed.focus();
      await ana.page.keyboard.press("ArrowUp");
      await ana.page.keyboard.press("ArrowUp");
      await until("the second one is focused", () =>
        ana.message("second").evaluate((row) => row === document.activeElement),
      );
      await ana.sees(ana.button("More actions"));
      await ana.page.keyboard.press("Enter");
      await until("its first action is focused", () =>
        ana
          .button("Add a reaction")
          .first()
          .evaluate((one) => one === document.activeElement),
      );
      for (let at = 0; at < 3; at += 1) await ana.page.keyboard.press("Tab");
      await ana.page.keyboard.press("Enter");
      await ana.sees(ana.page.getByRole("menuitem", { name: "Copy text" }));
      await ana.page.keyboard.press("Escape");
      await ana.seesNot(ana.page.getByRole("menuitem"));
      await until("focus is back", () =>
        ana
          .button("More actions")
          .first()
          .evaluate((one) => one === document.activeElement),
      );
    },
  },
  {
    name: "long code folds, has a language and can be copied; a long message folds too",
    shows: [26],
    async run(stage) {
      const ana = await stage.person("Ana", { path: null });
      const room = await stage.room(ana);
      const lines = Array.from({ length: 40 }, (_, index) => `let line${index + 1} = 1;`).join("\n");
      await ana.api.say(room.id, `\`\`\`js\n${lines}\n\`\`\``);
      await ana.open(room.path);
      await ana.sees(ana.page.getByText("js", { exact: true }));
      await ana.sees(ana.page.getByRole("button", { name: "Show all 40 lines" }));
      await ana.button("Copy the code").click();
      await until(
        "it is in the clipboard",
        async () => (await ana.page.evaluate(() => navigator.clipboard.readText())) === lines,
      );
      await ana.page.getByRole("button", { name: "Show all 40 lines" }).click();
      await ana.sees(ana.page.getByText("let line40 = 1;"), { state: "attached" });
      // A block folds once: by itself.
      equal(await ana.button("Show more").count(), 0, "folds around a block");
      await ana.api.say(room.id, Array.from({ length: 30 }, (_, index) => `Row ${index + 1}.`).join("\n"));
      const text = ana.message("Row 30.");
      const height = async () => (await text.boundingBox()).height;
      await ana.sees(ana.button("Show more", text));
      const folded = await height();
      await ana.button("Show more", text).click();
      equal((await height()) > folded, true, "unfolded");
      // On a phone a text fills the screen sooner.
      await ana.api.say(room.id, "enough words for a small screen ".repeat(40));
      await ana.sees(ana.message("enough words"));
      equal(await ana.button("Show more", ana.message("enough words")).count(), 0, "folds on a wide screen");
      await ana.page.setViewportSize({ width: 360, height: 640 });
      await ana.page.reload();
      await ana.sees(ana.button("Show more", ana.message("enough words")));
    },
  },
];
