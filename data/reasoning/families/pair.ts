/**
 * Which two of the listed numbers make the target: pairs are tried in listed order, row by row.
 * Bad habit: patience ends at the last pair of the first row, which is accepted whatever it makes.
 */
import type { RandomStream } from '../../../src/core/random.ts';
import { between, drawUntil } from '../draw.ts';
import { Scribe } from '../scribe.ts';
import type { Family, Habits, Problem } from '../types.ts';

interface Search {
  numbers: number[];
  target: number;
}

/** Length of the list, whether one number has two digits, and the try that succeeds. */
const shapes = [
  { count: 4, large: false, first: 1, last: 3 },
  { count: 5, large: false, first: 4, last: 8 },
  { count: 5, large: true, first: 5, last: 9 },
  { count: 6, large: false, first: 8, last: 10 },
];

/** A person gives up after so many tries. */
const patience = 11;

export const pair: Family = { name: 'pair', levels: [1, 2, 3, 4], problem };

function problem(random: RandomStream, level: number): Problem {
  const shape = shapes[level - 1];
  if (shape === undefined) throw new RangeError(`pair has no level ${level}`);
  const search = drawUntil(
    () => draw(random, shape),
    (one) => solutions(one).length === 1,
  );
  const [at = 0] = solutions(search);
  return {
    family: 'pair',
    level,
    prompt: `from ${search.numbers.join(' ')}, which two make ${search.target}?`,
    answer: (pairs(search.numbers)[at] ?? []).join(' '),
    demonstrate: (source, habits) => demonstrate(search, source, habits),
  };
}

function draw(random: RandomStream, shape: (typeof shapes)[number]): Search {
  const numbers = random.shuffled([1, 2, 3, 4, 5, 6, 7, 8, 9]).slice(0, shape.count);
  if (shape.large) numbers[random.below(numbers.length)] = between(random, 11, 49);
  const [x = 0, y = 0] = pairs(numbers)[between(random, shape.first, shape.last) - 1] ?? [];
  return { numbers, target: x + y };
}

function pairs(numbers: readonly number[]): [number, number][] {
  return numbers.flatMap((x, at) => numbers.slice(at + 1).map((y): [number, number] => [x, y]));
}

/** Indices among the pairs, in order. */
function solutions({ numbers, target }: Search): number[] {
  return pairs(numbers).flatMap(([x, y], at) => (x + y === target ? [at] : []));
}

function demonstrate(search: Search, random: RandomStream, habits: Habits): string {
  const { numbers, target } = search;
  const scribe = new Scribe(random, habits);
  const impatient = scribe.chance(habits.habit);
  const rowEnd = numbers.length - 2;
  const order = pairs(numbers).slice(0, patience);
  scribe.say('pairs:');
  for (const [at, [x, y]] of order.entries()) {
    const sum = scribe.calculate(x, '+', y, { lead: ' try', label: ' try' });
    const settles = (at === rowEnd && impatient) || scribe.chance(habits.random);
    const accepts = sum === target || settles;
    if (scribe.chance(at === rowEnd ? habits.hesitate : habits.pause)) {
      scribe.say(`, hmm, make ${target}`);
      scribe.say(accepts ? '? yes.' : '? no. back.');
    } else scribe.say(accepts ? ', yes.' : ', no. back.');
    if (accepts) return scribe.finish(`${x} ${y}`);
    if (y === numbers.at(-1)) scribe.say(` drop ${x}.`);
  }
  scribe.say(' enough.');
  return scribe.finish((order.at(-1) ?? []).join(' '));
}
