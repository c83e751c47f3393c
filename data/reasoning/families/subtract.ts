/**
 * Column subtraction with borrowing: a borrowed one is owed by the next column and added to its
 * lower digit. Bad habit (Brown and Burton 1978, "0 - N = N"): where the upper digit is 0 the two
 * digits are swapped instead of borrowing.
 */
import type { RandomStream } from '../../../src/core/random.ts';
import { between, columnLayout, digitsOf, drawUntil, places } from '../draw.ts';
import { Scribe, within } from '../scribe.ts';
import type { Family, Habits, Problem } from '../types.ts';

/** Digits and the number of zeros above, per level. */
const shapes = [
  { digits: 2, zeros: 0 },
  { digits: 3, zeros: 0 },
  { digits: 3, zeros: 1 },
  { digits: 4, zeros: 0 },
  { digits: 4, zeros: 2 },
];

export const subtract: Family = { name: 'subtract', levels: [1, 2, 3, 4, 5], problem };

function problem(random: RandomStream, level: number): Problem {
  const shape = shapes[level - 1];
  if (shape === undefined) throw new RangeError(`subtract has no level ${level}`);
  const low = 10 ** (shape.digits - 1);
  const [a, b] = drawUntil(
    () => [between(random, low, 10 * low - 1), between(random, low, 10 * low - 1)] as const,
    (pair) => fits(pair[0], pair[1], shape.zeros),
  );
  return {
    family: 'subtract',
    level,
    prompt: `what is ${a} - ${b}?`,
    answer: String(a - b),
    demonstrate: (source, habits) => demonstrate(a, b, source, habits),
  };
}

/** The difference is as long as the numbers, and every zero above has to borrow from 1..9. */
function fits(a: number, b: number, zeros: number): boolean {
  if (String(Math.max(0, a - b)).length !== String(a).length) return false;
  const [top, bottom] = [digitsOf(a), digitsOf(b)];
  if (top.filter((digit) => digit === 0).length !== zeros) return false;
  return top.every((digit, at) => digit > 0 || within(1, 8)(bottom[at] ?? 0));
}

function demonstrate(a: number, b: number, random: RandomStream, habits: Habits): string {
  const scribe = new Scribe(random, habits);
  const [top, bottom] = [digitsOf(a), digitsOf(b)];
  const swaps = scribe.chance(habits.habit);
  scribe.say(columnLayout(top, bottom));
  let written = '';
  let owed = false;
  for (const [at, digit] of top.entries()) {
    const label = ` ${places[at]}:`;
    scribe.say(label);
    let lower = bottom[at] ?? 0;
    if (owed) {
      lower = scribe.calculate(lower, '+', 1, { label, allow: within(0, 10) });
      scribe.say(',');
    }
    const short = digit < lower;
    const swap = short && digit === 0 && swaps && lower < 10;
    owed = short && !swap;
    if (short) scribe.say(borrowing(scribe, digit, lower, swap));
    const [from, take] = swap ? [lower, digit] : [owed ? digit + 10 : digit, lower];
    const rest = scribe.calculate(from, '-', take, { label, allow: within(0, 9) });
    written = `${rest}${written}`;
    scribe.say(`, write ${written}${owed ? ', owe 1.' : '.'}`);
  }
  return scribe.finish(written.replace(/^0+(?=\d)/, ''));
}

/** " 3 - 7, borrow," or what the habit makes of it, with a pause where people waver. */
function borrowing(scribe: Scribe, upper: number, lower: number, swap: boolean): string {
  const { hesitate, pause } = scribe.habits;
  const wavers = scribe.chance(upper === 0 ? hesitate : pause);
  if (wavers) return ` ${upper} - ${lower}, hmm, borrow? ${swap ? 'no' : 'yes'},`;
  return ` ${upper} - ${lower}, ${swap ? 'swap' : 'borrow'},`;
}
