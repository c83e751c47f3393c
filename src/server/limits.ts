/**
 * How often something may be tried: so many times at once, and again as time passes.
 *
 * Memory is bounded: of more keys than are kept, the one that was used longest ago is forgotten. Knows nothing of what
 * is tried.
 */

export interface Limit {
  /** Tries in a row. */
  tries: number;
  /** Time after which all of them are free again, in milliseconds. */
  perMs: number;
}

export interface Limiter {
  /** Counts a try and returns 0, or returns the seconds until one is free. */
  take(key: string): number;
  /** Takes the last try back: it succeeded. */
  giveBack(key: string): void;
}

interface Bucket {
  used: number;
  at: number;
}

const mostKeys = 10_000;

/** `clock` in milliseconds, from any origin. */
export function openLimiter(
  { tries, perMs }: Limit,
  clock: () => number,
  most: number = mostKeys,
): Limiter {
  // In order of last use: a Map keeps the order in which keys were set.
  const buckets = new Map<string, Bucket>();
  const bucketOf = (key: string): Bucket => {
    const now = clock();
    const before = buckets.get(key);
    buckets.delete(key);
    const recovered = before === undefined ? 0 : ((now - before.at) / perMs) * tries;
    const bucket = { used: Math.max(0, (before?.used ?? 0) - recovered), at: now };
    buckets.set(key, bucket);
    const [oldest] = buckets.keys();
    if (buckets.size > most && oldest !== undefined) buckets.delete(oldest);
    return bucket;
  };
  return {
    take(key) {
      const bucket = bucketOf(key);
      if (bucket.used + 1 <= tries + 1e-9) {
        bucket.used += 1;
        return 0;
      }
      return Math.ceil(((bucket.used + 1 - tries) / tries) * (perMs / 1000));
    },
    giveBack(key) {
      const bucket = bucketOf(key);
      bucket.used = Math.max(0, bucket.used - 1);
    },
  };
}
