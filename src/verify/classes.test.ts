/** Classes by keys, then by comparisons inside a bucket, at a bounded number of comparisons. */
import { expect, it } from 'vitest';
import { classesOf } from './classes.ts';
import type { Reading, Verdict } from './types.ts';

/** Answers such as `b:2.5`: bucket b, value 2 (what compare sees), written in way 5 (what the key sees too). */
class Counting {
  asked = 0;
  read = async (answer: string): Promise<Reading | null> =>
    answer.includes(':')
      ? { key: answer, bucket: answer.split(':')[0], kind: 'test', shown: answer }
      : null;
  compare = async (gold: string, answer: string): Promise<Verdict> => {
    this.asked++;
    const isSame = gold.split('.')[0] === answer.split('.')[0];
    const verdict = gold.includes('?') ? 'undecided' : isSame ? 'right' : 'wrong';
    return { verdict, reason: 'test', rung: 'test' };
  };
}

const classes = async (answers: (string | undefined)[], comparer = new Counting()) => [
  ...(await classesOf(answers, comparer)),
];

it('joins by key, then by comparison with the first of a class', async () => {
  const group = ['a:1.0', undefined, 'a:2.0', 'a:1.1', 'odd', 'a:1.1', 'b:1.0', 'a:2.1'];
  expect(await classes(group)).toEqual([0, -1, 1, 0, -1, 0, 2, 1]);
});

it('never joins what is undecided', async () => {
  expect(await classes(['a:?', 'a:?.1', 'a:?'])).toEqual([0, 1, 0]);
});

it('asks only inside buckets and of first members, at most 2,016 times for 64 answers', async () => {
  const numbers = Array.from({ length: 64 }, (_, i) => i);
  const apart = new Counting();
  await classes(
    numbers.map((i) => `b${i}:1`),
    apart,
  );
  expect(apart.asked).toBe(0);
  const alike = new Counting();
  await classes(
    numbers.map((i) => `a:1.${i}`),
    alike,
  );
  expect(alike.asked).toBe(63);
  const worst = new Counting();
  expect(
    await classes(
      numbers.map((i) => `a:${i}`),
      worst,
    ),
  ).toEqual(numbers);
  expect(worst.asked).toBe(2016);
});

it('gives up on further comparisons in a very large group', async () => {
  const numbers = Array.from({ length: 200 }, (_, i) => i);
  const comparer = new Counting();
  const group = [...numbers.map((i) => `a:${i}`), 'a:3.1', 'a:150.1'];
  // The class of 150 is no longer among those that are compared with.
  expect(await classes(group, comparer)).toEqual([...numbers, 3, 200]);
  expect(comparer.asked).toBeLessThanOrEqual(202 * 63);
});
