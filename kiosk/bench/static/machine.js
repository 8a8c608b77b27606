// Scales the real screen so that it fits the drawn machine: it stays the real page, and can be touched.

import { $ } from "./dom.js";

// What the drawn body takes beside the screen, in CSS pixels (machine.css).
const CABINET = { across: 32, down: 42 + 12 + 96 };
const SLATE = { across: 40, down: 40 + 34 };
const RATING = 180; // the height of the rating buttons under the pad

export function fitScreen() {
  const screen = $("screen");
  const width = Number(screen.dataset.width);
  const height = Number(screen.dataset.height);
  screen.style.setProperty("--w", width);
  screen.style.setProperty("--h", height);
  const fit = () => {
    const bench = document.querySelector(".bench").getBoundingClientRect();
    const kiosk = height > width;
    const scale = kiosk
      ? Math.min((bench.height - 34 - CABINET.down) / height, bench.width * 0.36 / width)
      : Math.min((document.querySelector(".machine").clientWidth - SLATE.across) / width, (bench.height - 34 - 16 - RATING - SLATE.down) / height);
    screen.style.setProperty("--scale", Math.max(0.12, scale).toFixed(4));
  };
  new ResizeObserver(fit).observe(document.body);
  fit();
}
