import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Message, Subscription } from "@/api/types";

type Answers = Record<string, (query: URLSearchParams) => unknown>;

let answers: Answers;
let asked: string[];

class Socket {
  static readonly OPEN = 1;
  readyState = 0;
  onclose?: () => void;
  close(): void {
    this.onclose?.();
  }
}

/** A server that answers by the name of the call; what has no answer is away. */
async function serve(input: string | URL | Request): Promise<Response> {
  const url = new URL(String(input), "http://here");
  const name = url.pathname.replace("/api/v1/", "");
  if (name === "requests.batch") {
    const all = url.searchParams.getAll("call").map((call) => serve(`/api/v1/${call}`));
    const found = await Promise.allSettled(all);
    if (found.every(({ status }) => status === "rejected")) throw new TypeError("away");
    const answer = async (one: (typeof found)[number]): Promise<object> =>
      one.status === "fulfilled"
        ? { status: 200, body: await one.value.json() }
        : { status: 503, body: { success: false, error: "away" } };
    return Response.json({ success: true, answers: await Promise.all(found.map(answer)) });
  }
  asked.push(name);
  const answer = answers[name];
  return answer
    ? Promise.resolve(Response.json({ success: true, ...(answer(url.searchParams) as object) }))
    : Promise.reject(new TypeError("away"));
}

const at = (seconds: number): string => new Date(1_700_000_000_000 + seconds * 1000).toISOString();
const sub = (rid: string, unread: number, seconds: number): Subscription =>
  ({
    _id: `s-${rid}`,
    rid,
    t: "p",
    name: rid,
    open: true,
    alert: unread > 0,
    unread,
    _updatedAt: at(seconds),
  }) as never;
const message = (id: string, seconds: number, more: Partial<Message> = {}): Message =>
  ({ _id: id, rid: "r", msg: id, ts: at(seconds), _updatedAt: at(seconds), u: { _id: "bob" }, ...more }) as Message;
const signIn = (user: string): void => {
  localStorage.setItem("Meteor.userId", user);
  localStorage.setItem("Meteor.loginToken", `token of ${user}`);
};

// The modules are made fit for the tests once, which takes a busy machine longer than all tests together.
vi.setConfig({ testTimeout: 120_000 });
beforeAll(async () => {
  await import("./account");
}, 120_000);

