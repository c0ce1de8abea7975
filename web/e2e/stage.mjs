// A journey's people: each with a window of their own, found by roles and names only.
import axe from "axe-core";
import { Seats } from "./seats.mjs";
import { Api, ADMIN } from "./server.mjs";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
let number = 0;

export class Stage {
  /** On a server of its own a journey has windows of its own. */
  constructor(browser, server, admin, seats = new Seats(browser, server.url)) {
    Object.assign(this, { browser, server, admin, seats });
    this.people = [];
    this.faults = [];
  }

  get url() {
    return this.server.url;
  }

  /** A fresh account, not in a browser yet. */
  async account(name = "Ana", roles = undefined) {
    const username = `${name
      .toLowerCase()
      .normalize("NFD")
      .replace(/[^a-z]/g, "")}${++number}`;
    const password = `pass word ${number}`;
    const body = { name, username, password, email: `${username}@example.org`, verified: true, roles };
    const { user } = await this.admin.post("users.create", body);
    const api = await Api.login(this.url, username, password);
    return { api, username, password, name, id: user._id };
  }

  /** Somebody who is signed in and looks at the page. */
  async person(name = "Ana", options = {}) {
    const account = options.admin
      ? { api: this.admin, ...ADMIN, id: this.admin.session.userId }
      : await this.account(name);
    return this.as(account, options);
  }

  /** The same with an account that is there. */
  async as(account, options = {}) {
    const person = await this.visitor(options);
    Object.assign(person, account);
    const { userId, token } = account.api.session;
    await person.page.evaluate(
      ([user, secret]) => {
        localStorage.setItem("Meteor.userId", user);
        localStorage.setItem("Meteor.loginToken", secret);
      },
      [userId, token],
    );
    if (options.path !== null) await person.open(options.path ?? "/");
    return person;
  }

  /** Somebody who is not signed in. */
  async visitor(options = {}) {
    const person = new Person(this, await this.seats.take(options));
    this.people.push(person);
    return person;
  }

  /** A public room with these people in it. */
  async room(owner, members = [], { group = false, name = `room-${++number}` } = {}) {
    const family = group ? "groups" : "channels";
    const body = { name, members: members.map(({ username }) => username) };
    const answer = await owner.api.post(`${family}.create`, body);
    const room = answer.channel ?? answer.group;
    return { id: room._id, name, path: `/${group ? "group" : "channel"}/${name}` };
  }

  /** Ends the journey: what is shown must be accessible, and nothing may have been complained of. */
  async finish({ axe = true } = {}) {
    for (const person of this.people) {
      if (axe && !person.page.isClosed()) await person.check();
      this.faults.push(...person.complaints);
    }
    if (this.faults.length > 0) throw new Error(this.faults.join("\n"));
  }

  async close({ failed = false } = {}) {
    await Promise.all(this.people.map((person) => person.leave(failed)));
  }
}

export class Person {
  constructor(stage, seat) {
    const { context, page } = seat;
    Object.assign(this, { stage, seat, context, page });
    this.complaints = [];
    this.refusals = [];
    this.expected = [];
    this.listen(page);
  }

  listen(page) {
    // What the server said when it refused: shown beside the complaints of a journey that failed.
    this.hears = {
      response: (response) => {
        if (response.status() < 400 || !response.url().includes("/api/")) return;
        response.text().then(
          (text) => this.refusals.push(`${response.status()} ${response.url()} ${text.slice(0, 300)}`),
          () => undefined,
        );
      },
      console: (message) => {
        const text = message.text();
        // Pages without the app have no icon.
        if (message.location().url.endsWith("/favicon.ico")) return;
        if (message.type() !== "error" || this.expected.some((pattern) => pattern.test(text))) return;
        this.complaints.push(`console: ${text} (${message.location().url})`);
      },
      pageerror: (error) => this.complaints.push(`page: ${error.stack ?? error}`),
    };
    for (const [event, hear] of Object.entries(this.hears)) page.on(event, hear);
  }

  async leave(failed) {
    for (const [event, hear] of Object.entries(this.hears)) this.page.off(event, hear);
    await this.stage.seats.leave(this.seat, failed);
  }

  /** A refusal that belongs to the journey: the browser logs it itself. */
  expect(pattern) {
    this.expected.push(pattern);
  }

  async open(path) {
    await this.page.goto(path);
  }

  get composer() {
    return this.page.getByRole("combobox", { name: /^Message to/ });
  }

  get feed() {
    return this.page.getByRole("group", { name: "Conversation", exact: true });
  }

  get inbox() {
    return this.page.getByRole("navigation", { name: "Rooms" });
  }

  /** A message by its text. */
  message(text) {
    return this.feed.getByRole("article", { name: /^(?!Sending:|Not sent:)/ }).filter({ hasText: text });
  }

  row(name) {
    return this.inbox.getByRole("link").filter({ hasText: name });
  }

  button(name, within = this.page) {
    return within.getByRole("button", { name, exact: typeof name === "string" });
  }

  async say(text) {
    await this.composer.fill(text);
    await this.composer.press("Enter");
  }

  /** Opens the menu of a message and chooses from it. */
  async act(text, item) {
    const message = this.message(text).last();
    await message.hover();
    await this.button("More actions", message).click();
    await this.page.getByRole("menuitem", { name: item, exact: true }).click();
  }

  async sees(locator, what = {}) {
    await locator.first().waitFor({ state: "visible", ...what });
  }

  async seesNot(locator) {
    await locator.first().waitFor({ state: "hidden" });
  }

  /** No violation of WCAG 2.2 AA; no rule is left out. */
  async check() {
    // Once for each document: it is half a megabyte.
    if (!(await this.page.evaluate(() => "axe" in window))) await this.page.evaluate(axe.source);
    const violations = await this.page.evaluate(async (tags) => {
      const frame = () => new Promise(requestAnimationFrame);
      // Colours of what fades are measured when it has faded, and rows that are being laid out when they stand.
      await Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null)));
      await frame();
      await frame();
      const found = await window.axe.run(document, {
        runOnly: { type: "tag", values: tags },
        resultTypes: ["violations"],
      });
      return found.violations;
    }, TAGS);
    for (const { id, help, nodes } of violations) {
      const where = nodes
        .slice(0, 3)
        .map((node) => `${node.target} ${node.failureSummary?.split("\n").slice(1, 3).join(" ")}`);
      this.complaints.push(`axe ${id}: ${help}\n      ${where.join("\n      ")}`);
    }
  }

  async shot(name) {
    const folder = process.env.PARLOR_SHOTS;
    if (folder) await this.page.screenshot({ path: `${folder}/${name}.png` });
  }
}

/** Waits until `ask` gives something true. The time is a bound: a busy machine needs some of it, others none. */
export async function until(what, ask, within = 60_000) {
  for (const began = Date.now(); Date.now() - began < within;) {
    if (await ask()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`never came true: ${what}`);
}

export function equal(actual, expected, what = "value") {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) {
    throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
  }
}
