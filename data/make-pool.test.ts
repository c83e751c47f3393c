import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { stream } from '../src/core/random.ts';
import { lines, makePool } from './make-pool.ts';
import { example, isReserved } from './reasoning/corpus.ts';
import { slipRow } from './reasoning/slips.ts';

const files = makePool(1);
const stored = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

describe('the committed files', () => {
  test('are what the generator makes', () => {
    expect(stored('pool.jsonl')).toBe(lines(files.pool, 'prompt'));
    expect(stored('answers.jsonl')).toBe(lines(files.pool, 'answer'));
    expect(stored('test.jsonl')).toBe(lines(files.test, 'both'));
    expect(stored('fresh.jsonl')).toBe(lines(files.fresh, 'both'));
  });

  test('have the promised sizes, ids of their own, and no answer in the pool', () => {
    expect([files.pool.length, files.test.length, files.fresh.length]).toEqual([2000, 1200, 1000]);
    const ids = ['pool.jsonl', 'test.jsonl', 'fresh.jsonl'].flatMap((name) =>
      stored(name)
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line).id),
    );
    expect(new Set(ids).size).toBe(4200);
    expect(stored('pool.jsonl')).not.toContain('"answer"');
  });
});

test('no prompt is in two files or in the pretraining stream', () => {
  const all = [...files.pool, ...files.test, ...files.fresh];
  const prompts = new Set(all.map(({ prompt }) => prompt));
  expect(prompts.size).toBe(all.length);
  expect(all.every(({ prompt }) => isReserved(prompt))).toBe(true);
  const random = stream(2, 'pretraining');
  for (let i = 0; i < 5000; i++) {
    const { prompt } = example(random, 'noisy');
    expect(prompts.has(prompt) || isReserved(prompt), prompt).toBe(false);
  }
});

test('more than half of the pool is mastered by design and one in eight nearly hopeless', () => {
  const passes = files.pool.map(({ family, level }) => slipRow(family, level).pass);
  const share = (fits: (pass: number) => boolean): number =>
    passes.filter(fits).length / passes.length;
  expect(share((pass) => pass >= 0.9)).toBeCloseTo(0.55, 1);
  expect(share((pass) => pass < 0.1)).toBeCloseTo(0.13, 1);
  expect(share((pass) => pass >= 0.9 || pass < 0.1)).toBeGreaterThan(0.5);
});
