// Small things about text.

/** For comparing names as people type them: no case, no accents. */
export function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** How well `needle` fits `name`: 0 not at all, higher is better. Begins-with beats word-begins beats contains. */
export function fit(name: string, needle: string): number {
  const [hay, want] = [plain(name), plain(needle)];
  if (!want) return 1;
  const at = hay.indexOf(want);
  if (at === 0) return hay.length === want.length ? 5 : 4;
  if (at > 0) return /[\s\-_.]/.test(hay[at - 1] ?? "") ? 3 : 2;
  // Letters in order, as in "dsg" for "design".
  let from = 0;
  for (const letter of want) {
    from = hay.indexOf(letter, from) + 1;
    if (from === 0) return 0;
  }
  return 1;
}

const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** A size in bytes, as people write it. */
export function size(locale: string, bytes: number): string {
  const step = Math.min(SIZES.length - 1, bytes > 0 ? Math.floor(Math.log(bytes) / Math.log(1000)) : 0);
  const unit = SIZES[step] ?? "byte";
  // "14 byte" is no English.
  const style = {
    style: "unit",
    unit,
    unitDisplay: step > 0 ? "short" : "long",
    maximumFractionDigits: step > 1 ? 1 : 0,
  } as const;
  return new Intl.NumberFormat(locale, style).format(bytes / 1000 ** step);
}

/** A fresh id of 17 letters and digits, as Rocket.Chat's own clients make them. */
export function freshId(): string {
  const letters = "23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz";
  const random = crypto.getRandomValues(new Uint8Array(17));
  return Array.from(random, (byte) => letters[byte % letters.length]).join("");
}
