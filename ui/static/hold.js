// A finger that lies on the spot in the frame: the page tells when it comes and goes, the program judges how long. A finger that wanders,
// or a second one, is no touch of that kind.
const WANDER = 24; // CSS pixels

export function hold(send) {
  let held = null;
  const release = () => {
    if (!held) return;
    held = null;
    send({ do: "release" });
  };
  addEventListener("pointerdown", (event) => {
    const spot = event.target.closest?.("[data-hold]");
    release();
    if (!spot || !event.isPrimary || event.button !== 0) return;
    if (send({ do: "hold" })) held = { id: event.pointerId, x: event.clientX, y: event.clientY };
  }, { capture: true, passive: true });
  addEventListener("pointermove", (event) => {
    if (held?.id === event.pointerId && Math.hypot(event.clientX - held.x, event.clientY - held.y) > WANDER) release();
  }, { passive: true });
  for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, release, { passive: true });
}
