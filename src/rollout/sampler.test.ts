/** Batched sampling on a tiny model: what a response depends on, where it ends, what it reports. */
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { logSoftmax, referenceDecoder } from '../../test/reference/decoder.ts';
import { randomTokens } from '../../test/reference/models.ts';
import { tinyModel } from '../../test/reference/tiny-directory.ts';
import { UserError } from '../core/errors.ts';
import { DecoderBatch } from './decoder-batch.ts';
import { Sampler } from './sampler.ts';
import type { Rollout, RolloutRequest, Sampling } from './types.ts';

const model = tinyModel(3);
const { config, weights, tokenizer } = model;
afterAll(() => model.remove());
afterEach(() => vi.restoreAllMocks());

const SAMPLING: Sampling = {
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  maxTokens: 12,
  stop: [],
  seed: 5,
  longPrompts: 'refuse',
};
/** Prompts within a prefill block of 32 tokens, at its edge, over it, and over the first capacity of 64. */
const LENGTHS = [1, 5, 32, 33, 34, 65, 9];

const requests: RolloutRequest[] = LENGTHS.flatMap((length, i) =>
  [0, 1].map((sample) => ({
    promptId: `p${i}`,
    sample,
    promptTokens: [...randomTokens(config, length, i)],
  })),
);

function make(batchSize = 4, threads = 1, eosIds: readonly number[] = tokenizer.eosIds): Sampler {
  const engine = { provider: 'cpu', threads } as const;
  return new Sampler(config, weights, { ...tokenizer, eosIds }, { engine, batchSize });
}
const sampler = make();

const keyOf = ({ promptId, sample }: Rollout) => `${promptId}/${sample}`;
const byKey = (rollouts: readonly Rollout[]) =>
  new Map(rollouts.map((rollout) => [keyOf(rollout), rollout]));

describe('what a response depends on', () => {
  it.each([
    ['the other way round', sampler, [...requests].reverse()],
    ['a few of them', sampler, requests.filter((_, i) => i % 3 === 0)],
    ['one alone', sampler, requests.slice(9, 10)],
    ['a batch of one row', make(1), requests],
    ['a batch of seven rows on two threads', make(7, 2), requests],
  ])('gives the same bits: %s', async (_how, other, some) => {
    const expected = byKey(await sampler.generate(requests, SAMPLING));
    const found = await other.generate(some, SAMPLING);
    expect(found.map(keyOf)).toEqual(some.map((r) => `${r.promptId}/${r.sample}`));
    for (const rollout of found) expect(rollout).toEqual(expected.get(keyOf(rollout)));
  });

  it('differs between samples, prompts and seeds', async () => {
    const promptTokens = requests[2].promptTokens;
    const same = ['a', 'b'].flatMap((promptId) =>
      [0, 1, 2].map((sample) => ({ promptId, sample, promptTokens })),
    );
    const texts = (await sampler.generate(same, SAMPLING)).map(({ tokens }) => tokens.join());
    const others = (await sampler.generate(same, { ...SAMPLING, seed: 6 })).map(({ tokens }) =>
      tokens.join(),
    );
    expect(new Set([...texts, ...others]).size).toBe(12);
  });

  it('reads the weights anew at every call', async () => {
    const own = new Map([...weights].map(([name, data]) => [name, data.slice()]));
    const engine = { provider: 'cpu', threads: 1 } as const;
    const live = new Sampler(config, own, tokenizer, { engine, batchSize: 4 });
    const before = await live.generate(requests.slice(0, 4), SAMPLING);
    for (const data of own.values()) data.set(data.map((x) => 1.2 * x));
    const after = await live.generate(requests.slice(0, 4), SAMPLING);
    expect(after[0].logprobs).not.toEqual(before[0].logprobs);
    for (const [name, data] of own) data.set(weights.get(name) ?? []);
    expect(await live.generate(requests.slice(0, 4), SAMPLING)).toEqual(before);
  });
});

describe('continuous batching', () => {
  it('answers more requests than rows in order and gives rows away while requests wait', async () => {
    // A third of the vocabulary ends a response, so that lengths differ a lot.
    const ends = Array.from({ length: 12 }, (_, i) => 1 + 9 * i);
    const subject = make(4, 1, ends);
    const many = requests.filter(({ promptTokens }) => promptTokens.length <= 40);
    const occupied: number[] = [];
    const step = DecoderBatch.prototype.step;
    vi.spyOn(DecoderBatch.prototype, 'step').mockImplementation(async function (
      this: DecoderBatch,
      rows,
    ) {
      occupied.push(rows.length);
      await step.call(this, rows);
    });
    const heard: [number, number][] = [];
    const found = await subject.generate(many, SAMPLING, undefined, (done, tokens) =>
      heard.push([done, tokens]),
    );
    expect(found.map(keyOf)).toEqual(many.map((r) => `${r.promptId}/${r.sample}`));
    const lengths = found.map(({ tokens }) => tokens.length);
    expect(new Set(lengths).size).toBeGreaterThan(3);
    const total = lengths.reduce((a, b) => a + b, 0);
    expect(occupied.reduce((a, b) => a + b, 0)).toBe(total);
    // Full until the queue is empty, then only shrinking.
    expect(occupied).toEqual([...occupied].sort((a, b) => b - a));
    expect(occupied.filter((rows) => rows === 4).length).toBeGreaterThan(total / 8);
    expect(heard.map(([done]) => done)).toEqual(many.map((_, i) => i + 1));
    expect(heard[heard.length - 1]).toEqual([many.length, total]);
  });

  it('gives nothing for no requests', async () => {
    expect(await sampler.generate([], SAMPLING)).toEqual([]);
  });
});

