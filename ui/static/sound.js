// Three short, soft tones. Silent when the visitor chose 静音, and until the page was touched once if the browser says so.
const TONES = {
  invite: [[523, 0, 0.18], [659, 0.16, 0.18], [784, 0.32, 0.3]],
  done: [[659, 0, 0.14], [880, 0.12, 0.28]],
  alert: [[440, 0, 0.2], [440, 0.32, 0.2]],
};
let context = null;

export function wake() {
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume().catch(() => {});
}

export function play(name) {
  if (document.body.classList.contains("mute") || !TONES[name]) return;
  wake();
  for (const [pitch, after, long] of TONES[name]) {
    const tone = new OscillatorNode(context, { type: "sine", frequency: pitch });
    const volume = new GainNode(context, { gain: 0 });
    const at = context.currentTime + after;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.22, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, at + long);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + long + 0.05);
  }
}
