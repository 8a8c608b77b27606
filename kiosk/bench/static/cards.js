// Draws a card as people know it, and lets it be carried: clicked, or dragged onto the reader.

import { drawing, h } from "./dom.js";

const KINDS = {
  resident: "中华人民共和国居民身份证",
  hmt: "港澳台居民居住证",
  foreign2017: "外国人永久居留身份证",
  foreign2023: "外国人永久居留身份证 2023",
};
const SHORT = { resident: "居民身份证", hmt: "港澳台居民居住证", foreign2017: "外国人永居证 2017", foreign2023: "外国人永居证 2023" };

const INKS = ["#6d8b96", "#8a7f9b", "#7b8f73", "#9a8070", "#6f86a5", "#8d8d6e"];

/** A plain bust: hair and shoulders vary with the name, nobody is meant. */
function face(card) {
  let sum = 0;
  for (const c of card.name || card.englishName || "") sum = (sum * 31 + c.codePointAt(0)) >>> 0;
  const ink = INKS[sum % INKS.length];
  const hair = card.sex === "女"
    ? "M12 34c-4-22 2-29 12-29s16 7 12 29l-3 2c2-14-2-18-9-18s-11 4-9 18z"
    : "M13 24c-2-13 3-18 11-18s13 5 11 18c-2-6-5-8-11-8s-9 2-11 8z";
  return drawing("0 0 48 60",
    ["path", { d: "M3 60c0-15 9-19 21-19s21 4 21 19z", fill: ink }],
    ["path", { d: "M19 34h10v9c-2 4-8 4-10 0z", fill: "#e6c7ad" }],
    ["ellipse", { cx: 24, cy: 25, rx: 10, ry: 12.5, fill: "#f2d7bf" }],
    ["path", { d: hair, fill: "#33302f" }]);
}

/** True when the card's last day is past. Dates are YYYYMMDD; 长期 never ends. */
export function expired(card) {
  const now = new Date();
  const today = `${now.getFullYear()}${String(now.getMonth() + 1).padStart(2, "0")}${String(now.getDate()).padStart(2, "0")}`;
  return !card.permanent && /^\d{8}$/.test(card.validTo) && card.validTo < today;
}

/** The drawn card. tag is "button" for one that can be taken, "div" for one that lies on the reader. */
export function drawCard(tag, card) {
  const shown = card.name || card.englishName || "—";
  const line = { hmt: () => `通行证 ${card.passNumber}`, foreign2017: () => card.englishName, foreign2023: () => card.englishName }[card.kind]
    ?? (() => `${card.sex}　${card.nation}${/族$/.test(card.nation) ? "" : "族"}`);
  return h(tag, {
    class: "card", type: tag === "button" ? "button" : null, data: { kind: card.kind },
    "aria-label": `${shown} ${KINDS[card.kind] ?? ""}`, title: `${shown} · ${KINDS[card.kind] ?? card.kind}`,
  },
  h("span", { class: "card-kind" }, SHORT[card.kind] ?? card.kind),
  h("span", { class: shown.length > 5 ? "card-name is-long" : "card-name" }, shown),
  h("span", { class: "card-line" }, line() || ""),
  h("span", { class: "card-face" }, face(card)),
  h("span", { class: "card-number" }, card.number),
  expired(card) ? h("span", { class: "card-stamp" }, "已过期") : null);
}

/**
 * Makes a drawn card portable. drop is asked for the element under which it may be let go; take is called when it was let go
 * there, or when the card was clicked or chosen with the keyboard.
 */
export function portable(element, drop, take) {
  let start, ghost, carried = false;
  const over = (event) => {
    const r = drop().getBoundingClientRect();
    return event.clientX > r.left - 20 && event.clientX < r.right + 20 && event.clientY > r.top - 20 && event.clientY < r.bottom + 20;
  };
  const end = () => { ghost?.remove(); ghost = start = undefined; drop().classList.remove("is-target"); };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const r = element.getBoundingClientRect();
    start = { x: event.clientX, y: event.clientY, dx: event.clientX - r.left, dy: event.clientY - r.top, width: r.width };
    carried = false;
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    if (!start) return;
    if (!ghost && Math.hypot(event.clientX - start.x, event.clientY - start.y) > 6) {
      ghost = element.cloneNode(true);
      ghost.classList.add("is-ghost");
      ghost.style.width = `${start.width}px`;
      document.body.append(ghost);
      carried = true;
    }
    if (!ghost) return;
    ghost.style.left = `${event.clientX - start.dx}px`;
    ghost.style.top = `${event.clientY - start.dy}px`;
    drop().classList.toggle("is-target", over(event));
  });
  element.addEventListener("pointerup", (event) => {
    const landed = ghost && over(event);
    end();
    if (landed) take();
  });
  element.addEventListener("pointercancel", end);
  element.addEventListener("click", () => {
    if (!carried) take();
    carried = false;
  });
}
