/** A call that is made again while its trouble may pass. Knows nothing of what is called. */
import { setTimeout as pause } from 'node:timers/promises';
import { Passing } from './http.ts';
import type { Pace } from './pace.ts';

export interface Patience {
  /** How often a call is made again when it fails. */
  retries: number;
  /** The first pause before a call is made again, in milliseconds; it doubles each time, up to a minute. */
  backoffMs?: number;
  pace: Pace;
  /** Hears of a pause of so many seconds that the endpoint asks for, where it is long enough to be told. */
  onRest(seconds: number): void;
}

const LONGEST_BACKOFF_MS = 60_000;
/** From this pause on people are told of it. */
const TOLD_PAUSE_MS = 10_000;

/**
 * What `call` gives, made at the pace of the endpoint and again after trouble that may pass. Throws the last Passing
 * where all calls failed, whatever else `call` throws, and rejects when `stop` is aborted.
 */
export async function patiently<T>(
  call: (stop: AbortSignal) => Promise<T>,
  { retries, backoffMs = 1000, pace, onRest }: Patience,
  stop: AbortSignal,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    await pace.turn(stop);
    try {
      return await call(stop);
    } catch (error) {
      if (!(error instanceof Passing)) throw error;
      if (error.waitMs !== null) {
        pace.rest(error.waitMs);
        if (error.waitMs >= TOLD_PAUSE_MS) onRest(Math.ceil(error.waitMs / 1000));
      }
      if (attempt >= retries) throw error;
      if (error.waitMs === null) {
        const ms = Math.min(LONGEST_BACKOFF_MS, backoffMs * 2 ** attempt);
        await pause(ms, undefined, { signal: stop });
      }
    }
  }
}
