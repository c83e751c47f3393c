/**
 * The one table of how error-prone every family and level is, and the habits that follow from it.
 *
 * `random` is the unnoticed slip per step, `habit` the chance that the family's bad habit rules a
 * whole trace. A habit above .5 makes the wrong answer the most frequent one: a majority vote is
 * wrong there, and so is the most likely continuation, while the right way is still shown often
 * enough for a verified reward to find it. `pass` is the share of demonstrations that end right
 * (measured, checked by a test), `pool` the number of prompts in a pool of 2,000.
 */
import type { FamilyName, Habits, Stage } from './types.ts';

export interface SlipRow {
  family: FamilyName;
  level: number;
  random: number;
  habit: number;
  pass: number;
  pool: number;
  what: string;
}

const row = (
  family: FamilyName,
  level: number,
  [random, habit, pass, pool]: readonly [number, number, number, number],
  what: string,
): SlipRow => ({ family, level, random, habit, pass, pool, what });

//              random habit pass pool
export const slipTable: readonly SlipRow[] = [
  row('add', 1, [0.003, 0, 0.99, 150], '2 digits'),
  row('add', 2, [0.003, 0, 0.985, 100], '3 digits, no carry on top of a carry'),
  row('add', 3, [0.005, 0.6, 0.39, 60], '3 digits, forgets the carry that follows a carry'),
  row('add', 4, [0.08, 0, 0.67, 40], '4 digits, no carry on top of a carry'),
  row('add', 5, [0.2, 0.75, 0.05, 70], '5 digits with carries in a row'),
  row('subtract', 1, [0.003, 0, 0.99, 150], '2 digits'),
  row('subtract', 2, [0.003, 0, 0.985, 110], '3 digits, no zero above'),
  row('subtract', 3, [0.005, 0.58, 0.41, 60], '3 digits, turns 0 - 7 into 7 - 0'),
  row('subtract', 4, [0.08, 0, 0.65, 40], '4 digits, no zero above'),
  row('subtract', 5, [0.01, 0.95, 0.05, 60], '4 digits with two zeros above'),
  row('chain', 1, [0.003, 0, 0.99, 150], '2 or 3 steps'),
  row('chain', 2, [0.003, 0, 0.985, 100], '4 steps'),
  row('chain', 3, [0.1, 0, 0.6, 44], '5 steps'),
  row('chain', 4, [0.01, 0.6, 0.38, 56], '6 steps, keeps the tens when going below a ten'),
  row('chain', 5, [0.18, 0.85, 0.07, 66], '7 steps, the same habit, and slips'),
  row('pair', 1, [0.004, 0, 0.99, 150], '4 numbers, found within 3 tries'),
  row('pair', 2, [0.035, 0, 0.8, 44], '5 numbers, found after 4 tries or more'),
  row('pair', 3, [0.01, 0.6, 0.35, 60], '5 numbers, settles for the last pair of the first row'),
  row('pair', 4, [0.3, 0, 0.03, 60], '6 numbers, found after 8 tries or more'),
  row('solve', 1, [0.003, 0, 0.995, 60], 'one term, near the first guess'),
  row('solve', 2, [0.12, 0, 0.75, 40], 'two terms, near the first guess'),
  row('solve', 3, [0.005, 0.6, 0.4, 46], 'one term, far: takes the third guess without checking'),
  row('solve', 4, [0.03, 0.6, 0.27, 60], 'two terms, far: the same habit, and slips'),
  row('remainder', 1, [0.003, 0, 0.98, 20], 'number mod divisor'),
  row('remainder', 2, [0.003, 0, 0.98, 110], 'sum or difference first, two or three tries'),
  row('remainder', 3, [0.09, 0, 0.49, 44], 'sum or difference first, four or five tries down'),
  row('remainder', 4, [0.005, 0.6, 0.4, 50], 'tries upward, forgets to go back'),
];

/** The row of a family and level; RangeError where there is none. */
export function slipRow(family: FamilyName, level: number): SlipRow {
  const found = slipTable.find((one) => one.family === family && one.level === level);
  if (found === undefined) throw new RangeError(`no level ${level} in the family ${family}`);
  return found;
}

/**
 * The habits of a demonstrator. Checking, pausing and noticed slips follow the error rate of the
 * level (people look twice where they tend to err), in the clean stage too; only the unnoticed
 * slips are left out there.
 */
export function habitsFor(family: FamilyName, level: number, stage: Stage): Habits {
  const { random, habit } = slipRow(family, level);
  return {
    random: stage === 'noisy' ? random : 0,
    habit: stage === 'noisy' ? habit : 0,
    noticed: 0.01 + 0.4 * random,
    check: 0.015 + 0.4 * random,
    pause: 0.01 + 0.6 * random,
    hesitate: 0.04 + 0.5 * habit,
  };
}

/** A demonstrator without slips, checks or pauses: the shortest text. */
export const plainHabits: Habits = {
  random: 0,
  habit: 0,
  noticed: 0,
  check: 0,
  pause: 0,
  hesitate: 0,
};
