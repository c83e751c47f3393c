/** How long ago somebody last did something on the page: a key, a pointer, a scroll. */

let last = Date.now();

const EVENTS = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart'] as const;

/** Milliseconds since then. */
export function idleFor(): number {
  return Date.now() - last;
}

/** Begins to watch; opening the page is something. Returns what ends it. */
export function watchActivity(): () => void {
  const note = () => {
    last = Date.now();
  };
  note();
  for (const name of EVENTS) addEventListener(name, note, { passive: true });
  return () => {
    for (const name of EVENTS) removeEventListener(name, note);
  };
}
