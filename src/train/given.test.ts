/** Responses from elsewhere as tokens: what a server leaves out of a text, and how prompts are cut. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TinyModel, tinyModel } from '../../test/reference/tiny-directory.ts';
import type { ChatTemplate } from '../model/chat-template.ts';
import type { Tokenizer } from '../model/tokenizer.ts';
import { Sampler } from '../rollout/sampler.ts';
import type { Sampling } from '../rollout/types.ts';
import { type GivenPrompt, GivenTexts, type ReadResponse } from './given.ts';

const engine = { provider: 'cpu', threads: 1 } as const;
const plain: ChatTemplate = {
  present: false,
  render: (prompt) => ({ text: String(prompt), addSpecialTokens: true }),
};
const room = { maxTokens: 20, longPrompts: 'refuse' } as const;
let model: TinyModel;
let eos: number;
let other: number;

beforeAll(() => {
  model = tinyModel();
  [eos] = model.tokenizer.eosIds;
  other = model.tokenizer.encode('7', { addSpecialTokens: false })[0];
});
afterAll(() => model.remove());

function texts(more: { template?: ChatTemplate; tokenizer?: Partial<Tokenizer> } = {}): GivenTexts {
  const { config, weights } = model;
  const tokenizer = { ...model.tokenizer, ...more.tokenizer };
  const wrap = (prompt: GivenPrompt) => prompt;
  return new GivenTexts({
    ...{ config, weights, tokenizer, engine, wrap },
    template: more.template ?? plain,
  });
}

const response = (text: string, finish: 'stop' | 'length' = 'stop') => ({
  ...{ prompt: '1 + 1', text, tokens: null, finish },
});
const tokensOf = (read: ReadResponse) => ('reason' in read ? read.reason : [...read.tokens]);

describe('a text', () => {
  test('gets the end token that servers leave out, where it ended', () => {
    const own = model.tokenizer.encode('so 2', { addSpecialTokens: false });
    expect(tokensOf(texts().read(response('so 2'), room))).toEqual([...own, eos]);
    expect(tokensOf(texts().read(response('so 2', 'length'), room))).toEqual(own);
  });

  test('keeps no second end token', () => {
    const end = model.tokenizer.decode([eos], { skipSpecialTokens: false });
    const read = texts().read(response(`so 2${end}`), room);
    expect(tokensOf(read)).toEqual(tokensOf(texts().read(response('so 2'), room)));
  });

  test('ends as the turns of its prompt do, where a model has several ends', () => {
    const tokenizer = { eosIds: [eos, other] };
    const end = (prompt: string) => {
      const read = texts({ tokenizer }).read({ ...response('so 2'), prompt }, room);
      return 'reason' in read ? read.reason : read.tokens.at(-1);
    };
    expect(end('1 + 1')).toBe(eos);
    expect(end('7 + 1')).toBe(other);
  });

  test('is read as the continuation of its prompt', () => {
    // A tokenizer that begins every text with a mark, as SentencePiece does with a space.
    const mark = other;
    const encode: Tokenizer['encode'] = (text, options) => [
      mark,
      ...model.tokenizer.encode(text, options),
    ];
    const read = texts({ tokenizer: { encode } }).read(response('so 2', 'length'), room);
    expect(tokensOf(read)).toEqual(model.tokenizer.encode('so 2', { addSpecialTokens: false }));
  });
});

test('tokens are taken as they are, and say the text', () => {
  const tokens = Int32Array.from(model.tokenizer.encode('so 2', { addSpecialTokens: false }));
  const read = texts().read({ ...response(''), text: null, tokens }, room);
  expect(read).toEqual({ tokens, text: model.tokenizer.decode(tokens) });
});

test('what does not fit is told', () => {
  const { maxPositions, vocabSize } = model.config;
  const given = (tokens: Int32Array) => ({ ...response(''), text: null, tokens });
  const long = texts().read(given(new Int32Array(maxPositions)), room);
  expect(long).toMatchObject({ reason: expect.stringMatching(/too long: \d+ \+ 256 tokens/) });
  const beyond = texts().read(given(Int32Array.of(1, vocabSize)), room);
  expect(beyond).toMatchObject({ reason: expect.stringContaining(`token ${vocabSize}`) });
  expect(texts().read({ ...response('x'), prompt: '' }, room)).toMatchObject({
    reason: 'the prompt has no tokens',
  });
});

test('a long prompt is cut as when sampling, further where the response is longer', async () => {
  const { config, weights, tokenizer } = model;
  const prompt = Array.from({ length: 150 }, (_, i) => i % 10).join(' + ');
  const promptTokens = tokenizer.encode(prompt);
  expect(promptTokens.length).toBeGreaterThan(config.maxPositions);
  const sampling: Sampling = {
    ...{ temperature: 1, topK: 0, topP: 1, minP: 0, stop: [], seed: 0, ...room },
    longPrompts: 'cut',
  };
  const sampler = new Sampler(config, weights, tokenizer, { engine, batchSize: 2 });
  const [sampled] = await sampler.generate([{ promptId: 'p', sample: 0, promptTokens }], sampling, {
    ...{ heads: [{ layer: 1, head: 2 }], signals: ['distance'], delta: 10, window: 64, sinks: 1 },
  });
  const request = {
    ...{ heads: [{ layer: 1, head: 2 }], signals: ['distance' as const], delta: 10 },
    ...{ window: 64, sinks: 1 },
  };
  const cut = { ...room, longPrompts: 'cut' } as const;
  const text = { promptId: 'p', sample: 0, prompt, tokens: sampled.tokens };
  const longer = { ...text, sample: 1, tokens: new Int32Array(30).fill(other) };
  const progress: number[] = [];
  const [given, further] = await texts().trace([text, longer], 1, request, cut, (done, tokens) =>
    progress.push(done, tokens),
  );
  expect(given).toMatchObject({ promptLength: config.maxPositions - 20, text: sampled.text });
  expect(given.finish).toBe(sampled.finish);
  expect(given.promptTokens).toEqual(promptTokens.slice(-given.promptLength));
  for (const [i, value] of (sampled.trace?.signals.distance ?? []).entries())
    expect(given.trace?.signals.distance?.[i]).toBeCloseTo(value, 3);
  for (const [i, value] of sampled.logprobs.entries())
    expect(given.logprobs[i]).toBeCloseTo(value, 4);
  expect(further.promptLength).toBe(config.maxPositions - 30);
  expect(further.finish).toBe('length');
  expect(progress).toEqual([1, sampled.tokens.length, 2, sampled.tokens.length + 30]);
}, 120_000);
