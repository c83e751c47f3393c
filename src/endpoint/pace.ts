/** When the next call may start: so many a minute, and none while the endpoint asks to be left alone. */
import { setTimeout as pause } from 'node:timers/promises';

export interface Pace {
  /** Resolves when a call may start. Rejects when `stop` is aborted. */
  turn(stop: AbortSignal): Promise<void>;
  /** No call starts for so many milliseconds. */
  rest(ms: number): void;
}

/** `perMinute` calls at most, evenly spread; 0 = as many as there are. `clock` in milliseconds from any origin. */
export function paceOf(perMinute: number, clock: () => number = () => performance.now()): Pace {
  const gap = perMinute === 0 ? 0 : 60_000 / perMinute;
  let next = Number.NEGATIVE_INFINITY;
  let resting = Number.NEGATIVE_INFINITY;
  return {
    async turn(stop) {
      for (;;) {
        stop.throwIfAborted();
        const now = clock();
        const from = Math.max(next, resting);
        if (now >= from) {
          next = now + gap;
          return;
        }
        // Timers take no more than 2^31 - 1 ms, and the rest may be cut short by nobody but `stop`.
        await pause(Math.min(from - now, 60_000), undefined, { signal: stop });
      }
    },
    rest(ms) {
      resting = Math.max(resting, clock() + ms);
    },
  };
}
