// Two short tones, made here: nothing is fetched for them.

let context: AudioContext | undefined;

function tone(at: number, pitch: number, loudness: number): void {
  if (!context) return;
  const [source, gain] = [context.createOscillator(), context.createGain()];
  source.frequency.value = pitch;
  gain.gain.setValueAtTime(loudness, at);
  gain.gain.exponentialRampToValueAtTime(0.001, at + 0.35);
  source.connect(gain).connect(context.destination);
  source.start(at);
  source.stop(at + 0.4);
}

/** Plays the sound of a message, or the one of an emergency; `volume` from 0 to 100. Silent where browsers forbid it. */
export function play(kind: "message" | "emergency", volume = 100): void {
  if (volume <= 0 || !("AudioContext" in window)) return;
  context ??= new AudioContext();
  const now = context.currentTime;
  const loudness = Math.max(0.002, (volume / 100) * 0.25);
  const pitches = kind === "message" ? [660, 880] : [880, 620, 880, 620];
  for (const [index, pitch] of pitches.entries()) tone(now + index * 0.18, pitch, loudness);
}
