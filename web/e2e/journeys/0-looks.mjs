// The key screens in their looks: no violation, nothing too wide, no word cut.
import { look } from "../looks.mjs";
import { furnish, SCREENS, show } from "../screens.mjs";

const LOCALES = ["en", "fr", "en-XA", "ar-XB"];
const ALL = LOCALES.flatMap((locale) =>
  [360, 1280].flatMap((width) => [false, true].map((dark) => ({ locale, width, dark }))),
);
/** Two for each screen, so that together they have everything; `PARLOR_LOOKS=all` takes every one. */
const SOME = [
  { locale: "fr", width: 360, dark: true },
  { locale: "en-XA", width: 360, dark: false },
  { locale: "ar-XB", width: 1280, dark: true },
];

function chosen(at) {
  if (process.env.PARLOR_LOOKS === "all") return [{ locale: "en", width: 1280, theme: "contrast" }, ...ALL];
  return [SOME[at % 3], SOME[(at + 1) % 3]];
}

/** Whoever looks at a screen: one window each. */
async function viewer(stage, scene, people, who = "nobody") {
  if (people.has(who)) return people.get(who);
  const options = { path: null };
  const person =
    who === "nobody"
      ? await stage.visitor()
      : who === "boss"
        ? await stage.person("boss", { admin: true, ...options })
        : await stage.as(scene[who], options);
  people.set(who, person);
  return person;
}

/** A third of them each, so that they are looked at side by side. */
const PARTS = [0, 1, 2];

export default PARTS.map((part) => ({
  name: `the key screens in dark, at 360 px, in French, in longer words and mirrored (${part + 1} of ${PARTS.length})`,
  shows: [57, 58],
  axe: false,
  async run(stage) {
    const scene = await furnish(stage);
    const people = new Map();
    for (const [at, screen] of SCREENS.entries()) {
      if (Math.floor((at * PARTS.length) / SCREENS.length) !== part) continue;
      const person = await viewer(stage, scene, people, screen.who);
      let shown;
      for (const { locale, ...how } of chosen(at)) {
        if (locale !== shown) await show(person, screen, scene, locale);
        shown = locale;
        const name = [screen.name, locale, how.width, how.dark && "dark", how.theme].filter(Boolean).join("-");
        await look(person, name, how, name);
      }
    }
  },
}));
