// Small things every module of the bench needs to build the page. Text is always set as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element: h("p", {class: "hint", data: {tone: "ok"}, on: {click: f}}, "text", child). */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "data") Object.assign(element.dataset, value);
    else if (name === "on") for (const [event, f] of Object.entries(value)) element.addEventListener(event, f);
    else if (name === "style") for (const [key, v] of Object.entries(value)) element.style.setProperty(key, v);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((c) => c !== null && c !== undefined));
  return element;
}

/** Makes an SVG drawing out of [tag, attributes] pairs. */
export function drawing(viewBox, ...shapes) {
  const root = document.createElementNS(SVG, "svg");
  root.setAttribute("viewBox", viewBox);
  root.setAttribute("aria-hidden", "true");
  for (const [tag, attributes] of shapes) {
    const shape = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
    root.append(shape);
  }
  return root;
}

/** The element with this id, or null where this role's page has none. */
export const $ = (id) => document.getElementById(id);

/** A second language beside a Chinese label. */
export const en = (text) => h("span", { lang: "en" }, text);

/** Shows a part's state: tone is ok, busy, warn, bad or off. */
export function tone(element, name, text, english) {
  element.dataset.tone = name;
  element.querySelector("b").replaceChildren(text, " ", en(english));
}

/**
 * A row of choices of which one holds. choices: [{value, zh, en, bad}]. Returns a function that shows which one holds.
 * The row changes only when the bench says so: what one sees is what the device has.
 */
export function chips(element, choices, choose) {
  const all = choices.map((choice) =>
    h("button", {
      type: "button", class: "chip", role: "radio", "aria-checked": "false", title: choice.why,
      data: choice.bad ? { value: choice.value, bad: "" } : { value: choice.value },
      on: { click: () => choose(choice.value) },
    }, choice.zh, choice.en ? " " : "", choice.en ? en(choice.en) : null));
  element.replaceChildren(...all);
  element.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
    next.focus();
  });
  return (value) => {
    for (const chip of all) chip.setAttribute("aria-checked", String(chip.dataset.value === value));
  };
}
