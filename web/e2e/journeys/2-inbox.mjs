// The list of rooms, and going about in the app.
import { equal, until } from "../stage.mjs";

const names = (person) =>
  person.inbox.getByRole("listitem").evaluateAll((rows) => rows.map((row) => row.textContent ?? ""));

export default [
  {
    name: "the inbox orders rooms by activity, with previews, badges and mentions",
    shows: [8, 10, 48],
    async run(stage) {
      const bob = await stage.account("Bob");
      const ana = await stage.person("Ana");
      const [quiet, busy] = [await stage.room(bob, [ana]), await stage.room(bob, [ana])];
      await bob.api.say(quiet.id, "first words");
      await bob.api.say(busy.id, `hello @${ana.username}, look`);
      await ana.sees(ana.row(busy.name).filter({ hasText: "Bob: hello" }));
      await ana.sees(ana.row(busy.name).filter({ hasText: "1 mention" }));
      await ana.sees(ana.row(quiet.name).filter({ hasText: "1 unread" }));
      const order = await names(ana);
      equal(
        order.findIndex((text) => text.includes(busy.name)) < order.findIndex((text) => text.includes(quiet.name)),
        true,
        "order",
      );
      await until("the title counts", async () => (await ana.page.title()).startsWith("(1) "));
      await ana.shot("inbox");
      await ana.button("Mentions", ana.inbox).focus();
      await ana.page.keyboard.press("Enter");
      await ana.seesNot(ana.row(quiet.name));
      equal((await names(ana)).length, 1, "rooms with mentions");
      await ana.row(busy.name).click();
      await ana.sees(ana.message("hello"));
      await until("it is read", async () => !(await ana.page.title()).startsWith("("));
    },
  },
  {
    name: "all that is unread is marked read at once, and that is taken back",
    shows: [50],
    async run(stage) {
      const bob = await stage.account("Bob");
      const ana = await stage.person("Ana");
      const rooms = [await stage.room(bob, [ana]), await stage.room(bob, [ana])];
      for (const { id } of rooms) await bob.api.say(id, "not read yet");
      for (const { name } of rooms) await ana.sees(ana.row(name).filter({ hasText: "1 unread" }));
      await ana.button("Unread", ana.inbox).click();
      await ana.button("Mark all as read").click();
      await ana.sees(ana.page.getByText("2 rooms were marked as read."));
      for (const { name } of rooms) await ana.seesNot(ana.row(name));
      await ana.check();
      await ana.button("Undo").click();
      for (const { name } of rooms) await ana.sees(ana.row(name).filter({ hasText: "1 unread" }));
    },
  },
  {
    name: "muted rooms stay quiet, but a mention still shows",
    shows: [12],
    async run(stage) {
      const bob = await stage.account("Bob");
      const ana = await stage.person("Ana");
      const room = await stage.room(bob, [ana]);
      await ana.row(room.name).click();
      await ana.button("More about this room").click();
      await ana.page.getByRole("menuitem", { name: "Mute" }).click();
      await ana.sees(ana.page.getByRole("img", { name: "Muted" }));
      await ana.row("general").click();
      await ana.sees(ana.page.getByRole("heading", { name: "general", level: 1 }));
      await bob.api.say(room.id, "nothing special");
      await ana.sees(ana.row(room.name).filter({ hasText: "nothing special" }));
      equal(await ana.row(room.name).filter({ hasText: "unread" }).count(), 0, "badges");
      await bob.api.say(room.id, `@${ana.username} please`);
      await ana.sees(ana.row(room.name).filter({ hasText: "1 mention" }));
    },
  },
  {
    name: "the list does not move under the pointer",
    shows: [13],
    async run(stage) {
      const bob = await stage.account("Bob");
      const ana = await stage.person("Ana");
      const rooms = [await stage.room(bob, [ana]), await stage.room(bob, [ana])];
      await bob.api.say(rooms[0].id, "older");
      await bob.api.say(rooms[1].id, "newer");
      await ana.sees(ana.row(rooms[1].name).filter({ hasText: "newer" }));
      await ana.row(rooms[1].name).hover();
      const before = await ana.row(rooms[1].name).boundingBox();
      await bob.api.say(rooms[0].id, "newest");
      await ana.sees(ana.row(rooms[0].name).filter({ hasText: "newest" }));
      const after = await ana.row(rooms[1].name).boundingBox();
      equal(after.y, before.y, "place under the pointer");
      // What is new waits below.
      const third = await stage.room(bob, [ana]);
      await bob.api.say(third.id, "brand new");
      await ana.sees(ana.row(third.name).filter({ hasText: "brand new" }));
      equal((await ana.row(rooms[1].name).boundingBox()).y, before.y, "place under the pointer beside a new room");
      await ana.page.mouse.move(900, 400);
      await until("it settles", async () => (await names(ana))[0].includes(third.name));
    },
  },
  {
    name: "a direct message and a room are begun in two steps",
    shows: [15],
    async run(stage) {
      const bob = await stage.account("Bertrand");
      const ana = await stage.person("Ana");
      const { page } = ana;
      await ana.button("New conversation").click();
      await page.getByRole("menuitem", { name: "Direct message" }).click();
      const dialog = page.getByRole("dialog", { name: "New direct message" });
      await dialog.getByRole("searchbox", { name: "People" }).fill("bertr");
      await dialog.getByRole("button", { name: `@${bob.username}` }).click();
      await ana.check();
      await ana.button("Open", dialog).click();
      await ana.sees(page.getByRole("heading", { name: "Bertrand", level: 1 }));
      await ana.say("only for you");
      await ana.sees(ana.message("only for you"));
      await ana.button("New conversation").click();
      await page.getByRole("menuitem", { name: "New room" }).click();
      const make = page.getByRole("dialog", { name: "New room" });
      await make.getByLabel("Name").fill("Été 2026");
      await ana.sees(make.getByText("It will be called ete-2026"));
      await make.getByLabel("Private").check();
      await ana.button("Create", make).click();
      await ana.sees(page.getByRole("heading", { name: "ete-2026", level: 1 }));
    },
  },
  {
    name: "the switcher finds without accents and case, and opens by Enter",
    shows: [55],
    async run(stage) {
      const ana = await stage.person("Ana");
      const other = await stage.account("Élodie");
      const room = await stage.room(ana, [], { name: `dessin-${Date.now()}` });
      await ana.sees(ana.row(room.name));
      await ana.page.keyboard.press("Control+k");
      const field = ana.page.getByRole("combobox", { name: "Room or person" });
      await field.fill("DESS");
      await ana.sees(ana.page.getByRole("option", { name: room.name, selected: true }));
      await ana.check();
      await ana.shot("switcher");
      await field.press("Enter");
      await ana.sees(ana.page.getByRole("heading", { name: room.name, level: 1 }));
      await ana.page.keyboard.press("Control+k");
      await field.fill(other.username);
      await ana.sees(ana.page.getByRole("option", { name: `@${other.username}` }));
      await field.press("Enter");
      await ana.sees(ana.page.getByRole("heading", { name: "Élodie", level: 1 }));
      // Long names take one line.
      const long = await stage.account("Uma Underground Fernandez de la Torre y Montenegro del Castillo");
      await ana.page.keyboard.press("Control+k");
      await field.fill(long.username);
      const line = ana.page.getByRole("option", { name: `@${long.username}` });
      await ana.sees(line);
      equal((await line.boundingBox()).height <= 48, true, "one line");
    },
  },
  {
    name: "the next unread room, the help and the regions are one key away",
    shows: [51, 56],
    async run(stage) {
      const bob = await stage.account("Bob");
      const ana = await stage.person("Ana", { path: "/channel/general" });
      await ana.sees(ana.composer);
      const room = await stage.room(bob, [ana]);
      await bob.api.say(room.id, "over here");
      await ana.sees(ana.row(room.name).filter({ hasText: "unread" }));
      await ana.page.keyboard.press("Alt+Shift+ArrowDown");
      await ana.sees(ana.message("over here"));
      await ana.page.getByRole("heading", { name: room.name, level: 1 }).click();
      await ana.page.keyboard.press("?");
      const help = ana.page.getByRole("dialog", { name: "Keyboard shortcuts" });
      await ana.sees(help);
      await ana.check();
      await help.getByLabel("Single keys").uncheck();
      await ana.page.keyboard.press("Escape");
      await ana.seesNot(help);
      await ana.page.keyboard.press("?");
      equal(await help.count(), 0, "dialogs while single keys are off");
      const places = new Set();
      for (let at = 0; at < 3; at += 1) {
        await ana.page.keyboard.press("F6");
        places.add(await ana.page.evaluate(() => document.activeElement?.getAttribute("aria-label")));
      }
      equal(places.size, 3, "regions");
    },
  },
  {
    name: "a list of hundreds of rooms holds few rows, and a new message touches one of them",
    shows: [14],
    async run(stage) {
      const bob = await stage.account("Bob");
      const ana = await stage.person("Ana", { path: null });
      const lot = `lot${Date.now() % 1_000_000}`;
      let made = 0;
      // Enough to tell a list that holds all from one that holds what is seen; how a thousand scroll is measured elsewhere.
      const maker = async () => {
        while (made < 200) await stage.room(ana, [], { name: `${lot}-${made++}` });
      };
      await Promise.all(Array.from({ length: 6 }, maker));
      const room = await stage.room(bob, [ana], { name: `${lot}-loud` });
      await ana.open("/");
      await ana.sees(ana.row(room.name));
      const rows = ana.inbox.getByRole("listitem");
      const held = await rows.count();
      equal(held < 80, true, `${held} rows at once: the list is not virtual`);
      // While the list is held still, news change the row that they concern and no other.
      await ana.row(room.name).hover();
      await ana.inbox.getByRole("list").evaluate((list) => {
        window.touched = new Set();
        const observer = new MutationObserver((changes) => {
          for (const { target } of changes) {
            const row = (target instanceof Element ? target : target.parentElement)?.closest("[role=listitem]");
            if (row) window.touched.add(row.textContent);
          }
        });
        observer.observe(list, { subtree: true, childList: true, characterData: true });
      });
      await bob.api.say(room.id, "just this");
      await ana.sees(ana.row(room.name).filter({ hasText: "just this" }));
      const touched = await ana.page.evaluate(() => [...window.touched]);
      equal(
        touched.filter((text) => !text.includes(room.name)),
        [],
        "other rows that were made anew",
      );
      // To the end and back by the keyboard: one stop of Tab, and never more rows than are seen.
      await ana.button("Direct", ana.inbox).focus();
      await ana.page.keyboard.press("Tab");
      await ana.page.keyboard.press("End");
      const last = ana.inbox.getByRole("link").last();
      await until("the last room has the focus", () => last.evaluate((row) => row === document.activeElement));
      const held2 = await rows.count();
      equal(held2 < 80, true, `${held2} rows at the end`);
      await ana.page.keyboard.press("Home");
      await until("the first room has the focus", async () =>
        ana.row(room.name).evaluate((row) => row === document.activeElement),
      );
    },
  },
  {
    name: "the keyboard alone: to a room, into a message and out, to the composer, a thread, a dialog and back",
    shows: [22, 29, 37, 56],
    async run(stage) {
      const bob = await stage.account("Bob");
      const ana = await stage.person("Ana", { path: null });
      const room = await stage.room(bob, [ana]);
      await bob.api.say(room.id, "first words");
      await bob.api.say(room.id, "see https://example.org/one and https://example.org/two");
      await bob.api.say(room.id, "last words");
      await ana.open("/");
      await ana.sees(ana.row(room.name));
      const { keyboard } = ana.page;
      const focused = (locator) => locator.evaluate((one) => one === document.activeElement).catch(() => false);
      const at = (what, locator) => until(`the focus is on ${what}`, () => focused(locator));
      const press = async (...keys) => {
        for (const key of keys) await keyboard.press(key);
      };
      // The rooms are one stop.
      await ana.button("Direct", ana.inbox).focus();
      await press("Tab");
      await at("a room", ana.inbox.getByRole("link").first());
      await press("Tab");
      equal(await ana.inbox.locator(":focus").count(), 0, "rooms that are stops of their own");
      await press("Shift+Tab");
      await at("the room again", ana.inbox.getByRole("link").first());
      await press("ArrowDown", "ArrowUp", "Enter");
      await ana.sees(ana.message("last words"));
      // So are the messages: from the composer one step back.
      await ana.composer.focus();
      await press("Shift+Tab", "Shift+Tab");
      await at("the last message", ana.message("last words"));
      await press("ArrowUp");
      await at("the one before", ana.message("see"));
      await press("Tab");
      await at("the composer's first button", ana.button("Attach files"));
      await press("Shift+Tab");
      await at("the same message again", ana.message("see"));
      // What a panel took is given back when Escape closes it.
      const more = ana.button("More about this room");
      await more.focus();
      await press("Enter");
      await ana.page.getByRole("menuitem", { name: "Members" }).focus();
      await press("Enter");
      await at("the panel", ana.page.getByRole("complementary", { name: "Members" }));
      await press("Escape");
      await at("what opened the menu", more);
      await ana.composer.focus();
      await press("Shift+Tab", "Shift+Tab");
      await at("the same message once more", ana.message("see"));
      // Inside are its links and actions, outside again it is one row.
      await press("Enter");
      await at("its first action", ana.button("Add a reaction"));
      await press("Shift+Tab", "Shift+Tab");
      await at("its first link", ana.message("see").getByRole("link").first());
      await press("Escape");
      await at("the message", ana.message("see"));
      await ana.check();
      // A dialog gives the focus back.
      await press("Enter", "Enter");
      await ana.sees(ana.page.getByRole("dialog", { name: "Emoji" }));
      await press("Escape");
      await ana.seesNot(ana.page.getByRole("dialog"));
      await at("what opened the dialog", ana.button("Add a reaction"));
      // A thread, and out of it.
      await press("Tab", "Enter");
      const side = ana.page.getByRole("complementary", { name: "Thread" });
      const reply = side.getByRole("combobox", { name: "Reply in the thread" });
      await at("the thread's composer", reply);
      await keyboard.type("by keys");
      await press("Enter");
      await ana.sees(side.getByRole("article").filter({ hasText: "by keys" }));
      await press("Escape");
      await ana.seesNot(side);
      // Writing, changing the last words, and leaving that.
      await ana.composer.focus();
      await keyboard.type("my own");
      await press("Enter");
      await ana.sees(ana.message("my own"));
      await until("it is stored", async () => {
        const { messages } = await bob.api.get(`channels.history?roomId=${room.id}`);
        return messages[0]?.msg === "my own";
      });
      await press("ArrowUp");
      await at("the edit", ana.page.getByRole("textbox", { name: "Edit the message" }));
      await press("Escape");
      await at("the composer", ana.composer);
    },
  },
  {
    name: "on a phone one thing is seen at a time, and back leads to the list",
    shows: [57],
    async run(stage) {
      const ana = await stage.person("Ana", { phone: true });
      await ana.sees(ana.row("general"));
      await ana.check();
      await ana.row("general").click();
      await ana.sees(ana.composer);
      equal(await ana.inbox.isVisible(), false, "the list beside a conversation");
      equal(
        await ana.composer.evaluate((field) => parseFloat(getComputedStyle(field).fontSize) >= 16),
        true,
        "letters of 16 px",
      );
      const wide = await ana.page.evaluate(() => document.documentElement.scrollWidth);
      equal(wide <= 360, true, `${wide} px wide`);
      await ana.shot("phone");
      await ana.check();
      await ana.button("Back to the rooms").click();
      await ana.sees(ana.row("general"));
      await ana.row("general").click();
      await ana.sees(ana.composer);
      await ana.page.goBack();
      await ana.sees(ana.row("general"));
      // From nowhere there is a way back as well.
      ana.expect(/status of 400/);
      await ana.open("/channel/never-there");
      await ana.sees(ana.page.getByRole("heading", { name: "This room is not there" }));
      await ana.check();
      await ana.page.getByRole("link", { name: "Back to the rooms" }).click();
      await ana.sees(ana.row("general"));
      await ana.open("/no/such/page");
      await ana.sees(ana.row("general"));
    },
  },
  {
    name: "on a phone a resting finger opens the menu of a message, and the keyboard leaves the composer in sight",
    shows: [22, 57],
    async run(stage) {
      const bob = await stage.account("Bob");
      const ana = await stage.person("Ana", { phone: true, path: null });
      const room = await stage.room(bob, [ana]);
      await bob.api.say(room.id, "hold this");
      await ana.open(room.path);
      await ana.sees(ana.message("hold this"));
      const finger = await ana.context.newCDPSession(ana.page);
      const touch = (type, ...touchPoints) => finger.send("Input.dispatchTouchEvent", { type, touchPoints });
      const { x, y, width, height } = await ana.message("hold this").boundingBox();
      const at = { x: x + width * 0.6, y: y + height - 6 };
      const menu = ana.page.getByRole("menu", { name: "More actions" });
      await touch("touchStart", at);
      await ana.sees(menu);
      await touch("touchEnd");
      await ana.check();
      await ana.shot("phone-menu");
      await ana.page.getByRole("menuitem", { name: "Quote" }).click();
      await ana.seesNot(menu);
      await ana.sees(ana.page.getByText(/^Quoting Bob: .*hold this/));
      // As Safari tells of its keyboard: the window stays as it is, and less of it is seen.
      await ana.page.evaluate(() => {
        Object.defineProperty(window.visualViewport, "height", { configurable: true, value: 340 });
        window.visualViewport.dispatchEvent(new Event("resize"));
      });
      await until("the composer is above the keyboard", async () => {
        const box = await ana.composer.boundingBox();
        return box.y + box.height <= 340 && box.y > 100;
      });
      const head = await ana.page.getByRole("heading", { name: room.name, level: 1 }).boundingBox();
      equal(head.y >= 0, true, "the head stays in sight");
      await ana.page.evaluate(() => {
        delete window.visualViewport.height;
        window.visualViewport.dispatchEvent(new Event("resize"));
      });
      await until("the window is whole again", async () => (await ana.composer.boundingBox()).y > 400);
    },
  },
  {
    name: "dark from the system, and by choice after a reload without a flash",
    shows: [58],
    async run(stage) {
      const ana = await stage.person("Ana", { dark: true, path: "/channel/general" });
      const ground = () => ana.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      await ana.sees(ana.composer);
      const dark = await ground();
      await ana.check();
      await ana.shot("dark");
      await ana.button(/account$/).click();
      await ana.page.getByRole("menuitem", { name: "Dark theme" }).click();
      await ana.page.emulateMedia({ colorScheme: "light" });
      equal(await ground(), dark, "the chosen theme");
      await ana.page.reload({ waitUntil: "domcontentloaded" });
      equal(await ground(), dark, "the theme after a reload");
    },
  },
  {
    name: "in French, in long and in mirrored words nothing breaks",
    shows: [],
    async run(stage) {
      const ana = await stage.person("Ana", { locale: "fr-FR", path: "/channel/general" });
      await ana.sees(ana.page.getByRole("combobox", { name: "Message pour general" }));
      equal(await ana.page.evaluate(() => document.documentElement.lang), "fr", "language");
      await ana.check();
      await ana.open("/channel/general?locale=ar-XB");
      await ana.sees(ana.page.getByRole("heading", { name: "general", level: 1 }));
      equal(await ana.page.evaluate(() => document.documentElement.dir), "rtl", "direction");
      await ana.check();
      await ana.shot("mirrored");
      await ana.open("/channel/general?locale=en-XA");
      await ana.sees(ana.page.getByRole("heading", { name: "general", level: 1 }));
      await ana.check();
      const wide = await ana.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
      equal(wide, true, "no sideways scrolling");
    },
  },
  {
    name: "public rooms are found in the directory, looked at and joined",
    shows: [],
    async run(stage) {
      const bob = await stage.account("Bob");
      const room = await stage.room(bob, [], { name: `open-${Date.now()}` });
      await bob.api.say(room.id, "come in");
      const ana = await stage.person("Ana", { path: "/directory" });
      await ana.page.getByLabel("Find by name").fill(room.name);
      await ana.check();
      await ana.page.getByRole("main").getByRole("button", { name: room.name }).click();
      await ana.sees(ana.message("come in"));
      await ana.button("Join").click();
      await ana.sees(ana.composer);
      await ana.sees(ana.row(room.name));
    },
  },
];
