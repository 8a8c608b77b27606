// The window PC of the pad's bench. It uses nothing but /kiosk/v1, as a real one would.

import { $, en, h, tone } from "./dom.js";
import { ask, complain } from "./api.js";

const API = "/kiosk/v1";
const STATES = {
  open: ["请您评价，等待中", "open"], rated: ["已评价", "rated"], declined: ["暂不评价", "declined"], timeout: ["超时未评价", "timeout"], fault: ["设备故障", "fault"],
};

const DESK = { ready: ["窗口待机", "ready"], paused: ["暂停服务", "paused"], inactive: ["没有工作人员", "nobody"], asking: ["正在请评价", "asking"] };

/** A case number as one might stand on a form; the last digits count up so that each invitation has its own. */
function nextCase() {
  const day = new Date();
  const d = `${day.getFullYear()}${String(day.getMonth() + 1).padStart(2, "0")}${String(day.getDate()).padStart(2, "0")}`;
  const tail = String(Math.floor(day.getTime() / 1000) % 10000).padStart(4, "0");
  return `SL-${d}-${tail}`;
}

function log(text) {
  const list = $("pc-log");
  list.append(h("li", {}, h("time", {}, new Date().toLocaleTimeString("zh-CN", { hour12: false })), text));
  while (list.children.length > 200) list.firstChild.remove();
  list.scrollTop = list.scrollHeight;
}

function now(state, text, english) {
  const line = $("pc-now");
  line.dataset.state = state;
  line.replaceChildren(text, " ", en(english));
}

/** Follows the events of the window API; closes and opens anew for ever, at most once a second. */
function listen(hear) {
  const link = $("pc-link");
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${API}/events`);
  socket.onopen = () => tone(link, "ok", "已连接", "connected");
  socket.onmessage = (message) => { log(message.data); try { hear(JSON.parse(message.data)); } catch { /* shown in the log as it came */ } };
  socket.onclose = () => { tone(link, "off", "未连接", "not connected"); setTimeout(() => listen(hear), 1500); };
}

export function windowPC() {
  const form = $("pc-form");
  const field = form.elements;
  field.case.value = nextCase();
  let current = null;

  const show = (invitation) => {
    const [text, english] = STATES[invitation.state] ?? [String(invitation.state), ""];
    now(invitation.state, text, `${english} · ${invitation.id}`);
  };
  listen((event) => {
    if (event.snapshot) {
      const [text, english] = DESK[event.snapshot.state] ?? [event.snapshot.state, ""];
      tone($("pc-link"), event.snapshot.state === "paused" ? "warn" : "ok", `已连接，${text}`, english);
    }
    if (event.id === current) show(event);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = { case: field.case.value, stage: field.stage.value, service: Number(field.service.value) };
    if (field.staff.value !== "") body.staff = field.staff.value;
    log(`POST invitations ${JSON.stringify(body)}`);
    try {
      const answer = await ask("POST", `${API}/invitations`, body);
      current = answer.id;
      show({ state: "open", ...answer });
      watch(answer.id);
    } catch (error) {
      log(`${error.status ?? ""} ${error.message}`);
      now("refused", error.status === 409 ? "不能邀请：已评过，或正在评价" : "不能邀请", `${error.status ?? ""} ${error.message}`);
    }
  });
  // The websocket tells; asking again makes the panel right even when a message was missed.
  const watch = async (id) => {
    while (current === id) {
      await new Promise((done) => setTimeout(done, 1500));
      try {
        const answer = await ask("GET", `${API}/invitations/${encodeURIComponent(id)}`);
        if (current !== id) return;
        show({ id, ...answer });
        if (answer.state !== "open") return;
      } catch { return; }
    }
  };
  const pause = async (paused) => {
    try {
      log(`PUT window ${JSON.stringify({ paused })}`);
      const status = await ask("PUT", `${API}/window`, { paused });
      const [text, english] = DESK[status.state] ?? [status.state, ""];
      tone($("pc-link"), paused ? "warn" : "ok", `已连接，${text}`, english);
    } catch (error) {
      complain(error.message);
    }
  };
  $("pc-new").addEventListener("click", () => { field.case.value = nextCase(); field.service.value = 1; });
  $("pc-pause").addEventListener("click", () => pause(true));
  $("pc-resume").addEventListener("click", () => pause(false));
}
