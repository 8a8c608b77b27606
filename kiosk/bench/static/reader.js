// The ID reader and the tray of cards beside it.

import { $, chips, en, h, tone } from "./dom.js";
import { ask, tell } from "./api.js";
import { drawCard, portable } from "./cards.js";

const FAULTS = [
  { value: "none", zh: "正常", en: "ok" },
  { value: "silent", zh: "不响应", en: "silent", bad: true, why: "在线，但对任何命令都不回答" },
  { value: "unplugged", zh: "拔线", en: "unplug", bad: true, why: "设备从系统里消失" },
  { value: "halfFrame", zh: "半帧", en: "half", bad: true, why: "回答只发一半" },
  { value: "noise", zh: "噪声", en: "noise", bad: true, why: "回答前后夹杂乱码" },
  { value: "badChecksum", zh: "校验错", en: "bad sum", bad: true, why: "回答的校验字节是错的" },
  { value: "slow", zh: "很慢", en: "slow", bad: true, why: "过了时限才回答" },
];
const FAULT_TONES = {
  silent: ["bad", "不响应", "silent"], unplugged: ["off", "已拔线", "unplugged"], halfFrame: ["warn", "只发半帧", "half frames"],
  noise: ["warn", "线路有噪声", "noise"], badChecksum: ["warn", "校验错误", "bad checksum"], slow: ["warn", "回答很慢", "slow"],
};

const lay = (card) => tell("PUT", "/bench/api/reader/card", card);
const remove = () => tell("DELETE", "/bench/api/reader/card");
const fault = (value) => tell("PUT", "/bench/api/reader/fault", { fault: value });

/** The dialog in which one makes a card of one's own. */
function maker() {
  const dialog = $("maker");
  const form = $("maker-form");
  $("maker-close").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const card = Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim() !== ""));
    try {
      await ask("PUT", "/bench/api/reader/card", card);
      dialog.close();
    } catch (error) {
      $("maker-error").textContent = error.message;
    }
  });
  return () => { $("maker-error").textContent = ""; dialog.showModal(); };
}

/** Fills the tray with the people the bench knows. */
function tray(people) {
  const slots = people.map(({ note, english, card }) => {
    const drawn = drawCard("button", card);
    portable(drawn, () => $("reader-pad"), () => lay(card));
    return h("div", { class: "tray-slot", data: { number: card.number } }, drawn, h("span", { class: "tray-note" }, note, " ", en(english)));
  });
  $("tray").replaceChildren(...slots);
}

export function reader() {
  const showFault = chips($("reader-fault"), FAULTS, fault);
  $("make-card").addEventListener("click", maker());
  let now = { present: false, fault: "none" };
  $("reader-remove").addEventListener("click", remove);
  $("reader-plug").addEventListener("click", () => fault(now.fault === "unplugged" ? "none" : "unplugged"));
  $("inlet")?.addEventListener("click", remove);

  const show = (state) => {
    const laid = state.present && !(now.present && now.card?.number === state.card.number);
    now = state;
    $("reader").dataset.fault = state.fault;
    $("reader-pad").dataset.present = state.present ? "yes" : "no";
    $("inlet").dataset.on = state.present ? "yes" : "no";
    $("reader-remove").disabled = !state.present;
    showFault(state.fault);
    if (!state.present) $("reader-card").replaceChildren();
    if (laid) {
      const drawn = drawCard("button", state.card);
      drawn.addEventListener("click", remove);
      $("reader-card").replaceChildren(drawn);
    }
    for (const slot of $("tray").children) {
      const card = slot.querySelector(".card");
      const away = state.present && slot.dataset.number === state.card.number;
      card.dataset.away = away ? "yes" : "no";
      card.disabled = away;
    }
    const plug = $("reader-plug");
    const out = state.fault === "unplugged";
    plug.setAttribute("aria-pressed", String(out));
    plug.querySelector("span").replaceChildren(out ? "插回" : "拔线");
    const [name, text, english] = FAULT_TONES[state.fault] ?? (state.present ? ["busy", "有证件", "card present"] : ["ok", "没有证件", "no card"]);
    tone($("reader-state"), name, text, english);
  };
  let filled = false;
  return {
    people: (people) => { if (!filled) { tray(people); filled = true; show(now); } },
    reader: show,
  };
}
