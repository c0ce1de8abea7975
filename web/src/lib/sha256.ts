// SHA-256 (FIPS 180-4), for pages that did not come by TLS: browsers keep their own from them.

const ROUND = new Uint32Array(64);
const START = new Uint32Array(8);

/** The first bits behind the point of a root of a prime. */
const fraction = (root: number): number => (root - Math.floor(root)) * 2 ** 32;

for (let prime = 2, at = 0; at < 64; prime += 1) {
  let divisor = 2;
  while (prime % divisor !== 0) divisor += 1;
  if (divisor < prime) continue;
  if (at < 8) START[at] = fraction(Math.sqrt(prime));
  ROUND[at] = fraction(Math.cbrt(prime));
  at += 1;
}

const turn = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

function block(state: Uint32Array, bytes: DataView, from: number): void {
  const words = new Uint32Array(64);
  for (let at = 0; at < 16; at += 1) words[at] = bytes.getUint32(from + at * 4);
  const w = (at: number): number => words[at] ?? 0;
  for (let at = 16; at < 64; at += 1) {
    const [old, late] = [w(at - 15), w(at - 2)];
    const first = turn(old, 7) ^ turn(old, 18) ^ (old >>> 3);
    const second = turn(late, 17) ^ turn(late, 19) ^ (late >>> 10);
    words[at] = w(at - 16) + first + w(at - 7) + second;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let at = 0; at < 64; at += 1) {
    const mix = (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g));
    const one = (h + mix + (ROUND[at] ?? 0) + w(at)) | 0;
    const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  for (const [at, word] of [a, b, c, d, e, f, g, h].entries()) state[at] = (state[at] ?? 0) + word;
}

export function sha256(data: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil((data.length + 9) / 64) * 64);
  padded.set(data);
  padded[data.length] = 0x80;
  const bytes = new DataView(padded.buffer);
  bytes.setUint32(padded.length - 8, Math.floor(data.length / 2 ** 29));
  bytes.setUint32(padded.length - 4, data.length * 8);
  const state = START.slice();
  for (let from = 0; from < padded.length; from += 64) block(state, bytes, from);
  const result = new DataView(new ArrayBuffer(32));
  for (const [at, word] of state.entries()) result.setUint32(at * 4, word);
  return new Uint8Array(result.buffer);
}
