// One page in all its looks, each checked: light and dark, wide and narrow, French, longer words, mirrored.

const SIZES = { 1280: { width: 1280, height: 800 }, 360: { width: 360, height: 640 } };

/** What an address of this page is in another language. */
const spoken = (address, locale) => {
  const url = new URL(address);
  url.searchParams.set("locale", locale);
  return url.pathname + url.search;
};

/** Nothing may be wider than the window, and no word of the app's own may be cut. */
export async function fits(person, what) {
  for (const fault of await person.page.evaluate(cut)) person.complaints.push(`${what}: ${fault}`);
}

/** Runs in the page. */
function cut() {
  const faults = [];
  const root = document.documentElement;
  const over = root.scrollWidth - root.clientWidth;
  if (over > 0) faults.push(`the page is ${over} px too wide`);
  // What people wrote and how they are called may be shortened; what the app says may not.
  const own = "button, label, legend, h1, h2, h3, summary, [role=tab], [role=menuitem], nav a > span:only-child, p";
  for (const one of document.querySelectorAll(own)) {
    if (one.closest(".hidden, .skip, article, [aria-hidden=true], [role=listitem], [dir=auto]")) continue;
    const words = [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!words || one.getClientRects().length === 0) continue;
    const style = getComputedStyle(one);
    const hides = style.overflowX !== "visible" || style.overflowY !== "visible";
    const named = `“${one.textContent.trim().slice(0, 40)}”`;
    if (hides && one.scrollWidth > one.clientWidth + 1) faults.push(`${named} is cut`);
    if (hides && one.scrollHeight > one.clientHeight + 2) faults.push(`${named} is cut below`);
    const { left, right } = one.getBoundingClientRect();
    let scrolls = one.parentElement;
    while (scrolls && !/auto|scroll/.test(getComputedStyle(scrolls).overflowX)) scrolls = scrolls.parentElement;
    if (!scrolls && (right > innerWidth + 1 || left < -1)) faults.push(`${named} leaves the window`);
  }
  return faults.slice(0, 5);
}

/** Shows the page in this light and width, and checks it. */
export async function look(person, what, { dark = false, width = 1280, theme } = {}, name = undefined) {
  const { page } = person;
  await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
  await page.setViewportSize(SIZES[width]);
  if (theme) await page.evaluate((chosen) => (document.documentElement.dataset.theme = chosen), theme);
  const before = person.complaints.length;
  await fits(person, what);
  await person.check();
  // Whose look it is that was complained of.
  for (let at = before; at < person.complaints.length; at += 1)
    if (!person.complaints[at].startsWith(what)) person.complaints[at] = `${what}: ${person.complaints[at]}`;
  if (name) await person.shot(name);
  if (theme) await page.evaluate(() => delete document.documentElement.dataset.theme);
}

/**
 * Checks what is shown in dark, at 360 px, in French, in longer words and mirrored. `ready` waits for the page when it
 * has been loaded again; it is given the language. `name` is for pictures.
 */
export async function looks(person, ready, name) {
  const { page } = person;
  const here = page.url();
  const named = (end) => name && `${name}${end}`;
  await look(person, "light", {}, name);
  await look(person, "dark, 360 px", { dark: true, width: 360 }, named("-dark-360"));
  await page.goto(spoken(here, "fr"));
  await ready("fr");
  await look(person, "French, 360 px", { width: 360 }, named("-fr-360"));
  await page.goto(spoken(here, "en-XA"));
  await ready("en-XA");
  await fits(person, "longer words, 360 px");
  await page.setViewportSize(SIZES[1280]);
  await fits(person, "longer words");
  await page.goto(spoken(here, "ar-XB"));
  await ready("ar-XB");
  await look(person, "mirrored", {}, named("-mirrored"));
}
