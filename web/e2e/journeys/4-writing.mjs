// Writing: drafts, sending, changing, completion.
import { Server, Api, ADMIN } from "../server.mjs";
import { equal, until } from "../stage.mjs";

/** One person in a room of her own, and somebody else in it. */
async function scene(stage, options = {}) {
  const bob = await stage.account("Bob");
  const ana = await stage.person("Ana", { path: null, ...options });
  const room = await stage.room(bob, [ana]);
  await ana.open(room.path);
  await ana.sees(ana.composer);
  return { ana, bob, room };
}

export default [
  {
    name: "Enter sends, Shift and Enter begins a line, and composing never sends",
    shows: [27, 35],
    async run(stage) {
      const { ana, bob, room } = await scene(stage);
      await ana.composer.fill("one");
      await ana.composer.press("Shift+Enter");
      await ana.composer.pressSequentially("two");
      await ana.composer.dispatchEvent("keydown", { key: "Enter", isComposing: true, keyCode: 229 });
      equal(await ana.composer.inputValue(), "one\ntwo", "while it is composed");
      await ana.composer.press("Enter");
      await ana.sees(ana.message("one"));
      equal(await ana.composer.inputValue(), "", "after sending");
      const { messages } = await bob.api.get(`channels.history?roomId=${room.id}`);
      equal(messages[0].msg, "one\ntwo", "what arrived");
    },
  },
  {
    name: "a draft stays with its room over a reload, and the list tells of it",
    shows: [28, 11],
    async run(stage) {
      const { ana, room } = await scene(stage);
      await ana.composer.fill("half a thought");
      await ana.row("general").click();
      await ana.sees(ana.row(room.name).filter({ hasText: "Draft: half a thought" }));
      equal(await ana.composer.inputValue(), "", "the other room's composer");
      // At once: a page that goes away keeps what was typed.
      await ana.page.reload();
      await ana.row(room.name).click();
      await until("the draft is back", async () => (await ana.composer.inputValue()) === "half a thought");
    },
  },
  {
    name: "the last own message is edited by ArrowUp, Esc leaves it, and the mark is seen by all",
    shows: [29, 23],
    async run(stage) {
      const { ana, bob, room } = await scene(stage);
      await ana.say("with a tpyo");
      await ana.sees(ana.message("with a tpyo"));
      await until(
        "it is stored",
        async () => (await bob.api.get(`channels.history?roomId=${room.id}`)).messages[0]?.msg === "with a tpyo",
      );
      await ana.composer.press("ArrowUp");
      const box = ana.page.getByRole("textbox", { name: "Edit the message" });
      await box.press("Escape");
      await ana.seesNot(box);
      await ana.composer.focus();
      await ana.composer.press("ArrowUp");
      await box.fill("with a typo");
      await box.press("Enter");
      await ana.sees(ana.message("with a typo").filter({ hasText: "(edited)" }));
      await ana.act("with a typo", "Delete");
      const ask = ana.page.getByRole("alertdialog", { name: "Delete this message?" });
      await ana.check();
      await ana.button("Delete", ask).click();
      await ana.seesNot(ana.message("with a typo"));
    },
  },
  {
    name: "what a message said before is shown to its author and to a moderator, and to nobody else",
    shows: [23],
    async run(stage) {
      await stage.admin.post("settings/Message_KeepHistory", { value: true });
      const bob = await stage.account("Bob");
      const eve = await stage.person("Eve", { path: null });
      const ana = await stage.person("Ana", { path: null });
      const room = await stage.room(bob, [ana, eve]);
      const { _id } = await ana.api.say(room.id, "the first words");
      await ana.api.post("chat.update", { roomId: room.id, msgId: _id, text: "the second words" });
      // Bob made the room and moderates it.
      const owner = await stage.as(bob, { path: room.path });
      for (const one of [ana, owner]) {
        await one.open(room.path);
        await one.message("the second words").getByRole("button", { name: "(edited)" }).click();
        const versions = one.page.getByRole("list", { name: "Earlier versions" });
        await one.sees(versions.getByText("the first words"));
      }
      await eve.open(room.path);
      await eve.message("the second words").getByRole("button", { name: "(edited)" }).click();
      await eve.sees(eve.page.getByRole("dialog").getByText(/^Last edited by/));
      equal(await eve.page.getByText("the first words").count(), 0, "earlier words");
    },
  },
  {
    name: "people, rooms, emoji and commands are completed by keyboard",
    shows: [30],
    async run(stage) {
      const { ana, bob, room } = await scene(stage);
      const option = (name) => ana.page.getByRole("option", { name });
      await ana.composer.pressSequentially("hello @bob");
      await ana.sees(option(`@${bob.username}`));
      await ana.check();
      await ana.composer.press("Enter");
      equal(await ana.composer.inputValue(), `hello @${bob.username} `, "a person");
      await ana.composer.pressSequentially(`see #${room.name.slice(0, 5)}`);
      await ana.sees(option(`#${room.name}`));
      await ana.composer.press("Escape");
      await ana.seesNot(option(`#${room.name}`));
      // What was put away was that word alone: the next one at the same place is completed again.
      await ana.composer.fill("");
      await ana.composer.pressSequentially("@bob");
      await ana.sees(option(`@${bob.username}`));
      await ana.composer.press("Escape");
      await ana.composer.fill("");
      await ana.composer.pressSequentially("/jo");
      await ana.sees(option("/join Join a room"));
      await ana.composer.fill("");
      await ana.composer.pressSequentially("nice :tada");
      await ana.sees(option(":tada:"));
      await ana.composer.press("Tab");
      equal(await ana.composer.inputValue(), "nice 🎉 ", "an emoji");
      await ana.composer.fill("");
      await ana.composer.pressSequentially("/shr");
      await ana.sees(option("/shrug"));
      await ana.composer.press("Enter");
      await ana.composer.pressSequentially("so be it");
      await ana.composer.press("Enter");
      await ana.sees(ana.message("so be it"));
    },
  },
  {
    name: "an address pasted on chosen words makes a link, and too much becomes a file",
    shows: [32, 36],
    async run(stage) {
      const { ana } = await scene(stage);
      await ana.composer.fill("our site");
      await ana.composer.press("ControlOrMeta+a");
      await ana.page.evaluate(() => navigator.clipboard.writeText("https://example.org/x"));
      await ana.composer.press("ControlOrMeta+v");
      equal(await ana.composer.inputValue(), "[our site](https://example.org/x)", "a link");
      await ana.composer.press("Enter");
      await ana.sees(ana.message("our site").getByRole("link", { name: "our site" }));
      await ana.composer.fill("x".repeat(5_200));
      await ana.sees(ana.page.getByText("200 characters too many"));
      await ana.composer.press("Enter");
      await ana.sees(ana.page.getByRole("button", { name: "Send message.txt" }));
    },
  },
  {
    name: "what is sent without a connection goes out in order, once, after a reload too",
    shows: [33, 34],
    async run(stage) {
      const server = await Server.start();
      try {
        const admin = await Api.login(server.url, ADMIN.username, ADMIN.password);
        const person = await stage.visitor();
        // Requests to a server that is away fail, and the browser says so.
        person.expect(/ERR_CONNECTION_REFUSED|WebSocket connection|Failed to load resource/);
        await person.context.addInitScript(
          ([user, token]) => {
            localStorage.setItem("Meteor.userId", user);
            localStorage.setItem("Meteor.loginToken", token);
          },
          [admin.session.userId, admin.session.token],
        );
        await person.page.goto(`${server.url}/channel/general`);
        await person.say("before");
        await until(
          "it is stored",
          async () => (await admin.get("channels.history?roomId=GENERAL")).messages[0]?.msg === "before",
        );
        await server.halt("SIGKILL");
        await person.say("while away 1");
        await person.say("while away 2");
        await person.sees(person.page.getByRole("article", { name: "Sending: while away 1" }));
        await person.sees(person.page.getByText("Reconnecting…"));
        await person.shot("offline");
        await person.check();
        await server.run();
        await person.page.reload();
        await person.sees(person.page.getByRole("article", { name: /ada boss.*while away 2/i }), { timeout: 60_000 });
        const { messages } = await admin.get("channels.history?roomId=GENERAL");
        const texts = messages.map(({ msg }) => msg).filter((msg) => /away|before/.test(msg));
        equal(texts, ["while away 2", "while away 1", "before"], "what is stored, newest first");
      } finally {
        await server.stop();
      }
    },
  },
  {
    name: "what is refused says why and stays in reach",
    shows: [],
    async run(stage) {
      const { ana, bob, room } = await scene(stage);
      ana.expect(/status of 400/);
      await ana.page.route("**/api/v1/chat.sendMessage", async (route) => {
        // Between the look and the send the room was closed for her.
        await bob.api.post("rooms.muteUser", { roomId: room.id, username: ana.username });
        await route.continue();
      });
      await ana.say("too late");
      const failed = ana.page.getByRole("article", { name: "Not sent: too late" });
      await ana.sees(failed);
      await ana.sees(ana.button("Try again", failed));
      await ana.sees(ana.row(room.name).filter({ hasText: "A message was not sent" }));
      await ana.check();
      await ana.button("Delete", failed).click();
      await ana.seesNot(failed);
    },
  },
  {
    name: "hostile texts are shown as texts",
    shows: [],
    async run(stage) {
      const { ana, bob, room } = await scene(stage);
      const texts = [
        "<img src=x onerror=\"document.title='pwned'\">",
        "[click](javascript:document.title='pwned')",
        "<javascript:document.title='pwned'|here>",
        "![a](javascript:alert(1)) data:text/html,<script>document.title='pwned'</script>",
        "&lt;script&gt;document.title='pwned'&lt;/script&gt; &#106;avascript:",
        "\u202Eevil\u202C \u2066isolate\u2069 \u200Fmark",
        `${"*_~".repeat(200)}deep${"~_*".repeat(200)}`,
        `z${"\u0300".repeat(400)}algo`,
        `${"a".repeat(4_900)}`,
        "`".repeat(999),
        "||spoiler|| $$\\href{javascript:alert(1)}{x}$$",
      ];
      for (const text of texts) await bob.api.say(room.id, text);
      await bob.api.say(room.id, "the end of it");
      await ana.sees(ana.message("the end of it"));
      for (const link of await ana.feed.getByRole("link").all()) {
        const to = (await link.getAttribute("href")) ?? "";
        if (!/^(https?:|mailto:|tel:|\/)/.test(to)) throw new Error(`a link to ${to}`);
        if (/^https?:/.test(to)) continue;
      }
      equal((await ana.page.title()).includes("pwned"), false, "nothing ran");
      const wide = await ana.feed.evaluate((feed) => feed.scrollWidth <= feed.clientWidth + 1);
      equal(wide, true, "the width of the conversation");
      const tall = await ana.message("algo").evaluate((row) => row.getBoundingClientRect().height);
      equal(tall < 120, true, `stacked accents are ${tall} px high`);
    },
  },
];
