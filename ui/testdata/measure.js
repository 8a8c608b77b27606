// measure(seq, rules) waits until the page shows message seq, then lists everything that breaks a number of the design.
// rules: {mm, large, wheelchair, text} – text is the least font size in CSS pixels.
async function measure(seq, rules) {
  const until = performance.now() + 5000;
  while (Number(document.documentElement.dataset.seq ?? 0) < seq) {
    if (performance.now() > until) return [`message ${seq} did not arrive`];
    await new Promise((done) => setTimeout(done, 5));
  }
  await document.fonts.ready;
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const bad = new Set();
  const W = innerWidth, H = innerHeight;
  const root = document.getElementById("overlay").firstElementChild ?? document.getElementById("app");
  const name = (e) => e.localName + (e.id ? "#" + e.id : "") + (typeof e.className === "string" && e.className ? "." + e.className.trim().split(/\s+/).join(".") : "");
  const say = (e, text) => bad.add(`${name(e)} "${(e.innerText ?? "").trim().replace(/\s+/g, " ").slice(0, 24)}": ${text}`);
  const visible = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && e.getClientRects().length > 0;
  const all = [...root.querySelectorAll("*")].filter((e) => !e.closest("svg") && visible(e));

  // what is clipped away is for readers of the screen only
  const clipped = (e) => { for (let a = e; a && a !== root; a = a.parentElement) if (getComputedStyle(a).clipPath !== "none") return true; return false; };
  for (const e of all) {
    if (clipped(e) || getComputedStyle(e).display === "inline") continue;
    if (e.closest(".note")) continue; // a line one writes in shows where one writes, not all of it
    const cs = getComputedStyle(e);
    // What may overlap by a few pixels are the tall line boxes of the typeface, never a line of text.
    if (e.scrollHeight > e.clientHeight + 9 && e.clientHeight > 0) say(e, `content is ${e.scrollHeight - e.clientHeight}px taller than its place`);
    if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && cs.display !== "contents") say(e, `content is ${e.scrollWidth - e.clientWidth}px wider than its place`);
    const r = e.getBoundingClientRect();
    if (r.left < -0.5 || r.top < -0.5 || r.right > W + 0.5 || r.bottom > H + 0.5) say(e, `is outside the display (${Math.round(r.left)},${Math.round(r.top)} to ${Math.round(r.right)},${Math.round(r.bottom)})`);
    if (cs.textOverflow === "ellipsis") say(e, "cuts its text");
  }

  // No text lies over another: the letters of a line take about the middle half of its box.
  const words = [];
  for (const e of all) {
    if (clipped(e) || e.closest(".note")) continue;
    for (const n of e.childNodes) {
      if (n.nodeType !== 3 || !n.nodeValue.trim()) continue;
      const range = document.createRange();
      range.selectNodeContents(n);
      for (const t of range.getClientRects()) if (t.width > 1) words.push({ e, l: t.left + 1, r: t.right - 1, t: t.top + t.height * 0.27, b: t.bottom - t.height * 0.27 });
    }
  }
  words.sort((a, b) => a.t - b.t);
  for (let i = 0; i < words.length; i++) {
    for (let j = i + 1; j < words.length && words[j].t < words[i].b; j++) {
      const a = words[i], b = words[j];
      if (a.e !== b.e && a.l < b.r && b.l < a.r) say(a.e, `lies over ${name(b.e)} "${b.e.innerText.trim().slice(0, 12)}"`);
    }
  }

  const targets = all.filter((e) => e.matches("button, a[href], [role=button]"));
  const least = Math.max(60, 20 * rules.mm) - 0.6, gap = 6 * rules.mm - 0.6;
  const boxes = targets.map((e) => ({ e, r: e.getBoundingClientRect() }));
  for (const { e, r } of boxes) {
    if (r.width < least || r.height < least) say(e, `target of ${r.width.toFixed(0)}x${r.height.toFixed(0)}px, at least ${least.toFixed(0)}`);
    if (e.matches(".level") && (r.width < 35 * rules.mm - 0.6 || r.height < 35 * rules.mm - 0.6)) say(e, `rating choice of ${r.width.toFixed(0)}x${r.height.toFixed(0)}px is under 35 mm`);
    if (rules.wheelchair && r.top < H / 2 - 0.5) say(e, `target at ${r.top.toFixed(0)}px is in the upper half`);
  }
  for (let i = 0; i < boxes.length; i++) {
    for (let j = i + 1; j < boxes.length; j++) {
      const a = boxes[i].r, b = boxes[j].r;
      const dx = Math.max(a.left - b.right, b.left - a.right), dy = Math.max(a.top - b.bottom, b.top - a.bottom);
      const apart = dx < 0 && dy < 0 ? Math.max(dx, dy) : dx < 0 ? dy : dy < 0 ? dx : Math.hypot(dx, dy);
      if (apart < gap) say(boxes[i].e, `${apart.toFixed(0)}px from ${name(boxes[j].e)} "${boxes[j].e.innerText.trim().slice(0, 12)}", at least ${gap.toFixed(0)}`);
    }
  }
  const levels = boxes.filter(({ e }) => e.matches(".level"));
  for (const { e, r } of levels) {
    const f = levels[0];
    if (Math.abs(r.width - f.r.width) > 1 || Math.abs(r.height - f.r.height) > 1 || getComputedStyle(e).backgroundColor !== getComputedStyle(f.e).backgroundColor) say(e, "is not equal to the other choices");
    if (e.matches(":focus, [aria-pressed=true]")) say(e, "is preselected or first in focus");
  }

  const channel = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colors = new Map();
  const rgba = (color) => {
    if (colors.has(color)) return colors.get(color);
    channel.clearRect(0, 0, 1, 1);
    channel.fillStyle = color;
    channel.fillRect(0, 0, 1, 1);
    const d = channel.getImageData(0, 0, 1, 1).data;
    colors.set(color, [d[0], d[1], d[2], d[3] / 255]);
    return colors.get(color);
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] + under[i] * (1 - top[3]));
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)]; return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
  const grounds = new Map();
  const panel = document.querySelector(".wheelchair #app") && rgba(getComputedStyle(document.getElementById("app"), "::before").backgroundColor);
  const ground = (e) => {
    if (!e) return [255, 255, 255];
    if (grounds.has(e)) return grounds.get(e);
    const own = rgba(getComputedStyle(e).backgroundColor);
    const onPanel = panel && e.matches(".upper, #title, #top, #step") ? panel.slice(0, 3) : null; // positioned over 轮椅's upper half
    const seen = own[3] === 1 ? own.slice(0, 3) : over(own, onPanel ?? ground(e.parentElement));
    grounds.set(e, seen);
    return seen;
  };
  for (const e of all) {
    if (clipped(e) || ![...e.childNodes].some((n) => n.nodeType === 3 && n.nodeValue.trim())) continue;
    const cs = getComputedStyle(e), size = parseFloat(cs.fontSize);
    const under = ground(e);
    const c = ratio(over(rgba(cs.color), under), under);
    if (c < 7) say(e, `text contrast ${c.toFixed(2)}, at least 7`);
    if (size < rules.text && !e.matches(".rating-service.text-huge, .stub-name.text-huge")) say(e, `text of ${size}px, at least ${rules.text}`);
    const box = e.closest("button") ?? e.closest("#main > *, #foot, #nav, #title, #top, #step, #banner, .sheet") ?? e;
    const r = box.getBoundingClientRect();
    const range = document.createRange();
    range.selectNodeContents(e);
    for (const t of range.getClientRects()) {
      if (t.width > 0 && (t.left < r.left - 1 || t.right > r.right + 1)) { say(e, "text runs out of its box"); break; }
    }
  }
  for (const e of targets) {
    if (e.matches(".way, .mode")) continue; // their icons and words are their shape
    const cs = getComputedStyle(e);
    const shape = Math.max(ratio(over(rgba(cs.borderTopColor), ground(e.parentElement)), ground(e.parentElement)), ratio(ground(e), ground(e.parentElement)));
    if (shape < 3) say(e, `shape contrast ${shape.toFixed(2)}, at least 3`);
  }
  return [...bad];
}
