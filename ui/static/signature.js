// <sign-pad strokes="[[[x,y,ms],…],…]"> is a sheet to sign on. After each stroke it sends all of them as
// {"do":"ink","strokes":"…"}; given strokes are drawn again, so that a page loaded anew still shows the ink.
//
// Units: x and y are whole thousandths of the pad's WIDTH, origin top left; ms counts from the first touch.
const MAX_TEXT = 48 * 1024; // characters; the program takes 64 KiB a message
const MIN_STEP = 3;         // thousandths between two points worth keeping

class SignPad extends HTMLElement {
  static observedAttributes = ["strokes"];

  connectedCallback() {
    this.strokes ??= parse(this.getAttribute("strokes"));
    if (!this.canvas) {
      this.canvas = document.createElement("canvas");
      this.append(this.canvas);
      this.canvas.addEventListener("pointerdown", (e) => this.down(e));
      this.canvas.addEventListener("pointermove", (e) => this.move(e));
      for (const name of ["pointerup", "pointercancel"]) this.canvas.addEventListener(name, (e) => this.up(e));
    }
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this);
    this.cleared = (e) => { if (e.detail.action.do === "ink") { this.strokes = []; this.sent = performance.now(); this.draw(); this.hint(false); } };
    document.addEventListener("acted", this.cleared);
    this.draw();
  }

  disconnectedCallback() {
    this.watcher?.disconnect();
    document.removeEventListener("acted", this.cleared);
  }

  attributeChangedCallback() {
    if (!this.canvas) return;
    // What is drawn here is newer than what comes back, except for ink that the program itself has taken away.
    const fresh = this.pointer !== undefined || performance.now() - this.sent < 1500;
    if (this.began && (fresh || parse(this.getAttribute("strokes")).length > 0)) return;
    this.strokes = parse(this.getAttribute("strokes"));
    this.draw();
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    this.began ||= event.timeStamp;
    const scale = 1000 / box.width;
    const clamp = (v, top) => Math.round(Math.min(Math.max(v, 0), top));
    return [clamp((event.clientX - box.left) * scale, 1000), clamp((event.clientY - box.top) * scale, box.height * scale), Math.round(event.timeStamp - this.began)];
  }

  down(event) {
    if (this.pointer !== undefined || event.button !== 0) return;
    event.preventDefault();
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.strokes.push([this.point(event)]);
    this.hint(true);
    this.draw();
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    const stroke = this.strokes.at(-1);
    const between = event.getCoalescedEvents?.() ?? [];
    for (const e of between.length > 0 ? between : [event]) {
      const p = this.point(e), last = stroke.at(-1);
      if (Math.hypot(p[0] - last[0], p[1] - last[1]) >= MIN_STEP) stroke.push(p);
    }
    this.draw();
  }

  async up(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = undefined;
    let text = JSON.stringify(this.strokes);
    while (text.length > MAX_TEXT) { // a very long scribble keeps its shape with half of its points
      this.strokes = this.strokes.map((s) => s.filter((_, i) => i % 2 === 0 || i === s.length - 1));
      text = JSON.stringify(this.strokes);
    }
    const { send } = await import("./display.js");
    this.sent = performance.now();
    send({ do: "ink", strokes: text });
  }

  hint(off) { const h = this.parentElement?.querySelector(".sign-hint"); if (h) h.hidden = off; }

  draw() {
    const box = this.getBoundingClientRect(), dots = devicePixelRatio || 1;
    if (box.width === 0) return;
    const w = Math.round(box.width * dots), h = Math.round(box.height * dots);
    if (this.canvas.width !== w || this.canvas.height !== h) [this.canvas.width, this.canvas.height] = [w, h];
    const ink = this.canvas.getContext("2d");
    ink.setTransform(w / 1000, 0, 0, w / 1000, 0, 0);
    ink.clearRect(0, 0, 1000, 1000 * h / w);
    ink.strokeStyle = ink.fillStyle = getComputedStyle(this).color;
    ink.lineCap = ink.lineJoin = "round";
    for (const s of this.strokes) stroke(ink, s);
  }
}

// A stroke is a chain of quadratic curves through the middles of its points; slow is thick, fast is thin, as with a brush pen.
function stroke(ink, points) {
  if (points.length < 3) {
    ink.beginPath();
    ink.arc(points[0][0], points[0][1], 4.5, 0, 7);
    ink.fill();
  }
  let width = 7.5;
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    const before = i > 1 ? middle(points[i - 2], a) : a;
    const speed = Math.hypot(b[0] - a[0], b[1] - a[1]) / Math.max(b[2] - a[2], 1);
    width += (Math.max(4.5, 8.5 - 2.2 * speed) - width) * 0.25;
    ink.lineWidth = width;
    ink.beginPath();
    ink.moveTo(before[0], before[1]);
    const end = i === points.length - 1 ? b : middle(a, b);
    ink.quadraticCurveTo(a[0], a[1], end[0], end[1]);
    ink.stroke();
  }
}

const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];

function parse(text) {
  try {
    const all = JSON.parse(text || "[]");
    return Array.isArray(all) ? all.filter((s) => Array.isArray(s) && s.length > 0 && s.every((p) => Array.isArray(p) && p.length >= 2)) : [];
  } catch {
    return [];
  }
}
customElements.define("sign-pad", SignPad);
