// The support desk: who asks, who answers, and what each of them sees.
import { ADMIN, Api, Server } from "../server.mjs";
import { equal, Stage, until } from "../stage.mjs";

/** On a server of its own: everybody of the control centre sees every case of a server. */
async function apart({ browser }, run) {
  const server = await Server.start();
  const stage = new Stage(browser, server, await Api.login(server.url, ADMIN.username, ADMIN.password));
  try {
    await run(stage);
    await stage.finish();
  } finally {
    await stage.close();
    await server.stop();
  }
}

async function field(stage, options = {}) {
  const tom = await stage.account("Tom", ["user", "bus-driver"]);
  return stage.as(tom, options);
}

const control = async (stage, name, options = {}) =>
  stage.as(await stage.account(name, ["user", "control-staff"]), options);

const lane = (person, name) => person.page.getByRole("region", { name });
const card = (person, within, title) => lane(person, within).getByRole("article", { name: title });

export default [
  {
    name: "a case: asked, taken once, noted, handed over, closed and opened again, as both sides see it",
    shows: [66, 68, 69, 70],
    run: (outer) =>
      apart(outer, async (stage) => {
        await stage.admin.post("settings/Livechat_Canned_Replies", { value: ["Please stay where you are."] });
        const tom = await field(stage, { path: "/support", phone: true });
        const ana = await control(stage, "Ana", { path: "/support" });
        const eve = await control(stage, "Eve", { path: "/support" });
        for (const one of [ana, eve]) one.expect(/status of 400/);
        await tom.page.getByLabel("What it is about").fill("Door 3 is stuck");
        await tom.page.getByLabel("What happened").fill("It does not close any more.");
        await tom.check();
        await tom.button("Ask").click();
        await tom.sees(tom.page.getByRole("status").filter({ hasText: "next in line" }));
        // Nobody loads anything anew.
        await ana.sees(card(ana, /^Nobody’s yet/, "Door 3 is stuck"));
        await eve.sees(card(eve, /^Nobody’s yet/, "Door 3 is stuck"));
        await ana.check();
        await ana.button("Take “Door 3 is stuck”").click();
        await ana.sees(card(ana, /^Yours/, "Door 3 is stuck"));
        await eve.sees(card(eve, /^Others’/, "Door 3 is stuck").getByText("Taken by Ana"));
        await tom.sees(tom.page.getByRole("status").filter({ hasText: "Taken by Ana" }));
        await ana.shot("support");
        // A note stays inside.
        await card(ana, /^Yours/, "Door 3 is stuck")
          .getByRole("link")
          .click();
        await ana.sees(ana.message("It does not close any more."));
        await ana.page.getByRole("link", { name: "Notes and requester" }).click();
        await ana.page.getByLabel("New note").fill("third time this week");
        await ana.button("Keep the note").click();
        await ana.sees(ana.page.getByRole("listitem").filter({ hasText: "third time this week" }));
        await ana.check();
        await ana.shot("support-case");
        // A ready reply goes into what is being written, and nowhere else.
        await ana.composer.fill("Hello Tom.");
        await ana.button("Please stay where you are.").click();
        const written = "Hello Tom.\nPlease stay where you are.";
        await until("it is in the composer", async () => (await ana.composer.inputValue()) === written);
        equal(await tom.message("Please stay").count(), 0, "replies that were sent");
        await ana.say("We send somebody.");
        await tom.sees(tom.message("We send somebody."));
        // Handed over with a word.
        await ana.page.getByLabel("To (user name)").fill(tom.username);
        await ana.button("Hand over").click();
        await ana.sees(ana.page.getByText("nobody else of the control centre"));
        await ana.page.getByLabel("To (user name)").fill(eve.username);
        await ana.page.getByLabel("Note for them").fill("you know the door");
        await ana.button("Hand over").click();
        await eve.sees(card(eve, /^Yours/, "Door 3 is stuck"));
        await tom.sees(tom.page.getByRole("status").filter({ hasText: "Taken by Eve" }));
        await card(eve, /^Yours/, "Door 3 is stuck")
          .getByRole("link")
          .click();
        await eve.page.getByRole("link", { name: "Notes and requester" }).click();
        await eve.sees(eve.page.getByRole("listitem").filter({ hasText: "you know the door" }));
        await eve.button("Close the case").click();
        await eve.page.getByLabel("Reason").fill("mended");
        await eve.page.getByRole("dialog").getByRole("button", { name: "Close the case" }).click();
        await tom.sees(tom.page.getByRole("status").filter({ hasText: "Closed" }));
        await tom.sees(tom.page.getByText("Eve closed the case: mended"));
        await tom.sees(tom.page.getByText("This case is closed."));
        if ((await tom.page.getByText("third time this week").count()) > 0) throw new Error("the note was shown");
        await tom.check();
        await tom.shot("support-requester");
        await tom.button("Open it again").click();
        await tom.sees(tom.page.getByRole("status").filter({ hasText: "Taken by Eve" }));
        // Whoever only asks sees no queue.
        const { api } = tom;
        const refused = await api.get("support.desk").then(
          () => false,
          (error) => /support-role-required/.test(error.message),
        );
        if (!refused) throw new Error("the queue was shown to who asks");
      }),
  },
  {
    name: "an emergency stands above everything until somebody acknowledges it by name",
    shows: [67],
    run: (outer) =>
      apart(outer, async (stage) => {
        const tom = await field(stage, { path: "/support" });
        const ana = await control(stage, "Ana", { path: null });
        const eve = await control(stage, "Eve", { path: "/support", dark: true });
        const room = await stage.room(ana);
        await ana.open(room.path);
        await ana.sees(ana.composer);
        await tom.page.getByLabel("What it is about").fill("Smoke in the tunnel");
        await tom.page.getByLabel("What happened").fill("We stand still.");
        await tom.page.getByLabel("It is an emergency").check();
        await tom.button("Report the emergency").click();
        // Wherever the control centre is.
        const alarm = ana.page.getByRole("alert").filter({ hasText: "Smoke in the tunnel" });
        await ana.sees(alarm);
        await until("the title flashes", async () => /Emergency/.test(await ana.page.title()));
        await ana.check();
        await ana.shot("emergency");
        await eve.sees(card(eve, /^Emergency/, "Smoke in the tunnel"));
        await eve.check();
        await eve.shot("emergency-dark");
        await ana.button("Acknowledge", alarm).click();
        await ana.seesNot(alarm);
        await eve.seesNot(eve.page.getByRole("alert").filter({ hasText: "Smoke" }));
        await eve.sees(card(eve, /^Emergency/, "Smoke in the tunnel").getByText(/acknowledged by Ana at/));
        await eve.button("Take “Smoke in the tunnel”").click();
        await eve.sees(card(eve, /^Emergency/, "Smoke in the tunnel").getByText(/Taken by you/));
        await tom.sees(tom.page.getByRole("status").filter({ hasText: "Taken by Eve" }));
      }),
  },
];