beforeEach(() => {
  vi.resetModules();
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", Socket);
  vi.stubGlobal("fetch", serve);
  vi.spyOn(AbortSignal, "timeout").mockImplementation(() => new AbortController().signal);
  localStorage.clear();
  asked = [];
  answers = {};
  signIn("ana");
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const workspace = (subs: Subscription[]): Answers => ({
  me: () => ({ _id: "ana", username: "ana", roles: [] }),
  "subscriptions.get": () => ({ update: subs, remove: [] }),
  "rooms.get": () => ({ update: [], remove: [] }),
  "permissions.listAll": () => ({ update: [] }),
  "emoji-custom.list": () => ({ emojis: { update: [] } }),
});

test("a page that was kept begins as soon as the server is back", async () => {
  localStorage.setItem(
    "parlor.seen",
    JSON.stringify({ me: { _id: "ana", username: "ana", roles: [] }, subscriptions: {}, rooms: {}, settings: {} }),
  );
  const [{ start }, { state }] = [await import("./account"), await import("./state")];
  await start();
  expect([state().ready, state().listed]).toEqual([true, false]);
  answers = workspace([sub("r", 1, 1)]);
  await vi.advanceTimersByTimeAsync(3_000);
  expect([state().listed, state().subscriptions["r"]?.unread]).toEqual([true, 1]);
});

test("the same session is begun once, however often it is asked for", async () => {
  answers = workspace([]);
  const { start } = await import("./account");
  await Promise.all([start(), start()]);
  expect(asked.filter((name) => name === "me")).toHaveLength(1);
});

test("whoever signs in as somebody else in another tab takes over this one, and nothing of the first stays", async () => {
  answers = workspace([sub("r", 1, 1)]);
  const [{ start }, { state }, { session }] = [
    await import("./account"),
    await import("./state"),
    await import("@/api/session"),
  ];
  await start();
  expect(state().me?._id).toBe("ana");
  signIn("eve");
  dispatchEvent(Object.assign(new Event("storage"), { key: "Meteor.loginToken" }));
  expect([state().me, state().subscriptions, session.get()?.userId]).toEqual([null, {}, "eve"]);
  answers = { ...workspace([]), me: () => ({ _id: "eve", username: "eve", roles: [] }) };
  await start();
  expect(state().me?._id).toBe("eve");
});

test("a list that was asked for before does not undo what the socket told", async () => {
  const [{ readLists, listen }, { ddp }, { state, flush, change }] = [
    await import("./live"),
    await import("@/api/live"),
    await import("./state"),
  ];
  const ears = new Map<string, (args: unknown[]) => void>();
  vi.spyOn(ddp, "listen").mockImplementation((_, key, handler) => {
    ears.set(key, (args) => handler(args, key));
    return () => undefined;
  });
  change({ me: { _id: "ana", username: "ana", roles: [] } });
  listen("ana", () => undefined);
  const tell = (word: string, told: object): void => {
    ears.get("ana/subscriptions-changed")?.([word, told]);
    flush();
  };
  answers = workspace([sub("old", 0, 1), sub("gone", 0, 1)]);
  const reading = readLists();
  tell("updated", sub("old", 1, 5));
  tell("inserted", sub("new", 1, 5));
  tell("removed", { _id: "s-gone", rid: "gone" });
  await reading;
  expect(Object.values(state().subscriptions).map(({ rid, unread }) => [rid, unread])).toEqual([
    ["old", 1],
    ["new", 1],
  ]);
  // What an event does not have any more was taken away.
  tell("updated", { ...sub("old", 0, 6), archived: true });
  tell("updated", sub("old", 0, 7));
  expect(state().subscriptions["old"]?.archived).toBeUndefined();
});

test("a room that is shown again has what came, changed and went meanwhile, and says what is new", async () => {
  const [{ open }, { state, change }, { fresh }] = [
    await import("./history"),
    await import("./state"),
    await import("./timeline"),
  ];
  const run = { ...fresh, ready: true, whole: true, older: false };
  change({
    me: { _id: "ana", username: "ana", roles: [] },
    listed: true,
    subscriptions: { r: { ...sub("r", 1, 9), ls: at(3) } },
    timelines: {
      r: { ...run, messages: [message("a", 1), message("b", 2), message("c", 3)] },
      c: { ...run, messages: [message("c", 3)] },
    },
  });
  answers = {
    "chat.syncMessages": () => ({
      result: {
        updated: [
          message("a", 1, { msg: "better", _updatedAt: at(8) }),
          message("d", 9),
          message("t", 9, { tmid: "c" }),
        ],
        deleted: [{ _id: "b" }],
      },
    }),
  };
  await open("r");
  const now = state().timelines["r"];
  expect(now?.messages.map(({ msg }) => msg)).toEqual(["better", "c", "d"]);
  expect([now?.unreadSince, now?.kept, now?.loading]).toEqual([Date.parse(at(3)), undefined, false]);
  expect(state().timelines["c"]?.messages.map(({ _id }) => _id)).toEqual(["c", "t"]);
});

test("what comes while a room is read for the first time is not lost, and what is deleted meanwhile stays away", async () => {
  const [{ open, remember, hear }, { state, change }, { bury }] = [
    await import("./history"),
    await import("./state"),
    await import("./timeline"),
  ];
  change({ me: { _id: "ana", username: "ana", roles: [] }, listed: true, subscriptions: { r: sub("r", 0, 1) } });
  remember("r");
  answers = { "groups.history": () => ({ messages: [message("b", 2), message("a", 1)] }) };
  const reading = open("r");
  hear("r", message("c", 3));
  bury(["a"]);
  await reading;
  expect(state().timelines["r"]?.messages.map(({ _id }) => _id)).toEqual(["b", "c"]);
});

test("a room that was left further up than what is kept of it is read around that place, and says what is new", async () => {
  const [{ open }, { left }, { state, change }, { fresh }] = [
    await import("./history"),
    await import("./left"),
    await import("./state"),
    await import("./timeline"),
  ];
  const many = (from: number, count: number): Message[] =>
    Array.from({ length: count }, (_, index) => message(`m${from + index}`, from + index));
  left.set("r", { key: "m100", at: Date.parse(at(100)), above: 7, end: false });
  change({
    me: { _id: "ana", username: "ana", roles: [] },
    listed: true,
    subscriptions: { r: { ...sub("r", 1, 900), ls: at(800) } },
    timelines: { r: { ...fresh, ready: true, whole: true, messages: many(700, 100) } },
  });
  answers = {
    "groups.history": (query) => {
      expect(query.get("latest")).toBe(at(100));
      return { messages: many(70, 30).toReversed() };
    },
    "method.call/loadNextMessages": () => ({
      message: JSON.stringify({ msg: "result", id: "1", result: { messages: many(100, 30) } }),
    }),
  };
  await open("r");
  const now = state().timelines["r"];
  expect([now?.messages[0]?._id, now?.messages.at(-1)?._id, now?.error]).toEqual(["m70", "m129", undefined]);
  expect([now?.older, now?.newer, now?.unreadSince]).toEqual([true, true, Date.parse(at(800))]);
  expect(left.get("r")?.key).toBe("m100");
});