describe('what is reported', () => {
  /** Log-probabilities per response token from a float64 forward over prompt and response. */
  function reference({ tokens }: Rollout, { promptTokens }: RolloutRequest, temperature: number) {
    const run = referenceDecoder(config, weights, [...promptTokens, ...tokens]);
    return [...tokens].map((_, i) =>
      logSoftmax(run.logits[promptTokens.length - 1 + i], temperature),
    );
  }

  it.each([0.6, 1])('equals a float64 forward: temperature %d', async (temperature) => {
    const some = requests.filter((_, i) => i % 4 === 0);
    const found = await sampler.generate(some, { ...SAMPLING, temperature });
    for (const [i, rollout] of found.entries()) {
      for (const [t, logp] of reference(rollout, some[i], temperature).entries()) {
        const entropy = -logp.reduce((sum, l) => sum + Math.exp(l) * l, 0);
        const certainty =
          -logp.reduce((sum, l) => sum + l, 0) / logp.length - Math.log(logp.length);
        expect(Math.abs(rollout.logprobs[t] - logp[rollout.tokens[t]])).toBeLessThan(1e-4);
        expect(Math.abs(rollout.entropies[t] - entropy)).toBeLessThan(1e-4);
        expect(Math.abs(rollout.selfCertainty[t] - certainty)).toBeLessThan(1e-4);
      }
    }
  });

  it('is greedy at temperature 0: every token is the argmax of the full forward', async () => {
    const some = requests.filter(({ sample }) => sample === 0).slice(1, 4);
    const found = await sampler.generate(some, { ...SAMPLING, temperature: 0 });
    for (const [i, rollout] of found.entries()) {
      for (const [t, logp] of reference(rollout, some[i], 1).entries()) {
        expect(logp[rollout.tokens[t]]).toBeGreaterThan(Math.max(...logp) - 1e-5);
      }
    }
  });
});

describe('where a response ends', () => {
  const free = make(4, 1, []);
  const one = requests.slice(2, 3);

  it('at max tokens', async () => {
    for (const maxTokens of [1, 7]) {
      const [found] = await free.generate(one, { ...SAMPLING, maxTokens });
      expect(found).toMatchObject({ finish: 'length', promptLength: 5 });
      expect(found.tokens).toHaveLength(maxTokens);
      expect(found.logprobs).toHaveLength(maxTokens);
      expect(found.text).toBe(tokenizer.decode(found.tokens));
    }
  });

  it('at a stop token, which is kept in the tokens and left out of the text', async () => {
    const [whole] = await free.generate(one, SAMPLING);
    const eos = tokenizer.eosIds[0];
    const [found] = await make(4, 1, [whole.tokens[6]]).generate(one, SAMPLING);
    const first = whole.tokens.indexOf(whole.tokens[6]);
    expect(found.finish).toBe('stop');
    expect(found.tokens).toEqual(whole.tokens.slice(0, first + 1));
    const ended = (await sampler.generate(requests, { ...SAMPLING, maxTokens: 40 })).filter(
      ({ finish }) => finish === 'stop',
    );
    expect(ended.length).toBeGreaterThan(0);
    for (const { tokens, text } of ended) {
      expect(tokens.indexOf(eos)).toBe(tokens.length - 1);
      expect(text).toBe(tokenizer.decode(tokens.slice(0, -1)));
    }
  });

  it('at a stop string, also one over two tokens; the text is cut before the first', async () => {
    const [whole] = await free.generate(one, SAMPLING);
    const firstTokens = (count: number) => tokenizer.decode(whole.tokens.slice(0, count));
    const at = firstTokens(4).length;
    const stop = whole.text.slice(at - 1, at + 1);
    const place = whole.text.indexOf(stop);
    const needed =
      [...whole.tokens.keys()].find((i) => firstTokens(i + 1).includes(stop)) ?? Number.NaN;
    const [found] = await free.generate(one, { ...SAMPLING, stop: ['never written', stop] });
    expect(found.finish).toBe('stop');
    expect(found.text).toBe(whole.text.slice(0, place));
    expect(found.tokens).toEqual(whole.tokens.slice(0, needed + 1));
  });
});

describe('prompts that do not fit', () => {
  const long = {
    promptId: 'the long one',
    sample: 0,
    promptTokens: [...randomTokens(config, 250, 9)],
  };

  it('are refused by name, before anything is sampled', async () => {
    const step = vi.spyOn(DecoderBatch.prototype, 'step');
    const failure = await sampler.generate([requests[0], long], SAMPLING).catch((e) => e);
    expect(failure).toBeInstanceOf(UserError);
    expect(failure.message).toMatch(/the long one.*at most 244 tokens.*found 250 tokens/);
    expect(step).not.toHaveBeenCalled();
  });

  it('are cut to their last tokens where the settings say so', async () => {
    const cut = { ...SAMPLING, longPrompts: 'cut' } as const;
    const [found] = await sampler.generate([long], cut);
    const short = { ...long, promptTokens: long.promptTokens.slice(250 - 244) };
    expect(found.promptLength).toBe(244);
    expect(found).toEqual((await sampler.generate([short], SAMPLING))[0]);
  });

  it('are refused when there is none, or no room at all', async () => {
    const none = { ...long, promptTokens: [] };
    await expect(sampler.generate([none], SAMPLING)).rejects.toThrow('at least one token');
    const greedy = { ...SAMPLING, maxTokens: 256 };
    await expect(sampler.generate([requests[0]], greedy)).rejects.toThrow('rollout.max_tokens');
  });

  it('fit to the last position of the context', async () => {
    const exact = { ...long, promptTokens: long.promptTokens.slice(0, 244) };
    const [found] = await make(2, 1, []).generate([exact], SAMPLING);
    expect(found.tokens).toHaveLength(12);
  });
});
