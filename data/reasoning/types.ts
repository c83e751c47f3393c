/**
 * What a family of reasoning problems is: prompts with one right answer, and demonstrations of how a
 * person (careful or careless) would work it out in writing. Knows nothing of models or files.
 */
import type { RandomStream } from '../../src/core/random.ts';

export type FamilyName = 'add' | 'subtract' | 'chain' | 'pair' | 'solve' | 'remainder';

/** How careful the demonstrator is: `warm` is clean and easy, `noisy` makes slips it does not notice. */
export type Stage = 'warm' | 'clean' | 'noisy';

/** Probabilities, all in 0..1, that govern one demonstration. */
export interface Habits {
  /** Unnoticed slip, per step (a wrong result or a wrong verdict). */
  random: number;
  /** The family's bad habit rules this demonstration (drawn once per trace). */
  habit: number;
  /** Slip that is noticed at once and put right, per step. */
  noticed: number;
  /** A right step is checked once more, per step. */
  check: number;
  /** A pause ("hmm") before a step, per step. */
  pause: number;
  /** A pause where the bad habit could strike, whichever way it then goes, per place. */
  hesitate: number;
}

/** One problem with its only right answer and a way to demonstrate it. */
export interface Problem {
  family: FamilyName;
  level: number;
  /** As the pool shows it, one line without the newline. */
  prompt: string;
  answer: string;
  /** A worked solution, ends in "answer: X"; X is wrong when a slip went unnoticed. */
  demonstrate(random: RandomStream, habits: Habits): string;
}

export interface Family {
  name: FamilyName;
  /** Levels in order of difficulty, 1..n. */
  levels: readonly number[];
  /** A random problem of a level. Throws RangeError for a level that is not listed. */
  problem(random: RandomStream, level: number): Problem;
}
