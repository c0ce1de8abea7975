// Runs before the app: the look that was chosen, so that no other one flashes.

const root = document.documentElement;
const theme = localStorage.getItem("parlor.theme");
const density = localStorage.getItem("parlor.density");
if (theme && theme !== "system") root.dataset.theme = theme;
if (density && density !== "cosy") root.dataset.density = density;

// Rocket.Chat's desktop app shows this page in a web view, asks it by Meteor's `require` which version it is, and
// reloads it again and again when there is no such function. What else it asks for is optional there.
const SPOKEN = "8.5.0";
Object.assign(window, {
  require(id: string): unknown {
    if (id.endsWith("rocketchat.info")) return { Info: { version: SPOKEN } };
    throw new Error(`there is no module ${id}`);
  },
});
export {};
