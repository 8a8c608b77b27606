// The page is a display: it shows what the program sends and tells it what was touched. It keeps nothing of a visit.
import "./clock.js";
import "./countdown.js";
import "./signature.js";
import { play, wake } from "./sound.js";
import { patch } from "./patch.js";
import { beat } from "./beat.js";
import { hold } from "./hold.js";

const TAKEN_OVER = 4001;       // another page shows the screens now: stay away
const LOST_AFTER = 2000;       // ms without a connection before the page says so (S-903)
const SILENT_AFTER = 30000;    // ms; a socket that cannot even be opened for so long is tried anew
const ALIVE_EVERY = 3000;      // ms between two words that somebody is there

const $ = (id) => document.getElementById(id);
let socket = null;
let screen = "";
let retry = 0;
let lostTimer = 0;
let lastAlive = 0;
let pressed = null;            // what the finger went down on, so that a page that changes under it sends nothing else
let changedAt = 0;             // event time of the last change of screen

function connect() {
  const url = (location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/ui/ws";
  const s = new WebSocket(url);
  socket = s;
  const tooLong = setTimeout(() => s.readyState === WebSocket.CONNECTING && s.close(), SILENT_AFTER);
  s.onmessage = (event) => {
    retry = 0;
    clearTimeout(lostTimer);
    lostTimer = 0;
    $("lost").hidden = true;
    $("app").inert = false;
    show(JSON.parse(event.data));
  };
  s.onclose = (event) => {
    clearTimeout(tooLong);
    if (socket !== s) return;
    socket = null;
    if (event.code === TAKEN_OVER) {
      blank("taken");
      return;
    }
    lostTimer ||= setTimeout(() => { $("lost").hidden = false; $("app").inert = true; }, LOST_AFTER);
    // After a restart of the program the token of this page is old; loading the page again fetches a new one.
    if (++retry % 4 === 0) reloadWhenServed();
    setTimeout(connect, Math.min(250 * 2 ** Math.min(retry, 4), 3000));
  };
}

// Nothing of a visit stays behind on a page that has lost its place.
function blank(veil) {
  for (const id of ["top", "nav", "step", "title", "banner", "main", "foot", "overlay"]) $(id).replaceChildren();
  $(veil).hidden = false;
}

async function reloadWhenServed() {
  try {
    const answer = await fetch("/", { method: "GET", cache: "no-store" });
    if (answer.ok) location.reload();
  } catch { /* the program is not up yet; the next try will tell */ }
}

function show(m) {
  const other = m.screen !== screen || m.snapshot;
  document.body.className = m.classes.join(" ");
  document.title = m.title;
  for (const [name, html] of Object.entries(m.regions ?? {})) patch($(name), html, other && name === "main");
  if (other) {
    screen = m.screen;
    changedAt = performance.now();
    pressed = null;
  }
  const overlay = $("overlay").firstElementChild;
  $("app").inert = Boolean(overlay);
  if (m.regions && "overlay" in m.regions && overlay) overlay.querySelector(".main")?.focus({ focusVisible: false });
  else if (other && document.activeElement !== document.body && !document.contains(document.activeElement)) $("main").focus();
  if (m.sound) play(m.sound);
  document.documentElement.dataset.seq = m.seq; // for tests and for a technician's eye
  document.documentElement.dataset.screen = m.screen;
}

export function send(action) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(action));
  return true;
}

function alive() {
  const now = performance.now();
  if (now - lastAlive < ALIVE_EVERY) return;
  if (send({ do: "alive" })) lastAlive = now;
}

addEventListener("pointerdown", (event) => {
  wake();
  alive();
  pressed = event.target.closest?.("[data-act]")?.dataset.act ?? null;
}, { capture: true, passive: true });
addEventListener("pointermove", (event) => { if (event.buttons) alive(); }, { passive: true });

addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-act]");
  if (!button || button.disabled) return;
  // A finger that was already down, and the second tap of a double tap, mean the screen they began on.
  const byPointer = event.detail > 0;
  if (byPointer && pressed !== null && pressed !== button.dataset.act) return;
  if (byPointer && event.detail > 1 && event.timeStamp - changedAt < 400) return;
  const action = JSON.parse(button.dataset.act);
  alive();
  if (send(action)) document.dispatchEvent(new CustomEvent("acted", { detail: { action, button } }));
});

// Keys and switches: Tab and Enter are the browser's own; arrows walk over what can be touched, to the nearest one there.
addEventListener("keydown", (event) => {
  alive();
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (way) {
    event.preventDefault();
    walk(way);
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || event.key === "Enter" || event.key === " ") return;
  // A keyboard may type where the page shows keys.
  const name = event.key === "Backspace" ? "del" : event.key.length === 1 ? event.key : "";
  if (!name || !document.querySelector(".keys")) return;
  const keys = document.querySelectorAll(".keys .key");
  const hit = [...keys].find((k) => {
    const key = JSON.parse(k.dataset.act).key;
    return key === name || key === name.toUpperCase() || key === name.toLowerCase();
  });
  if (hit) {
    event.preventDefault();
    hit.click();
  }
});

function walk([dx, dy]) {
  const root = $("overlay").firstElementChild ?? $("app");
  const all = [...root.querySelectorAll("button:not([disabled])")].filter((b) => b.offsetParent !== null);
  if (all.length === 0) return;
  const from = document.activeElement?.matches?.("button") ? document.activeElement : null;
  if (!from) {
    (root.querySelector("#main button:not([disabled])") ?? all[0]).focus();
    return;
  }
  const a = from.getBoundingClientRect();
  const near = (b) => {
    const r = b.getBoundingClientRect();
    const x = (r.left + r.right - a.left - a.right) / 2, y = (r.top + r.bottom - a.top - a.bottom) / 2;
    const along = x * dx + y * dy, beside = Math.abs(x * dy) + Math.abs(y * dx);
    return along > 4 ? along + 3 * beside : Infinity;
  };
  let best = null, least = Infinity;
  for (const b of all) {
    const d = b === from ? Infinity : near(b);
    if (d < least) [best, least] = [b, d];
  }
  best?.focus();
}

// A public machine: no menus, no dragging of pictures, no zoom by fingers or wheel.
for (const name of ["contextmenu", "dragstart", "selectstart"]) addEventListener(name, (event) => event.preventDefault());
addEventListener("wheel", (event) => { if (event.ctrlKey) event.preventDefault(); }, { passive: false });

connect();
beat(send);
hold(send);
