/**
 * Shapes shared by the statistics. Knows nothing of prompts, scores or routes.
 */

/** An estimate with its two-sided interval. `level` is the nominal coverage in (0, 1). */
export interface Interval {
  estimate: number;
  low: number;
  high: number;
  level: number;
}
