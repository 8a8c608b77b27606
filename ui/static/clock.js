// <wall-clock> shows the date and the time of the machine: 11月22日 周六 14:05.
class WallClock extends HTMLElement {
  connectedCallback() {
    this.innerHTML = '<time><span class="clock-day"></span><b class="clock-time"></b></time>';
    this.tick();
  }

  disconnectedCallback() { clearTimeout(this.timer); }

  tick() {
    const now = new Date();
    const two = (n) => String(n).padStart(2, "0");
    this.querySelector(".clock-day").textContent = `${now.getMonth() + 1}月${now.getDate()}日 周${"日一二三四五六"[now.getDay()]}`;
    this.querySelector(".clock-time").textContent = `${two(now.getHours())}:${two(now.getMinutes())}`;
    this.timer = setTimeout(() => this.tick(), 60000 - now.getTime() % 60000 + 20);
  }
}
customElements.define("wall-clock", WallClock);
