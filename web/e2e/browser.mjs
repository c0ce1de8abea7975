// The browser of the machine.
import { accessSync } from "node:fs";
import { chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const FLAGS = ["--no-sandbox", "--disable-dev-shm-usage"];

function isThere(place) {
  try {
    accessSync(place);
    return true;
  } catch {
    return false;
  }
}

/** Starts it; these flags come on top of those that it needs here. */
export function launch(flags = []) {
  return chromium.launch({ executablePath: PLACES.find(isThere), args: [...FLAGS, ...flags] });
}
