/**
 * Remainders by trying multiples of the divisor from 5 times upward or downward.
 * Bad habit: after the first multiple that is too big, no going back: the number is taken from it.
 */
import type { RandomStream } from '../../../src/core/random.ts';
import { between, drawUntil } from '../draw.ts';
import { result, Scribe, within } from '../scribe.ts';
import type { Family, Habits, Problem } from '../types.ts';

interface Division {
  /** The number, or its first part. */
  start: number;
  /** What is added or taken away before dividing. */
  change?: { op: '+' | '-'; by: number };
  divisor: number;
}

/** Whether a sum comes first, and the quotients allowed. */
const shapes = [
  { change: false, low: 2, high: 8 },
  { change: true, low: 3, high: 4 },
  { change: true, low: 1, high: 2 },
  { change: true, low: 5, high: 8 },
];

const firstTry = 5;

export const remainder: Family = { name: 'remainder', levels: [1, 2, 3, 4], problem };

function problem(random: RandomStream, level: number): Problem {
  const shape = shapes[level - 1];
  if (shape === undefined) throw new RangeError(`remainder has no level ${level}`);
  const division = drawUntil(
    () => draw(random, shape.change),
    (one) => {
      const quotient = Math.floor(numberOf(one) / one.divisor);
      return within(1, 89)(one.start) && within(shape.low, shape.high)(quotient);
    },
  );
  const { start, change, divisor } = division;
  const first = change === undefined ? `${start}` : `${start} ${change.op} ${change.by},`;
  return {
    family: 'remainder',
    level,
    prompt: `what is ${first} mod ${divisor}?`,
    answer: String(numberOf(division) % divisor),
    demonstrate: (source, habits) => demonstrate(division, source, habits),
  };
}

function draw(random: RandomStream, withChange: boolean): Division {
  const divisor = between(random, 3, 9);
  const start = between(random, 1, 89);
  if (!withChange) return { start, divisor };
  const op = random.uniform() < 0.5 ? '+' : '-';
  return { start, change: { op, by: between(random, 1, 9) }, divisor };
}

function numberOf({ start, change }: Division): number {
  return change === undefined ? start : result(start, change.op, change.by);
}

function demonstrate(division: Division, random: RandomStream, habits: Habits): string {
  const { start, change, divisor } = division;
  const scribe = new Scribe(random, habits);
  const stays = scribe.chance(habits.habit);
  scribe.say(change === undefined ? `number ${start}` : 'number:');
  let number = start;
  if (change !== undefined) number = scribe.calculate(start, change.op, change.by);
  scribe.say(`. multiples of ${divisor}.`);
  let fitting = 0;
  let fits = true;
  for (let times = firstTry, up = true; times >= 1 && times <= 9; times += up ? 1 : -1) {
    const label = ` try ${times}:`;
    scribe.say(label);
    const multiple = scribe.calculate(divisor, '*', times, { label });
    fits = multiple <= number !== scribe.chance(habits.random);
    if (fits) fitting = times;
    scribe.say(fits ? ', fits.' : ', too big.');
    if (fits && up) continue;
    if (fits) break;
    if (up && times > firstTry) {
      const wavers = scribe.chance(habits.hesitate);
      if (wavers) scribe.say(` hmm, back? ${stays ? 'no' : 'yes'}.`);
      if (stays) return rest(scribe, ' so', multiple, number);
      if (!wavers) scribe.say(' back.');
      break;
    }
    scribe.say(' back.');
    up = false;
  }
  const label = ` take ${fitting}:`;
  scribe.say(label);
  const multiple = scribe.calculate(divisor, '*', fitting, { label });
  return rest(scribe, ',', number, multiple);
}

/** Writes the difference, larger number first, and ends. */
function rest(scribe: Scribe, before: string, a: number, b: number): string {
  scribe.say(before);
  const difference = scribe.calculate(Math.max(a, b), '-', Math.min(a, b));
  scribe.say('.');
  return scribe.finish(difference);
}
