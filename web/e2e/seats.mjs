// Browser windows that journeys take in turn. A fresh one costs three times what a kept one does: its process, the
// app's files and their compiled code are there already. What the last one left behind is gone before the next sits.
const SIZES = { phone: { width: 360, height: 640 }, wide: { width: 1280, height: 800 } };
/** A page of the server's own origin without the app. */
const EMPTY = "/health";
/** What changes a window for good. */
const MARKS = ["grantPermissions", "setOffline", "newCDPSession", "exposeBinding", "exposeFunction"];

export class Seats {
  /** Keeps at most so many windows while nobody sits there. */
  constructor(browser, url, keeps = 0) {
    Object.assign(this, { browser, url, keeps });
    this.free = [];
  }

  /** A window in these looks, on an empty page of the server; everything in its storage is the caller's. */
  async take({ phone = false, locale = "en-GB", dark = false, worker = false } = {}) {
    const looks = JSON.stringify([phone, locale, dark, worker]);
    const found = this.free.findIndex((seat) => seat.looks === looks);
    if (found >= 0) return this.free.splice(found, 1)[0];
    const context = await this.browser.newContext({
      viewport: phone ? SIZES.phone : SIZES.wide,
      hasTouch: phone,
      locale,
      // A service worker fetches the whole app again: only journeys about it have one.
      serviceWorkers: worker ? "allow" : "block",
      colorScheme: dark ? "dark" : "light",
      // Colours can't be measured while something fades.
      reducedMotion: "reduce",
      baseURL: this.url,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    // Bounds, not waits: a machine that is shared with builds is ten times slower.
    context.setDefaultTimeout(60_000);
    const seat = { looks, context, phone, dark, scripts: [], spent: worker };
    for (const mark of MARKS) {
      const real = context[mark].bind(context);
      context[mark] = (...all) => {
        seat.spent = true;
        return real(...all);
      };
    }
    seat.page = await context.newPage();
    for (const one of [context, seat.page]) {
      const real = one.addInitScript.bind(one);
      one.addInitScript = async (...all) => {
        const script = await real(...all);
        seat.scripts.push(script);
        return script;
      };
    }
    await seat.page.goto(EMPTY);
    return seat;
  }

  /** Takes it back, empty; whoever `failed` leaves one that nobody sits on again. */
  async leave(seat, failed = false) {
    const { context, page } = seat;
    if (failed || seat.spent || page.isClosed() || this.free.length >= this.keeps) return context.close();
    try {
      await Promise.all(context.pages().map((one) => (one === page ? undefined : one.close())));
      await Promise.all(seat.scripts.splice(0).map((script) => script.dispose()));
      await Promise.all([
        page.unrouteAll({ behavior: "ignoreErrors" }),
        context.unrouteAll({ behavior: "ignoreErrors" }),
      ]);
      await page.evaluate(() => sessionStorage.clear());
      await page.goto(EMPTY);
      await page.setViewportSize(seat.phone ? SIZES.phone : SIZES.wide);
      await page.emulateMedia({ colorScheme: seat.dark ? "dark" : "light" });
      await page.mouse.move(-10, -10);
      await context.clearCookies();
      await page.evaluate(forget);
      this.free.push(seat);
    } catch {
      await context.close().catch(() => null);
    }
  }
}

/** Runs in the page: nothing of the last account stays. */
async function forget() {
  localStorage.clear();
  for (const { name } of await indexedDB.databases()) {
    await new Promise((resolve, reject) => {
      const gone = indexedDB.deleteDatabase(name);
      gone.onsuccess = resolve;
      gone.onerror = reject;
    });
  }
}
