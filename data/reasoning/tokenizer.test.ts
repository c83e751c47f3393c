import { Tokenizer } from '@huggingface/tokenizers';
import { expect, test } from 'vitest';
import { stream } from '../../src/core/random.ts';
import { example, separator } from './corpus.ts';
import { buildTokenizer, tokenCount, vocabulary } from './tokenizer.ts';
import type { Stage } from './types.ts';

const { tokenizer_json, tokenizer_config } = buildTokenizer();
const tokenizer = new Tokenizer(tokenizer_json, tokenizer_config);
const stages: readonly Stage[] = ['warm', 'clean', 'noisy'];

test('20,000 examples survive encoding and decoding, and every token is used', () => {
  const random = stream(1, 'round trip');
  const used = new Set<number>();
  for (let i = 0; i < 20_000; i++) {
    const one = example(random, stages[i % 3] ?? 'clean');
    const text = `${one.prompt}${separator}${one.response}`;
    const { ids } = tokenizer.encode(text, { add_special_tokens: false });
    for (const id of ids) used.add(id);
    if (tokenizer.decode(ids) !== text || ids.length !== tokenCount(text)) {
      expect(tokenizer.decode(ids)).toBe(text);
      expect(ids).toHaveLength(tokenCount(text));
    }
  }
  const specials = [0, 1, 2];
  expect(vocabulary.filter((_, id) => !used.has(id) && !specials.includes(id))).toEqual([]);
  expect(used.has(vocabulary.indexOf('<unk>'))).toBe(false);
});

test('the vocabulary is small and without repetition', () => {
  expect(vocabulary.length).toBeLessThanOrEqual(128);
  expect(new Set(vocabulary).size).toBe(vocabulary.length);
});

test('digits are tokens of their own, unknown words are <unk>', () => {
  const tokens = tokenizer.tokenize('what is 17 + 28?');
  expect(tokens).toEqual(['what', ' is', ' 1', '7', ' +', ' 2', '8', '?']);
  const { ids } = tokenizer.encode('what is love?', { add_special_tokens: false });
  expect(ids[2]).toBe(vocabulary.indexOf('<unk>'));
});
