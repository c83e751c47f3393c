import { expect, it } from 'vitest';
import { tinyConfig } from '../../test/reference/models.ts';
import { pastKeys, pastValues } from '../model/prefill-graph.ts';
import { PrefillCache } from './prefill-cache.ts';

const config = tinyConfig('qwen3');

it('grows with the longest text, and not with its square', () => {
  const cache = new PrefillCache(config, config.layers);
  cache.reserve(100);
  const { size } = cache;
  // Keys and values of every layer and key head, cosine and sine, and the position itself.
  const perToken = 2 * config.layers * config.kvHeads * config.headDim + 2 * config.headDim + 1;
  expect(size).toBe(100 * perToken);
  cache.reserve(60);
  expect(cache.size).toBe(size);
  cache.reserve(101);
  expect(cache.size).toBe(2 * size);
  cache.reserve(1600);
  expect(cache.size).toBe(16 * size);
});

it('gives a block what the blocks before it wrote', () => {
  const cache = new PrefillCache(config, 1);
  cache.reserve(10);
  const first = cache.bindings(0, 4);
  expect(first[pastKeys(0, 1)].length).toBe(0);
  first['block_k.0.1'].fill(7);
  first['block_v.0.1'].fill(8);
  const second = cache.bindings(4, 4);
  expect([...second[pastKeys(0, 1)]]).toEqual(new Array(4 * config.headDim).fill(7));
  expect([...second[pastValues(0, 1)]]).toEqual(new Array(4 * config.headDim).fill(8));
  expect([...second[pastKeys(0, 0)]]).toEqual(new Array(4 * config.headDim).fill(0));
  expect([...second.queries]).toEqual([4, 5, 6, 7]);
  expect([...second.keys]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});
