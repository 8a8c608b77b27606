// A sign of life from the page itself. The browser answers the pings of the websocket also while the page is dead, so only this tells
// the program that the page's loop turns and that its frames are painted. One frame is asked for with each beat: it costs nothing.
const EVERY = 2000; // ms; the program knows this number

export function beat(send) {
  let painted = false;
  setInterval(() => {
    send({ do: "beat", painted: painted ? "yes" : "no" });
    painted = false;
    requestAnimationFrame(() => { painted = true; });
  }, EVERY);
}
