// The city platform: what it received, each record with its whole body, and the ways in which it can fail.

import { $, chips, h, tone } from "./dom.js";
import { tell } from "./api.js";

const FAULTS = [
  { value: "none", zh: "正常", en: "ok" },
  { value: "down", zh: "断网", en: "down", bad: true, why: "连不上" },
  { value: "http500", zh: "报错", en: "HTTP 500", bad: true, why: "每次都回答 500" },
  { value: "slow", zh: "很慢", en: "slow", bad: true, why: "过很久才回答" },
  { value: "acceptThenDrop", zh: "收下不答", en: "accept then drop", bad: true, why: "存了，但回答前断开：同一批会再来一次" },
];
const TONES = { down: ["bad", "断网", "down"], http500: ["bad", "总是报错", "HTTP 500"], slow: ["warn", "很慢", "slow"], acceptThenDrop: ["warn", "收下不答", "accept then drop"] };
const SHOWN = 200; // rows kept on the page; the JSON twin has all

/** JSON with its keys, strings and numbers told apart, built from text nodes only. */
function pretty(value) {
  const out = h("pre");
  const text = JSON.stringify(value, null, 2);
  const token = /("(?:\\.|[^"\\])*")(\s*:)?|\b(-?\d+(?:\.\d+)?|true|false|null)\b/g;
  let at = 0;
  for (const m of text.matchAll(token)) {
    out.append(text.slice(at, m.index));
    if (m[1] && m[2]) out.append(h("span", { class: "k" }, m[1]), m[2]);
    else if (m[1]) out.append(h("span", { class: "s" }, m[1]));
    else out.append(h("span", { class: "n" }, m[3]));
    at = m.index + m[0].length;
  }
  out.append(text.slice(at));
  return out;
}

const clock = (time) => {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? String(time ?? "") : at.toLocaleTimeString("zh-CN", { hour12: false });
};

/** The two rows of one record: the line, and its body, hidden until asked for. */
function rows(record, fresh) {
  const detail = h("tr", { class: "detail", hidden: true }, h("td", { colspan: "4" }));
  const knob = h("button", { type: "button", "aria-expanded": "false", "aria-label": `展开第 ${record.sequence} 条` }, "▸");
  const line = h("tr", { class: fresh ? "record is-new" : "record" },
    h("td", { class: "is-mono" }, knob, String(record.sequence)),
    h("td", {}, h("span", { class: "kind" }, record.kind ?? "")),
    h("td", { class: "is-mono" }, record.subject ?? ""),
    h("td", { class: "is-mono" }, clock(record.time)));
  line.addEventListener("click", () => {
    detail.hidden = !detail.hidden;
    knob.textContent = detail.hidden ? "▸" : "▾";
    knob.setAttribute("aria-expanded", String(!detail.hidden));
    if (!detail.firstChild.firstChild) detail.firstChild.append(pretty(record));
  });
  return [line, detail];
}

export function platform() {
  const showFault = chips($("platform-fault"), FAULTS, (fault) => tell("PUT", "/bench/api/platform/fault", { fault }));
  const seen = new Set();
  const key = (r) => `${r.machine}/${r.epoch}/${r.sequence}`;
  let first = true;

  const show = (state) => {
    $("platform").dataset.fault = state.fault;
    showFault(state.fault);
    const [name, text, english] = TONES[state.fault] ?? ["ok", `收到 ${state.count} 条，重复 ${state.duplicates}`, "received, repeated"];
    tone($("platform-state"), name, text, english);
    const body = $("records-body");
    for (const record of state.records) {
      if (seen.has(key(record))) continue;
      seen.add(key(record));
      body.prepend(...rows(record, !first));
    }
    while (body.rows.length > 2 * SHOWN) body.lastChild.remove();
    $("records-none").hidden = body.rows.length > 0;
    first = false;
  };
  return { platform: show };
}

