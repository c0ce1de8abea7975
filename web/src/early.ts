// Runs before the app: the look that was chosen, so that no other one flashes.

const root = document.documentElement;
const theme = localStorage.getItem("parlor.theme");
const density = localStorage.getItem("parlor.density");
if (theme && theme !== "system") root.dataset.theme = theme;
if (density && density !== "cosy") root.dataset.density = density;
export {};
