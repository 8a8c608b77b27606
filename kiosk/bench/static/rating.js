// The five rating buttons, all of one kind, and the lamps around them.

import { $, h } from "./dom.js";
import { tell } from "./api.js";

const WORDS = { 5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意" };

export function rating() {
  const press = (n) => tell("POST", `/bench/api/buttons/${n}/press`, {
    ms: Number($("press-ms").value), bounces: Number($("press-bounces").value),
  });
  const caps = new Map();
  for (const n of [5, 4, 3, 2, 1]) {
    const cap = h("button", { class: "cap", type: "button", data: { lit: "no", down: "no" }, "aria-label": `按钮 ${WORDS[n]}`, on: { click: () => press(n) } },
      h("span", { class: "cap-ring" }, h("i", { class: "cap-top" })), h("b", {}, WORDS[n], h("em", {}, String(n))));
    caps.set(n, cap);
    $("keybox").append(cap);
  }
  document.addEventListener("keydown", (event) => {
    const n = Number(event.key);
    if (!caps.has(n) || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input, select, dialog")) return;
    press(n);
  });
  let out = false;
  $("keys-plug").addEventListener("click", () => tell("PUT", "/bench/api/buttons/fault", { fault: out ? "none" : "unplugged" }));
  return {
    lamps: (lamps) => { for (const { n, on } of lamps) if (caps.has(n)) caps.get(n).dataset.lit = on ? "yes" : "no"; },
    buttons: (state) => {
      for (const { n, down } of state.buttons) if (caps.has(n)) caps.get(n).dataset.down = down ? "yes" : "no";
      out = state.fault === "unplugged";
      $("rating").dataset.fault = state.fault;
      const plug = $("keys-plug");
      plug.setAttribute("aria-pressed", String(out));
      plug.querySelector("span").replaceChildren(out ? "插回" : "拔线");
    },
  };
}
