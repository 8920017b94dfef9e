// Three answers that can be told apart by ear, over traffic: up for go, twice the same for look, down and long for stop.

type Note = readonly [frequency: number, start: number, length: number]; // hertz, seconds, seconds

const TONES: Record<string, readonly Note[]> = {
  go: [[660, 0, 0.12], [990, 0.13, 0.2]],
  look: [[620, 0, 0.16], [620, 0.24, 0.16]],
  stop: [[330, 0, 0.3], [220, 0.32, 0.6]],
  done: [[880, 0, 0.08]],
};

let context: AudioContext | null = null;

/** Play the tone of an answer. Silent where the browser has no sound or forbids it: the colour and the word stay. */
export function play(tone: string): void {
  const notes = TONES[tone];
  if (!notes || !("AudioContext" in globalThis)) return;
  context ??= new AudioContext();
  if (context.state === "suspended") void context.resume();
  for (const [frequency, start, length] of notes) {
    const at = context.currentTime + start;
    const gain = context.createGain();
    const oscillator = context.createOscillator();
    oscillator.type = "square"; // carries farther outside than a sine
    oscillator.frequency.value = frequency;
    gain.gain.setValueAtTime(0.0001, at);
    gain.gain.exponentialRampToValueAtTime(0.3, at + 0.01);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + length);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(at);
    oscillator.stop(at + length);
  }
}
