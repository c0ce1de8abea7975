// One page in all its looks, each checked: light and dark, wide and narrow, French, mirrored.

/** What an address of this page is in another language. */
const spoken = (address, locale) => {
  const url = new URL(address);
  url.searchParams.set("locale", locale);
  return url.pathname + url.search;
};

/** Nothing may be wider than the window. */
async function fits(person, what) {
  const over = await person.page.evaluate(() => {
    const root = document.documentElement;
    return root.scrollWidth - root.clientWidth;
  });
  if (over > 0) person.complaints.push(`${what}: ${over} px too wide`);
}

/**
 * Checks what is shown in dark, at 360 px and in French. `ready` waits for the page when it has been loaded again; it
 * is given the language. `name` is for pictures.
 */
export async function looks(person, ready, name) {
  const { page } = person;
  const here = page.url();
  await person.check();
  if (name) await person.shot(name);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.setViewportSize({ width: 360, height: 640 });
  await fits(person, "dark, 360 px");
  await person.check();
  if (name) await person.shot(`${name}-dark-360`);
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(spoken(here, "fr"));
  await ready("fr");
  await fits(person, "French, 360 px");
  await person.check();
  await page.setViewportSize({ width: 1280, height: 800 });
  if (name) await person.shot(`${name}-fr`);
  for (const locale of ["en-XA", "ar-XB"]) {
    await page.goto(spoken(here, locale));
    await ready(locale);
    await fits(person, locale);
  }
  await person.check();
  if (name) await person.shot(`${name}-mirrored`);
}
