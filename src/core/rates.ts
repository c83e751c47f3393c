/**
 * Rates and how numbers, sizes and times are written for people. Knows nothing of what is counted.
 */

/** Length of the stretch that a rate is taken over, in seconds. */
const WINDOW = 30;
/** A rate needs this much time and this many reports behind it before it is shown. */
const MIN_SECONDS = 2;
const MIN_REPORTS = 3;

/**
 * Units per second over the last stretch rather than since the start: batches that get slower (longer
 * responses) or faster (a warmed-up session) must show in the time left.
 */
export class MovingRate {
  private readonly reports: { time: number; done: number }[] = [];

  /** `time` in seconds, `done` units since the start; neither ever goes down. */
  add(time: number, done: number): void {
    this.reports.push({ time, done });
    while (this.reports.length > MIN_REPORTS && time - this.reports[1].time > WINDOW)
      this.reports.shift();
  }

  /** Units per second, or undefined while there is too little to go by. */
  value(): number | undefined {
    const first = this.reports.at(0);
    const last = this.reports.at(-1);
    if (first === undefined || last === undefined || this.reports.length < MIN_REPORTS)
      return undefined;
    const seconds = last.time - first.time;
    const done = last.done - first.done;
    return seconds < MIN_SECONDS || done <= 0 ? undefined : done / seconds;
  }
}

/** `7 s`, `2 min 5 s`, `3 h 12 min`. Under 10 s with one decimal. */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `812 MB`, `1.4 GB`; decimal units. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${value.toFixed(value < 9.95 && unit > 0 ? 1 : 0)} ${units[unit]}`;
}

/** Whole numbers with thousands separators, others with three significant digits. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  return size >= 1e-3 ? String(Number(value.toPrecision(3))) : value.toExponential(2);
}
