/**
 * Column addition of two numbers of equal length, ones first, the written result growing to the left.
 * Bad habit: the carry that follows a column which itself received a carry is forgotten.
 */
import type { RandomStream } from '../../../src/core/random.ts';
import { between, columnLayout, digitsOf, drawUntil, places } from '../draw.ts';
import { Scribe, within } from '../scribe.ts';
import type { Family, Habits, Problem } from '../types.ts';

const digitsPerLevel = [2, 3, 3, 4, 5];

export const add: Family = { name: 'add', levels: [1, 2, 3, 4, 5], problem };

function problem(random: RandomStream, level: number): Problem {
  const digits = digitsPerLevel[level - 1];
  if (digits === undefined) throw new RangeError(`add has no level ${level}`);
  const chained = level === 3 || level === 5;
  const low = 10 ** (digits - 1);
  const [a, b] = drawUntil(
    () => [between(random, low, 10 * low - 1), between(random, low, 10 * low - 1)] as const,
    (pair) => hasCarryOnCarry(pair[0], pair[1]) === chained,
  );
  return {
    family: 'add',
    level,
    prompt: `what is ${a} + ${b}?`,
    answer: String(a + b),
    demonstrate: (source, habits) => demonstrate(a, b, source, habits),
  };
}

/** Whether some column that receives a carry follows one that received a carry too. */
function hasCarryOnCarry(a: number, b: number): boolean {
  const [top, bottom] = [digitsOf(a), digitsOf(b)];
  let carry = 0;
  let received = false;
  for (const [at, digit] of top.entries()) {
    if (carry === 1 && received) return true;
    received = carry === 1;
    carry = digit + (bottom[at] ?? 0) + carry >= 10 ? 1 : 0;
  }
  return false;
}

function demonstrate(a: number, b: number, random: RandomStream, habits: Habits): string {
  const scribe = new Scribe(random, habits);
  const [top, bottom] = [digitsOf(a), digitsOf(b)];
  const forgetful = scribe.chance(habits.habit);
  scribe.say(columnLayout(top, bottom));
  let written = '';
  let carry = false;
  let received = false;
  for (const [at, digit] of top.entries()) {
    const label = ` ${places[at]}:`;
    scribe.say(label);
    let sum = scribe.calculate(digit, '+', bottom[at] ?? 0, { label, allow: within(0, 18) });
    const forget: boolean = carry && received && forgetful;
    if (at > 0 && scribe.chance(carry && received ? habits.hesitate : habits.pause)) {
      scribe.say(`, hmm, carry? ${carry && !forget ? 'yes' : 'no'}`);
    }
    received = carry && !forget;
    if (received) {
      scribe.say(',');
      sum = scribe.calculate(sum, '+', 1, { label, allow: within(0, 19) });
    }
    const last = at === top.length - 1;
    carry = !last && sum >= 10;
    written = `${last ? sum : sum % 10}${written}`;
    scribe.say(`, write ${written}${carry ? ', carry 1.' : '.'}`);
  }
  return scribe.finish(written);
}
