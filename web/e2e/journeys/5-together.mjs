// Two people at once: threads, reactions, quotes, files, presence.
import { png } from "../png.mjs";
import { equal, until } from "../stage.mjs";

async function pair(stage) {
  const bob = await stage.person("Bob", { path: null });
  const ana = await stage.person("Ana", { path: null });
  const room = await stage.room(bob, [ana]);
  await Promise.all([ana.open(room.path), bob.open(room.path)]);
  await ana.sees(ana.composer);
  await bob.sees(bob.composer);
  return { ana, bob, room };
}

const file = (name, mimeType, buffer) => ({ name, mimeType, buffer });

async function attach(person, ...files) {
  const chooser = person.page.waitForEvent("filechooser");
  await person.button("Attach files").click();
  await (await chooser).setFiles(files);
}

export default [
  {
    name: "a thread stands beside the room, counts in it, and can speak to it",
    shows: [37, 38],
    async run(stage) {
      const { ana, bob } = await pair(stage);
      await bob.say("shall we?");
      await ana.message("shall we?").hover();
      await ana.button("Reply in a thread", ana.message("shall we?")).click();
      const side = ana.page.getByRole("complementary", { name: "Thread" });
      await ana.sees(side.getByRole("article").filter({ hasText: "shall we?" }));
      const reply = side.getByRole("combobox", { name: "Reply in the thread" });
      await reply.fill("yes, quietly");
      await reply.press("Enter");
      await ana.sees(side.getByRole("article").filter({ hasText: "yes, quietly" }));
      await bob.sees(bob.page.getByRole("link", { name: /1 reply/ }));
      equal(await bob.feed.getByRole("article").filter({ hasText: "yes, quietly" }).count(), 0, "replies in the room");
      await side.getByLabel("Also send to the room").check();
      await reply.fill("and aloud");
      await reply.press("Enter");
      await bob.sees(bob.message("and aloud"));
      await bob.page.getByRole("link", { name: /2 replies/ }).click();
      const other = bob.page.getByRole("complementary", { name: "Thread" });
      await bob.sees(other.getByRole("article").filter({ hasText: "yes, quietly" }));
      await ana.shot("thread");
      await bob.button("Close the panel").click();
      await bob.seesNot(other);
    },
  },
  {
    name: "a reaction shows at once, names who gave it, and is taken back by pressing it",
    shows: [39],
    async run(stage) {
      const { ana, bob } = await pair(stage);
      await bob.say("good news");
      await ana.message("good news").hover();
      await ana.button("Add a reaction", ana.message("good news")).click();
      const dialog = ana.page.getByRole("dialog", { name: "Emoji" });
      await dialog.getByLabel("Find an emoji").fill("party popper");
      await ana.sees(dialog.getByRole("button", { name: "party popper" }));
      await ana.check();
      await dialog.getByRole("button", { name: "party popper" }).click();
      const mine = ana.message("good news").getByRole("button", { name: /^:tada: by you/ });
      await ana.sees(mine);
      equal(await mine.getAttribute("aria-pressed"), "true", "pressed");
      const theirs = bob.message("good news").getByRole("button", { name: `:tada: by ${ana.username}` });
      await bob.sees(theirs);
      await theirs.click();
      await ana.sees(ana.message("good news").getByRole("button", { name: /you and bob/ }));
      await mine.click();
      await bob.sees(bob.message("good news").getByRole("button", { name: /^:tada: by you$/ }));
    },
  },
  {
    name: "a quote leads to what it quotes, and a message is forwarded with a comment",
    shows: [24],
    async run(stage) {
      const { ana, bob } = await pair(stage);
      const other = await stage.room(ana, [bob]);
      await bob.say("the original words");
      await ana.sees(ana.message("the original words"));
      await ana.act("the original words", "Quote");
      await ana.say("I agree");
      const quote = bob.message("I agree").getByRole("figure");
      await bob.sees(quote.filter({ hasText: "the original words" }));
      // As the message itself names its author, and not by the user name.
      await bob.sees(quote.filter({ hasText: /Bob/ }));
      await quote.getByRole("link").first().click();
      await until("its address", async () => bob.page.url().includes("?msg="));
      await ana.act("I agree", "Forward");
      const dialog = ana.page.getByRole("dialog", { name: "Forward the message" });
      await dialog.getByLabel("Find rooms").fill(other.name);
      await dialog.getByRole("checkbox", { name: other.name }).check();
      await dialog.getByLabel("Comment").fill("for you too");
      await ana.check();
      await ana.button("Forward to 1 room", dialog).click();
      await bob.row(other.name).click();
      await bob.sees(bob.message("for you too").getByRole("figure").filter({ hasText: "I agree" }));
    },
  },
  {
    name: "pins and stars are shown where they belong",
    shows: [],
    async run(stage) {
      const { ana, bob } = await pair(stage);
      await bob.say("the door code");
      await bob.sees(bob.message("the door code"));
      await bob.act("the door code", "Pin");
      await ana.sees(ana.message("the door code").getByRole("img", { name: "Pinned" }));
      await ana.act("the door code", "Star");
      await ana.sees(ana.message("the door code").getByRole("img", { name: "Starred" }));
      for (const panel of ["Pinned messages", "Starred messages"]) {
        await ana.button("More about this room").click();
        await ana.page.getByRole("menuitem", { name: panel }).click();
        const side = ana.page.getByRole("complementary", { name: panel });
        await ana.sees(side.getByRole("link").filter({ hasText: "the door code" }));
      }
    },
  },
  {
    name: "pictures are sent with words, shown at their size, and looked at one by one",
    shows: [31, 43, 45],
    async run(stage) {
      const { ana, bob } = await pair(stage);
      await attach(ana, file("small.png", "image/png", png(40, 30)), file("wide.png", "image/png", png(900, 300)));
      const files = ana.page.getByRole("list", { name: "Files to send" });
      await files.getByLabel("Description of small.png").fill("a small one");
      await ana.check();
      await ana.button("Send small.png").click();
      await bob.sees(bob.feed.getByRole("button", { name: "Open picture a small one" }));
      await ana.button("Send wide.png").click();
      const wide = bob.feed.getByRole("button", { name: "Open picture wide.png" });
      await bob.sees(wide);
      const box = await wide.boundingBox();
      equal(Math.abs(box.width / box.height - 3) < 0.1, true, "its shape");
      await wide.click();
      const gallery = bob.page.getByRole("dialog", { name: "wide.png" });
      await bob.sees(gallery.getByText("2 of 2"));
      await bob.check();
      await bob.shot("gallery");
      await bob.page.keyboard.press("ArrowLeft");
      await bob.sees(bob.page.getByText("1 of 2"));
      await bob.page.keyboard.press("Escape");
      await bob.seesNot(bob.page.getByRole("dialog"));
      await bob.button("More about this room").click();
      await bob.page.getByRole("menuitem", { name: "Files" }).click();
      const side = bob.page.getByRole("complementary", { name: "Files" });
      await bob.sees(side.getByRole("link").filter({ hasText: "wide.png" }));
      await bob.button("Documents", side).click();
      await bob.sees(side.getByText("No files."));
    },
  },
  {
    name: "on a phone files to send and pictures fit, all go at once, and the end stays in sight when files take room",
    shows: [31, 42, 43, 57],
    async run(stage) {
      const bob = await stage.account("Bob");
      const ana = await stage.person("Ana", { path: null, phone: true });
      const room = await stage.room(bob, [ana]);
      for (let at = 0; at < 20; at += 1) await ana.api.say(room.id, `line ${at}`);
      await ana.open(room.path);
      await ana.sees(ana.message("line 19"));
      const within = async (locator, what) => {
        const { x, y, width, height } = await locator.boundingBox();
        const { innerWidth, innerHeight } = await ana.page.evaluate(() => ({ ...{ innerWidth, innerHeight } }));
        equal(x >= 0 && x + width <= innerWidth && y >= 0 && y + height <= innerHeight, true, `${what} within`);
      };
      const picture = (name) => file(name, "image/png", png(900, 300));
      await attach(ana, picture("one.png"), picture("two.png"));
      for (const name of ["Send one.png", "Cancel one.png"]) await within(ana.button(name), name);
      const composer = await ana.composer.boundingBox();
      await until("the last message is above the files", async () => {
        const files = await ana.page.getByRole("list", { name: "Files to send" }).boundingBox();
        const last = await ana.message("line 19").boundingBox();
        return last && last.y + last.height <= files.y + 1 && files.y + files.height <= composer.y + 1;
      });
      await ana.check();
      await ana.button("Send all 2").click();
      const pictures = ana.feed.getByRole("button", { name: /^Open picture/ });
      await until("both are there", async () => (await pictures.count()) === 2);
      await until("the end is seen", async () => {
        const box = await pictures.last().boundingBox();
        return box && box.y + box.height <= composer.y;
      });
      await within(pictures.last(), "the picture");
    },
  },
  {
    name: "an upload shows how far it is and can be cancelled; what is too large is told before",
    shows: [42, 46],
    async run(stage) {
      const { ana, room } = await pair(stage);
      const { value } = await stage.admin.get("settings/FileUpload_MaxFileSize");
      const cdp = await ana.context.newCDPSession(ana.page);
      await cdp.send("Network.enable");
      await cdp.send("Network.emulateNetworkConditions", {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput: 60_000,
      });
      await attach(ana, file("slow.bin", "application/octet-stream", Buffer.alloc(900_000, 7)));
      await ana.button("Send slow.bin").click();
      await ana.sees(ana.page.getByRole("progressbar", { name: "Progress of slow.bin" }));
      await ana.button("Cancel slow.bin").click();
      await ana.seesNot(ana.page.getByText("slow.bin"));
      // Files of journeys beside this one are smaller.
      await stage.admin.post("settings/FileUpload_MaxFileSize", { value: 3_000_000 });
      try {
        await until("the limit is known", () =>
          ana.page.evaluate(
            async () =>
              (await (await fetch("/api/v1/settings.public?_id=FileUpload_MaxFileSize")).json()).settings[0].value ===
              3_000_000,
          ),
        );
        await ana.page.reload();
        await ana.sees(ana.composer);
        await attach(ana, file("large.bin", "application/octet-stream", Buffer.alloc(3_100_000)));
        await ana.sees(ana.page.getByRole("alert").filter({ hasText: "at most 3 MB" }));
      } finally {
        await stage.admin.post("settings/FileUpload_MaxFileSize", { value });
      }
      const { files } = await ana.api.get(`channels.files?roomId=${room.id}`);
      equal(files.length, 0, "files of the room");
    },
  },
  {
    name: "who types is named, who is there is shown by shape and word, and who read is told",
    shows: [52, 53, 54],
    async run(stage) {
      const bob = await stage.person("Bob");
      const ana = await stage.person("Ana");
      const { room } = await ana.api.post("im.create", { username: bob.username });
      await ana.api.say(room._id, "are you there?");
      await bob.row("Ana").click();
      await ana.row("Bob").click();
      await ana.sees(ana.page.getByRole("main").getByRole("img", { name: "Online" }));
      await bob.composer.pressSequentially("hm");
      await ana.sees(ana.page.getByRole("main").getByText("Bob is typing…"));
      await bob.composer.fill("");
      await ana.seesNot(ana.page.getByRole("main").getByText("is typing…"));
      await bob.button(/account$/).click();
      await bob.page.getByRole("menuitem", { name: "Busy" }).click();
      await ana.sees(ana.page.getByRole("main").getByRole("img", { name: "Busy" }));
      await ana.page.bringToFront();
      await ana.say("did you see this?");
      await bob.page.bringToFront();
      await bob.sees(bob.message("did you see this?"));
      await ana.sees(ana.message("did you see this?").getByText("Read", { exact: true }));
    },
  },
  {
    name: "in a room of several it is told how many have read, the writer does not count, and it is so after a reload",
    shows: [54],
    async run(stage) {
      await stage.admin.post("settings/Message_Read_Receipt_Store_Users", { value: true });
      const ana = await stage.person("Ana", { path: null });
      const bob = await stage.account("Bob");
      const eve = await stage.account("Eve");
      const room = await stage.room(ana, [bob, eve]);
      await ana.api.say(room.id, "who has seen this?");
      await ana.open(room.path);
      const own = ana.message("who has seen this?");
      await ana.sees(own.getByText("Sent", { exact: true }));
      // She has read her own words by now.
      await ana.api.post("subscriptions.read", { rid: room.id });
      await bob.api.post("subscriptions.read", { rid: room.id });
      await ana.sees(own.getByText("Read by 1", { exact: true }));
      await ana.page.reload();
      await ana.sees(own.getByText("Read by 1", { exact: true }));
      await eve.api.post("subscriptions.read", { rid: room.id });
      await ana.sees(own.getByText("Read by 2", { exact: true }));
      await stage.admin.post("settings/Message_Read_Receipt_Store_Users", { value: false });
    },
  },
  {
    name: "search finds words and filters, marks them, and opens them where they stand",
    shows: [40, 41],
    async run(stage) {
      const { ana, bob, room } = await pair(stage);
      await bob.api.say(room.id, "the café opens at nine");
      await stage.admin.post("channels.join", { roomId: room.id });
      for (let at = 0; at < 60; at += 1) await stage.admin.say(room.id, `noise ${at}`);
      await ana.api.say(room.id, "another café");
      await ana.button("Search in this room").click();
      const side = ana.page.getByRole("complementary", { name: "Search in this room" });
      await side.getByLabel("Search").fill("cafe");
      await ana.sees(side.getByRole("link").filter({ hasText: "opens at nine" }));
      await ana.sees(side.getByRole("link").filter({ hasText: "another" }));
      await side.getByLabel("Search").fill(`café from:${bob.username}`);
      await ana.seesNot(side.getByRole("link").filter({ hasText: "another" }));
      await ana.sees(side.getByRole("mark").filter({ hasText: "café" }));
      await ana.check();
      await ana.shot("search");
      await side.getByRole("link").filter({ hasText: "opens at nine" }).click();
      await ana.sees(ana.message("opens at nine"));
      // In all rooms, with a filter taken from what is offered by keyboard.
      await ana.page.keyboard.press("Control+k");
      await ana.page.getByRole("combobox", { name: "Room or person" }).fill("opens at nine");
      await ana.page.getByRole("option", { name: /^Search messages for/ }).click();
      const found = ana.page.getByRole("main").getByRole("link").filter({ hasText: "opens at nine" });
      await ana.sees(found.filter({ hasText: room.name }));
      const field = ana.page.getByRole("main").getByRole("combobox", { name: "Search" });
      await field.fill("café fr");
      await ana.sees(ana.page.getByRole("option", { name: /^from:/ }));
      await field.press("ArrowDown");
      await field.press("Enter");
      await field.pressSequentially("me");
      await ana.sees(ana.page.getByRole("main").getByRole("link").filter({ hasText: "another" }));
      await ana.seesNot(found);
    },
  },
  {
    name: "a reload shows the last room at once, and what came or went meanwhile as soon as the server answers",
    shows: [59, 16],
    async run(stage) {
      const { ana, bob, room } = await pair(stage);
      await ana.say("still here");
      await bob.sees(bob.message("still here"));
      const { _id: regretted } = await bob.api.say(room.id, "soon gone");
      await ana.sees(ana.message("soon gone"));
      // The server takes its time: the list and the room are there from before.
      let answer;
      const gate = new Promise((resolve) => (answer = resolve));
      await ana.page.route(/api\/v1\/(me|subscriptions\.get|rooms\.get|channels\.history)/, async (route) => {
        await gate;
        await route.continue().catch(() => null);
      });
      await ana.page.reload();
      await ana.sees(ana.row(room.name));
      await ana.sees(ana.message("still here"));
      await bob.api.post("chat.delete", { roomId: room.id, msgId: regretted });
      const { subscription } = await ana.api.get(`subscriptions.getOne?roomId=${room.id}`);
      const read = subscription.ls;
      await bob.api.say(room.id, "come meanwhile");
      answer();
      await ana.sees(ana.message("come meanwhile"));
      await ana.seesNot(ana.message("soon gone"));
      await ana.sees(ana.message("still here"));
      // It is read when it was seen, not when the old end was shown.
      await until("it is read", async () => {
        const now = (await ana.api.get(`subscriptions.getOne?roomId=${room.id}`)).subscription;
        return !now.alert && now.ls > read;
      });
    },
  },
  {
    name: "a voice message is recorded with its level, dropped, recorded again and heard",
    shows: [44],
    async run(stage) {
      const { ana, bob } = await pair(stage);
      await ana.button("Record a voice message").click();
      const voice = ana.page.getByRole("group", { name: "Voice message" });
      await ana.sees(voice.getByText(/^0:(0[1-9]|[1-5]\d)$/));
      await ana.check();
      await ana.shot("voice");
      await ana.button("Drop the recording", voice).click();
      await ana.seesNot(voice);
      await ana.button("Record a voice message").click();
      const level = voice.getByRole("meter", { name: "How loud it is" });
      await until("it hears something", () => level.evaluate((meter) => meter.value > 0));
      await ana.sees(voice.getByText(/^0:(0[1-9]|[1-5]\d)$/));
      await ana.button("Send", voice).click();
      const sound = bob.feed
        .getByRole("article")
        .filter({ hasText: "Ana" })
        .getByLabel(/^voice-/);
      await bob.sees(sound);
      await until("it can be heard", () => sound.evaluate((audio) => audio.play().then(() => audio.currentTime >= 0)));
    },
  },
  {
    name: "a discussion is begun beside its room, and a day is gone to",
    shows: [20],
    async run(stage) {
      const { ana, bob, room } = await pair(stage);
      await ana.button("More about this room").click();
      await ana.page.getByRole("menuitem", { name: "Discussions" }).click();
      await ana.sees(ana.page.getByText("No discussions yet."));
      await ana.page.getByLabel("New discussion about").fill("the colour");
      await ana.button("Begin the discussion").click();
      await ana.sees(ana.page.getByRole("heading", { name: "the colour" }));
      await bob.sees(bob.feed.getByRole("link", { name: "Open the discussion" }));
      await bob.button("More about this room").click();
      await bob.page.getByRole("menuitem", { name: "Discussions" }).click();
      await bob.sees(bob.page.getByRole("complementary").getByRole("link", { name: /the colour/ }));
      await bob.check();
      await ana.open(room.path);
      await ana.say("of today");
      await ana.button("More about this room").click();
      await ana.page.getByRole("menuitem", { name: "Go to a day" }).click();
      await ana.page.getByLabel("Day", { exact: true }).fill("2099-01-01");
      await ana.button("Go").click();
      await ana.sees(ana.page.getByText("Nothing was written from that day on."));
      const today = await ana.page.evaluate(() => new Date().toLocaleDateString("sv-SE"));
      await ana.page.getByLabel("Day", { exact: true }).fill(today);
      await ana.button("Go").click();
      await until("its address", () => ana.page.url().includes("?msg="));
      await ana.sees(ana.message("of today"));
    },
  },
  {
    name: "whoever owns a room tells what it is for, adds people by typing, and is asked before leaving",
    shows: [15],
    async run(stage) {
      const ana = await stage.person("Ana");
      const zoe = await stage.person("Zoe");
      const room = await stage.room(ana, [], { group: true });
      await ana.row(room.name).click();
      const menu = async (person, item) => {
        await person.button("More about this room").click();
        await person.page.getByRole("menuitem", { name: item, exact: true }).click();
      };
      await menu(ana, "About this room");
      const panel = ana.page.getByRole("complementary", { name: "About this room" });
      await ana.button("Change", panel).click();
      await panel.getByLabel("Topic").fill("Everything about stops");
      await panel.getByLabel("Announcement").fill("The depot is closed on Friday");
      await ana.button("Save", panel).click();
      await ana.sees(panel.getByText("Everything about stops"));
      await ana.sees(ana.page.getByRole("main").getByRole("link", { name: "The depot is closed on Friday" }));
      await ana.check();
      await menu(ana, "Members");
      const members = ana.page.getByRole("complementary", { name: "Members" });
      await ana.sees(members.getByRole("listitem").filter({ hasText: "owner" }));
      await ana.button("Add people", members).click();
      const add = ana.page.getByRole("dialog", { name: "Add people" });
      await add.getByRole("searchbox", { name: "People" }).fill(zoe.username);
      await add.getByRole("button", { name: `@${zoe.username}` }).click();
      await ana.button("Add", add).click();
      await ana.sees(members.getByRole("listitem").filter({ hasText: `@${zoe.username}` }));
      await zoe.row(room.name).click();
      await zoe.sees(zoe.page.getByRole("link", { name: "The depot is closed on Friday" }));
      // Another name is another address: whoever looks at the room stays in it.
      await ana.api.post("rooms.saveRoomSettings", { rid: room.id, roomName: `${room.name}-b` });
      await zoe.page.waitForURL(new RegExp(`/group/${room.name}-b$`));
      await zoe.sees(zoe.composer);
      await menu(zoe, "Leave");
      await zoe.sees(zoe.page.getByText("Only somebody who is in it can let you in again."));
      await zoe.check();
      await zoe.button("Leave", zoe.page.getByRole("alertdialog")).click();
      await zoe.seesNot(zoe.row(room.name));
    },
  },
];
