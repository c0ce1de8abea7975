// Names of classes in the built app: short ones, since each stands in a script and in the sheet.
import { createHash } from "node:crypto";
import { relative } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const taken = new Map();
const CHARS = 5;

/** The same name for the same class of the same file, whatever else there is. */
export function className(name, file) {
  const whole = `${relative(root, file.split("?")[0])} ${name}`;
  const hash = createHash("sha256").update(whole).digest().readUIntBE(0, 6);
  const short = `_${hash.toString(36).slice(-CHARS)}`;
  if ((taken.get(short) ?? whole) !== whole) throw new Error(`${whole} and ${taken.get(short)} have one short name`);
  taken.set(short, whole);
  return short;
}
