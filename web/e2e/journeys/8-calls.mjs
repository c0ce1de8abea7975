// Video calls.
import { equal, until } from "../stage.mjs";

export default [
  {
    name: "a call: begun by its button, joined from its message, told of between two, over when it is ended",
    shows: [71],
    async run(stage) {
      await stage.admin.post("settings/Jitsi_Domain", { value: "meet.example.org" });
      const bob = await stage.person("Bob", { path: null });
      const ana = await stage.person("Ana", { path: null });
      const room = await stage.room(bob, [ana]);
      // The other server is not of this journey.
      const body = "<!doctype html><title>Meeting</title>";
      for (const { context } of [ana, bob])
        await context.route("https://meet.example.org/**", (route) =>
          route.fulfill({ contentType: "text/html", body }),
        );
      await Promise.all([ana.open(room.path), bob.open(room.path)]);
      const opens = bob.context.waitForEvent("page");
      await bob.button("Begin a video call").click();
      const held = await opens;
      await until("the call is open", () => held.url().startsWith("https://meet.example.org/"));
      const card = (person) => person.feed.getByRole("group", { name: /^Video call/ }).last();
      await ana.sees(card(ana).getByText(/1 person joined/));
      const comes = ana.context.waitForEvent("page");
      await ana.button("Join", card(ana)).click();
      const joined = await comes;
      await until("both are in one call", () => joined.url().split("#")[0] === held.url().split("#")[0]);
      await bob.sees(card(bob).getByText(/2 people joined/));
      await ana.check();
      await ana.shot("call");
      await bob.button("End it", card(bob)).click();
      await ana.sees(card(ana).getByText(/Ended after \d+ minute/));
      equal(await card(ana).getByRole("button").count(), 0, "ways in after the end");
      // By command, with a name.
      await bob.say("/jitsi standup");
      await ana.sees(ana.feed.getByRole("group", { name: "Video call standup" }));
      // Between two it rings.
      const { room: direct } = await bob.api.post("im.create", { username: ana.username });
      await bob.api.post("video-conference.start", { roomId: direct.rid ?? direct._id });
      const note = ana.page.getByRole("status").filter({ hasText: "is calling you" });
      await ana.sees(note);
      await ana.sees(ana.button("Join", note));
    },
  },
];
