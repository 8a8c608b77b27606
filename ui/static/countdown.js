// <count-down until="ms since 1970" total="ms" label unit> draws a ring that empties, with the seconds in it.
// The program sends the end once; the page counts by itself.
const SVG = "http://www.w3.org/2000/svg";

class CountDown extends HTMLElement {
  static observedAttributes = ["until", "total", "unit"];

  connectedCallback() {
    if (!this.firstChild) this.build();
    this.setAttribute("role", "timer");
    this.setAttribute("aria-label", this.getAttribute("label") ?? "");
    this.tick();
  }

  disconnectedCallback() { clearTimeout(this.timer); }

  attributeChangedCallback() { if (this.isConnected && this.firstChild) this.tick(); }

  build() {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 100 100");
    svg.setAttribute("aria-hidden", "true");
    for (const name of ["ring-track", "ring-left"]) {
      const c = document.createElementNS(SVG, "circle");
      for (const [k, v] of Object.entries({ cx: 50, cy: 50, r: 44, pathLength: 100, class: name })) c.setAttribute(k, v);
      svg.append(c);
    }
    const words = document.createElement("span");
    words.className = "ring-words";
    const number = document.createElement("b");
    this.unit = document.createTextNode("");
    words.append(number, this.unit);
    this.append(svg, words);
  }

  tick() {
    clearTimeout(this.timer);
    this.unit.data = this.getAttribute("unit") ?? "";
    const left = Math.max(0, Number(this.getAttribute("until")) - Date.now());
    const total = Math.max(1, Number(this.getAttribute("total")));
    const part = Math.min(100, 100 * left / total);
    this.querySelector(".ring-left").setAttribute("stroke-dasharray", `${part} 200`);
    const seconds = Math.ceil(left / 1000);
    this.querySelector("b").textContent = total <= 180000 ? seconds : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (left > 0) this.timer = setTimeout(() => this.tick(), Math.min(250, left % 1000 || 250));
  }
}
customElements.define("count-down", CountDown);
