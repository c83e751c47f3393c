// What a strong mark claims to be the answer.
import type { Extraction } from '../types.ts';
import type { Span } from './span.ts';

/**
 * One strong mark with what it marks. `firm` claims come before `loose` ones, a later claim before an earlier one:
 * "\boxed{12} ... the answer is plausible" is 12, though the phrase comes later.
 */
export interface Claim {
  /** Where the mark stands: the latest mark wins. */
  at: number;
  /** All that the claim covers. */
  outer: Span;
  weight: 'firm' | 'loose';
  /** Ways to read the claim, the best first. */
  spans: Extraction[];
}
