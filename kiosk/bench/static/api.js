// Talks to the bench's own JSON, and shows what it refuses.

import { $, h } from "./dom.js";

/** Shows one sentence for a while. */
export function complain(text) {
  const toast = h("p", { class: "toast" }, text);
  $("toasts").append(toast);
  setTimeout(() => toast.remove(), 7000);
}

/** Sends one request; resolves to the answer, or throws an Error that carries the bench's own words and the status. */
export async function ask(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  let answer = null;
  try { answer = text === "" ? null : JSON.parse(text); } catch { /* not JSON: the status says enough */ }
  if (response.ok) return answer;
  const words = answer?.error?.message ?? answer?.error ?? text.slice(0, 200); // the window API words its errors as {code, message}
  const error = new Error(words);
  error.status = response.status;
  error.answer = answer;
  throw error;
}

/** Like ask, but a refusal is shown and undefined returned. */
export async function tell(method, path, body) {
  try {
    return await ask(method, path, body);
  } catch (error) {
    complain(error.message || "工作台没有回答 · the bench does not answer");
    return undefined;
  }
}

/**
 * Follows the bench: handlers by name of the part that changed. The first message is the whole state, each later one a part of
 * it. A connection that stays silent longer than two heartbeats is opened anew.
 */
export function follow(handlers, alive) {
  let source, timer;
  const listen = () => {
    source = new EventSource("/bench/api/events");
    const hear = () => {
      alive(true);
      clearTimeout(timer);
      timer = setTimeout(again, 25000);
    };
    const again = () => { source.close(); alive(false); clearTimeout(timer); timer = setTimeout(listen, 1000); };
    source.onerror = again;
    source.addEventListener("beat", hear);
    source.addEventListener("state", (event) => {
      hear();
      const state = JSON.parse(event.data);
      for (const [part, handle] of Object.entries(handlers)) if (part in state) handle(state[part]);
    });
    for (const [part, handle] of Object.entries(handlers)) {
      source.addEventListener(part, (event) => { hear(); handle(JSON.parse(event.data)); });
    }
  };
  listen();
}
