// Which emoji somebody took lately, on this device; those that most people take fill up the rest.

const KEY = "parlor.emoji";
const USUAL = ["thumbsup", "heart", "joy", "tada", "eyes", "white_check_mark", "pray", "rocket"];

export function lately(): string[] {
  let kept: unknown;
  try {
    kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
  } catch {
    // What is no list counts for nothing.
  }
  const own = Array.isArray(kept) ? kept.filter((code): code is string => typeof code === "string") : [];
  return [...new Set([...own, ...USUAL])].slice(0, USUAL.length);
}

export function took(code: string): void {
  const rest = lately().filter((one) => one !== code);
  localStorage.setItem(KEY, JSON.stringify([code, ...rest].slice(0, USUAL.length)));
}
