// What the service worker does.
import { equal, until } from "../stage.mjs";

export default [
  {
    name: "few requests are made before messages are seen, and fewer over the network at a reload",
    shows: [59],
    async run(stage) {
      const ana = await stage.person("Ana", { path: null, worker: true });
      const bob = await stage.account("Bob");
      const room = await stage.room(ana, [bob]);
      await bob.api.say(room.id, "what is seen");
      // As the page sees it: also what the worker answers.
      const asked = async (load, last) => {
        const seen = [];
        const request = (one) => one.serviceWorker() || seen.push(new URL(one.url()).pathname);
        const socket = () => seen.push("the socket");
        ana.page.on("request", request).on("websocket", socket);
        await load();
        await ana.sees(ana.message("what is seen"));
        await last?.();
        ana.page.off("request", request).off("websocket", socket);
        // Who is there is asked for once the messages are.
        return seen.filter((one) => !one.endsWith("users.presence"));
      };
      const cold = await asked(
        () => ana.open(room.path),
        () => ana.page.locator("#messages img").first().waitFor(),
      );
      equal(cold.length <= 8, true, `what the first visit asked for: ${cold.join(" ")}`);
      await ana.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      const own = [];
      ana.page.on("response", (one) => one.fromServiceWorker() && own.push(new URL(one.url()).pathname));
      const warm = await asked(() => ana.page.reload());
      // A second batch asks what changed meanwhile, and pictures are in the browser's own cache.
      const over = new Set(warm.filter((one) => !own.includes(one) && !one.startsWith("/avatar/")).concat(room.path));
      equal(over.size <= 3, true, `what went over the network: ${[...over].join(" ")}`);
    },
  },
  {
    name: "the app stands without a network, shows pushes, and a click on one opens its message",
    shows: [49, 59],
    async run(stage) {
      const ana = await stage.person("Ana", { path: null, worker: true });
      const bob = await stage.account("Bob");
      const room = await stage.room(ana, [bob]);
      const { _id } = await bob.api.say(room.id, "the very message");
      await ana.context.grantPermissions(["notifications"]);
      ana.expect(/incognito mode|ERR_INTERNET_DISCONNECTED|WebSocket connection|Failed to fetch/);
      await ana.open("/");
      await ana.sees(ana.row(room.name));
      const { page } = ana;
      await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      const { serviceWorkers } = { serviceWorkers: ana.context.serviceWorkers() };
      equal(serviceWorkers.length, 1, "workers");
      const [worker] = serviceWorkers;
      // The first load was not the worker's yet; the second is.
      await page.reload();
      await ana.sees(ana.row(room.name));
      await ana.context.setOffline(true);
      await page.reload();
      await ana.sees(ana.row(room.name));
      await ana.context.setOffline(false);
      await ana.sees(ana.row(room.name));
      // A push as the server sends it.
      const push = {
        type: "message",
        tag: room.id,
        title: "Bob",
        body: "the very message",
        url: `${room.path}?msg=${_id}`,
        badge: 1,
      };
      const shown = () =>
        worker.evaluate(async () =>
          (await self.registration.getNotifications()).map(({ title, body }) => [title, body]),
        );
      // A worker that the browser has stopped meanwhile is told again.
      const comes = () =>
        until("it is shown", async () => {
          await worker.evaluate((told) => {
            Object.defineProperty(WindowClient.prototype, "focused", { configurable: true, get: () => false });
            self.dispatchEvent(new PushEvent("push", { data: JSON.stringify(told) }));
          }, push);
          return until("at once", async () => (await shown()).length === 1, 5_000).then(
            () => true,
            () => false,
          );
        });
      await comes();
      equal(await shown(), [["Bob", "the very message"]]);
      await worker.evaluate(async () => {
        const [notification] = await self.registration.getNotifications();
        self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
      });
      await ana.sees(ana.message("the very message"));
      // Read elsewhere: nothing is left of it.
      await comes();
      await worker.evaluate((tag) => {
        self.dispatchEvent(new PushEvent("push", { data: JSON.stringify({ type: "read", tag, badge: 0 }) }));
      }, room.id);
      await until("it is closed", async () => (await shown()).length === 0);
    },
  },
];
