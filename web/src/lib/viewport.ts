// The part of the window that the keyboard on the screen leaves. Most browsers make the page itself smaller; Safari
// lays the keyboard over it, so the app is told how much is left.

/** Differences below are bars of the browser that come and go (px). */
const LEAST = 80;

export function followKeyboard(): void {
  const view = window.visualViewport;
  if (!view) return;
  const root = document.documentElement;
  const fit = (): void => {
    // Whoever has zoomed in looks at a part on purpose.
    const covered = view.scale === 1 && window.innerHeight - view.height > LEAST;
    if (covered) root.style.setProperty("--view", `${view.height}px`);
    else root.style.removeProperty("--view");
    // It scrolls the page towards the field as well, which would push the room's head out of sight.
    if (covered && window.scrollY > 0) window.scrollTo(0, 0);
  };
  view.addEventListener("resize", fit);
  view.addEventListener("scroll", fit);
  fit();
}
