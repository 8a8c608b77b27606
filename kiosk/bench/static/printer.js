// The receipt printer: its paper rises out of the slot as the picture of what was really printed.

import { $, chips, en, h, tone } from "./dom.js";
import { tell } from "./api.js";

const PAPER = [
  { value: "full", zh: "纸满", en: "full" },
  { value: "low", zh: "纸将尽", en: "low", bad: true },
  { value: "out", zh: "缺纸", en: "out", bad: true },
];
const COVER = [{ value: "closed", zh: "盖上", en: "closed" }, { value: "open", zh: "开盖", en: "open", bad: true }];
const CUTTER = [{ value: "ok", zh: "切刀好", en: "ok" }, { value: "jammed", zh: "卡刀", en: "jammed", bad: true }];
const FAULT = [
  { value: "none", zh: "线路正常", en: "ok" },
  { value: "silent", zh: "不响应", en: "silent", bad: true, why: "在线，但不回答状态，也不确认" },
  { value: "unplugged", zh: "拔线", en: "unplugged", bad: true },
];

const change = (fields) => tell("PUT", "/bench/api/printer", fields);
const imageOf = (receipt) => `/bench/api/printer/receipts/${encodeURIComponent(receipt.id)}.png?lines=${receipt.lines.length}${receipt.partial ? "p" : ""}`;

/** The state in one line, worst first. */
function verdict(state) {
  if (state.fault === "unplugged") return ["off", "已拔线", "unplugged"];
  if (state.fault === "silent") return ["bad", "不响应", "silent"];
  if (state.cover === "open") return ["bad", "盖子开着", "cover open"];
  if (state.cutter === "jammed") return ["bad", "切刀卡住", "cutter jammed"];
  if (state.paper === "out") return ["bad", "缺纸", "paper out"];
  if (state.receipts.at(-1)?.partial && !state.receipts.at(-1).taken) return ["busy", "正在打印", "printing"];
  if (state.paper === "low") return ["warn", "纸将尽", "paper low"];
  return ["ok", "就绪", "ready"];
}

/** Opens one receipt large, with what each of its lines reads. */
function sheet(receipt) {
  $("sheet-image").src = imageOf(receipt);
  $("sheet-image").alt = receipt.lines.join("\n");
  $("sheet-title").replaceChildren(`回执 ${receipt.id}`, " ", en(receipt.taken ? "taken" : "in the slot"));
  $("sheet-lines").textContent = receipt.lines.join("\n");
  $("sheet").showModal();
}

/** One paper in the window above the slot. */
class Paper {
  constructor(receipt) {
    this.image = h("img", { alt: "" });
    this.element = h("button", { class: "paper", type: "button", title: "点开看大图 open", on: { click: () => sheet(this.receipt) } }, this.image);
    this.image.addEventListener("load", () => {
      this.element.classList.toggle("is-long", this.image.offsetHeight > this.element.clientHeight + 2);
    });
    this.image.addEventListener("error", () => this.element.replaceChildren(h("pre", { class: "paper-text" }, this.receipt.lines.join("\n"))));
    this.lines = 0;
    this.show(receipt);
  }

  show(receipt) {
    this.receipt = receipt;
    const url = imageOf(receipt);
    if (this.url === url) return;
    this.url = url;
    this.element.style.setProperty("--rise", `${Math.min(1.6, 0.25 + 0.03 * (receipt.lines.length - this.lines))}s`);
    this.lines = receipt.lines.length;
    this.image.src = url;
    this.element.setAttribute("aria-label", `回执 ${receipt.id}，${receipt.lines.length} 行`);
  }

  place(front) {
    this.element.classList.toggle("is-front", front);
    this.element.classList.toggle("is-behind", !front);
  }

  tear() {
    this.element.classList.add("is-torn");
    this.element.disabled = true;
    setTimeout(() => this.element.remove(), 600);
  }
}

export function printer() {
  const shows = {
    paper: chips($("printer-paper"), PAPER, (paper) => change({ paper })),
    cover: chips($("printer-cover"), COVER, (cover) => change({ cover })),
    cutter: chips($("printer-cutter"), CUTTER, (cutter) => change({ cutter })),
    fault: chips($("printer-fault"), FAULT, (fault) => change({ fault })),
  };
  const papers = new Map();
  let now;

  $("ending").addEventListener("submit", (event) => {
    event.preventDefault();
    change({ paperLines: Number($("ending-lines").value) });
  });
  $("printer-plug").addEventListener("click", () => change({ fault: now?.fault === "unplugged" ? "none" : "unplugged" }));
  $("sheet-close").addEventListener("click", () => $("sheet").close());
  $("sheet").addEventListener("click", (event) => { if (event.target === $("sheet")) $("sheet").close(); });
  const waiting = () => (now?.receipts ?? []).filter((r) => !r.taken);
  const tear = () => {
    const receipt = waiting().at(-1);
    if (receipt) tell("PUT", `/bench/api/printer/receipts/${encodeURIComponent(receipt.id)}`, { taken: true });
  };
  $("tear").addEventListener("click", tear);
  $("outlet")?.addEventListener("click", tear);

  const show = (state) => {
    now = state;
    const unit = $("printer");
    for (const part of ["paper", "cover", "cutter", "fault"]) {
      unit.dataset[part] = state[part];
      shows[part](state[part]);
    }
    const out = state.fault === "unplugged";
    const plug = $("printer-plug");
    plug.setAttribute("aria-pressed", String(out));
    plug.querySelector("span").replaceChildren(out ? "插回" : "拔线");
    const [name, text, english] = verdict(state);
    tone($("printer-state"), name, text, english);
    unit.querySelector('[data-lamp="power"]').dataset.on = out ? "" : "ok";
    unit.querySelector('[data-lamp="paper"]').dataset.on = out || state.paper === "full" ? "" : state.paper === "low" ? "warn" : "bad";
    unit.querySelector('[data-lamp="error"]').dataset.on = !out && (state.cover === "open" || state.cutter === "jammed" || state.paper === "out") ? "bad" : "";
    receipts(state.receipts);
  };

  const receipts = (all) => {
    const left = all.filter((r) => !r.taken).slice(-3);
    for (const [id, paper] of papers) {
      if (left.some((r) => r.id === id)) continue;
      papers.delete(id);
      if (all.some((r) => r.id === id && r.taken)) paper.tear();
      else paper.element.remove();
    }
    for (const receipt of left) {
      if (papers.has(receipt.id)) papers.get(receipt.id).show(receipt);
      else {
        const paper = new Paper(receipt);
        papers.set(receipt.id, paper);
        $("paper-window").append(paper.element);
      }
    }
    left.forEach((receipt, i) => papers.get(receipt.id).place(i === left.length - 1));
    $("well-none").hidden = left.length > 0;
    $("tear").disabled = left.length === 0;
    $("outlet").dataset.on = left.length > 0 ? "yes" : "no";
    $("stack").replaceChildren(...all.slice(-24).reverse().map((receipt) =>
      h("li", {}, h("button", { type: "button", data: { taken: receipt.taken ? "yes" : "no" }, on: { click: () => sheet(receipt) } },
        `${receipt.id} · ${receipt.lines.length} 行${receipt.taken ? " 已取" : ""}`))));
  };
  return { printer: show };
}
