import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BadRollout, foreignRollout } from './foreign.ts';
import { entropyBound } from './top-logprobs.ts';

describe('a row with a response', () => {
  test('needs an id and a text, and has defaults for the rest', () => {
    expect(foreignRollout({ id: 'p1', response: 'It is 4.', reward: 1 })).toEqual({
      ...{ id: 'p1', prompt: null, sample: null, text: 'It is 4.', tokens: null },
      ...{ logprobs: null, entropies: null, finish: 'stop', model: null },
    });
  });

  test('may come from Parquet: 64-bit numbers, nulls, numbers as ids', () => {
    const row = {
      ...{ id: 7n, sample: 2n, response: null, tokens: [1n, 2n], finish: 'length' },
      ...{
        logprobs: Float32Array.of(-0.5, -1),
        prompt: null,
        model: 'org/name',
        top_logprobs: null,
      },
    };
    const { id, sample, tokens, logprobs, finish, model } = foreignRollout(row);
    expect({ id, sample, finish, model }).toEqual({
      ...{ id: '7', sample: 2, finish: 'length', model: 'org/name' },
    });
    expect([...(tokens ?? [])]).toEqual([1, 2]);
    expect([...(logprobs ?? [])]).toEqual([-0.5, -1]);
  });

  test('is text that a database takes', () => {
    expect(foreignRollout({ id: 'a', response: 'x\ud800y' }).text).toBe('x\ufffdy');
  });

  test('has entropies that came along, or bounds from the likeliest tokens', () => {
    const row = { id: 'a', response: 'x', logprobs: [-1, -0.5] };
    expect(foreignRollout({ ...row, entropies: [0.25, 2] }).entropies).toEqual(
      Float32Array.of(0.25, 2),
    );
    const top = [[-1, -2], [-0.5]];
    const bounds = foreignRollout({ ...row, top_logprobs: top }).entropies;
    expect(bounds).toEqual(Float32Array.of(entropyBound(top[0], -1), entropyBound(top[1], -0.5)));
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['nothing', {}, /neither an id nor a prompt/],
    ['no response', { id: 'a' }, /neither a response nor tokens/],
    ['an empty text', { id: 'a', response: '' }, /empty/],
    ['a text that is none', { id: 'a', response: 4 }, /response is no text/],
    ['an id that is none', { id: {}, response: 'x' }, /id is no text/],
    ['tokens that are text', { id: 'a', tokens: '1 2' }, /tokens is no list/],
    ['tokens between tokens', { id: 'a', tokens: [1.5] }, /tokens holds 1.5/],
    ['numbers for other tokens', { id: 'a', tokens: [1], logprobs: [-1, -2] }, /2 numbers for 1/],
    ['probabilities above one', { id: 'a', response: 'x', logprobs: [0.7] }, /logprobs holds 0.7/],
    ['a null among numbers', { id: 'a', response: 'x', logprobs: [null] }, /logprobs holds null/],
    ['tops without numbers', { id: 'a', response: 'x', top_logprobs: [[-1]] }, /without logprobs/],
    ['half a sample', { id: 'a', response: 'x', sample: 0.5 }, /sample/],
    ['another end', { id: 'a', response: 'x', finish: 'abort' }, /finish/],
    ['a prompt that is none', { prompt: [{ role: 'user' }], response: 'x' }, /prompt holds/],
  ])('is refused with %s', (_, row, reason) => {
    expect(() => foreignRollout(row)).toThrow(BadRollout);
    expect(() => foreignRollout(row)).toThrow(reason);
  });

  test('never throws anything else, whatever it holds', () => {
    const keys = ['id', 'prompt', 'sample', 'response', 'tokens', 'logprobs', 'top_logprobs'];
    const row = fc.dictionary(
      fc.constantFrom(...keys, 'entropies', 'finish', 'model'),
      fc.anything(),
    );
    fc.assert(
      fc.property(row, (value) => {
        try {
          foreignRollout(value);
        } catch (error) {
          expect(error).toBeInstanceOf(BadRollout);
        }
      }),
    );
  });
});

describe('the entropy that the likeliest tokens bound', () => {
  const weights = fc.array(fc.double({ min: 1e-6, max: 1, noNaN: true }), {
    minLength: 2,
    maxLength: 40,
  });

  test('is never above the entropy, whichever token was drawn and listed', () => {
    fc.assert(
      fc.property(weights, fc.nat(), fc.nat(), fc.boolean(), (raw, k, which, listed) => {
        const total = raw.reduce((a, b) => a + b, 0);
        const logs = raw.map((w) => Math.log(w / total)).sort((a, b) => b - a);
        const entropy = -logs.reduce((sum, l) => sum + Math.exp(l) * l, 0);
        const top = logs.slice(0, 1 + (k % logs.length));
        const drawn = logs[which % logs.length];
        // Servers add the token that was drawn to the list where it is not in it.
        const given = listed && which % logs.length >= top.length ? [...top, drawn] : top;
        expect(entropyBound(given, drawn)).toBeLessThanOrEqual(entropy + 1e-9);
        expect(entropyBound(given, drawn)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('is the entropy where all tokens are listed, and close where hardly any is left', () => {
    const logs = [0.5, 0.25, 0.25].map(Math.log);
    expect(entropyBound(logs, logs[0])).toBeCloseTo(1.5 * Math.LN2, 10);
    const most = [0.9, 0.09].map(Math.log);
    const rest = -0.9 * Math.log(0.9) - 0.09 * Math.log(0.09);
    expect(entropyBound(most, most[0])).toBeCloseTo(rest - 0.01 * Math.log(0.01), 10);
    expect(entropyBound([], -1)).toBe(0);
  });
});
