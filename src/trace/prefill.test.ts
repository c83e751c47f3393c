/** Two ways to the same trace: while decoding, and of the given text; both against the definitions. */
import { afterAll, describe, expect, it } from 'vitest';
import { referenceDecoder } from '../../test/reference/decoder.ts';
import { randomTokens } from '../../test/reference/models.ts';
import { tinyModel } from '../../test/reference/tiny-directory.ts';
import { Sampler } from '../rollout/sampler.ts';
import type { Rollout, RolloutRequest, Sampling } from '../rollout/types.ts';
import { PrefillTracer } from './prefill.ts';
import { referenceSignals } from './reference.ts';
import { allHeads, completeTrace, meanDistances, traceRequest } from './request.ts';
import { defaultTraceSettings, type Head, type RawTrace, signalNames } from './types.ts';

const model = tinyModel(2);
const { config, weights, tokenizer } = model;
afterAll(() => model.remove());

const ENGINE = { provider: 'cpu', threads: 1 } as const;
const SETTINGS = { ...defaultTraceSettings, delta: 6, window: 40, agreementWindow: 12 };
const SIGNALS = [...signalNames];
const SAMPLING: Sampling = {
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  maxTokens: 30,
  stop: [],
  seed: 2,
  longPrompts: 'refuse',
};
/** Blocks of a prefill trace hold 256, 128 or 32 tokens: responses in one block, at an edge and across it. */
const LENGTHS = [20, 110, 128, 140];
const requests: RolloutRequest[] = LENGTHS.map((length, i) => ({
  promptId: `p${i}`,
  sample: 0,
  promptTokens: [...randomTokens(config, length, 40 + i)],
}));

const HEADS: [string, Head[]][] = [
  ['all heads', allHeads(config.layers, config.heads)],
  [
    'some heads',
    [
      { layer: 0, head: 2 },
      { layer: 1, head: 0 },
      { layer: 1, head: 3 },
    ],
  ],
];

function expectSame(found: RawTrace, expected: RawTrace): void {
  expect(found.heads).toEqual(expected.heads);
  expect(found.tokens).toBe(expected.tokens);
  for (const name of SIGNALS) {
    expectClose(found.signals[name] ?? [], expected.signals[name] ?? [], name);
  }
}

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, name: string): void {
  expect(found.length, name).toBe(expected.length);
  expect(found.length, name).toBeGreaterThan(0);
  for (let i = 0; i < found.length; i++) {
    if (Number.isNaN(expected[i])) expect(found[i], `${name} ${i}`).toBeNaN();
    else expect(Math.abs(found[i] - expected[i]), `${name} ${i}`).toBeLessThan(1e-4);
  }
}

describe.each(HEADS)('%s', (_name, heads) => {
  const request = traceRequest(heads, SIGNALS, SETTINGS);
  const sampler = new Sampler(config, weights, tokenizer, { engine: ENGINE, batchSize: 4 });
  const decoded = sampler.generate(requests, SAMPLING, request);
  const complete = ({ trace }: Rollout) => {
    if (trace === undefined) throw new Error('a response has no trace');
    return completeTrace(trace, SIGNALS, SETTINGS);
  };

  it('gives the same numbers while decoding and on the given text', async () => {
    const tracer = await PrefillTracer.create(config, weights, request, 256, ENGINE);
    for (const [i, rollout] of (await decoded).entries()) {
      const text = [...requests[i].promptTokens, ...rollout.tokens];
      const trace = await tracer.trace(text, rollout.promptLength);
      expect(trace.tokens).toBe(rollout.tokens.length);
      expectSame(completeTrace(trace, SIGNALS, SETTINGS), complete(rollout));
    }
  });

  it('gives the numbers of the definitions', async () => {
    for (const [i, rollout] of (await decoded).slice(0, 2).entries()) {
      const text = [...requests[i].promptTokens, ...rollout.tokens];
      const { attention } = referenceDecoder(config, weights, text);
      const kept = [0, 1].map((layer) =>
        heads.filter((head) => head.layer === layer).map(({ head }) => attention[layer][head]),
      );
      const found = complete(rollout);
      // The reference wants as many heads in every layer; agreement needs the layers together.
      for (const [layer, own] of kept.entries()) {
        const { signals } = referenceSignals([own], rollout.promptLength, SETTINGS);
        const columns = [...heads.keys()].filter((h) => heads[h].layer === layer);
        for (const name of SIGNALS.filter((signal) => signal !== 'agreement')) {
          const values = found.signals[name] ?? new Float32Array();
          const mine = values.filter((_, at) => columns.includes(at % heads.length));
          expectClose(mine, signals[name], `${name} of layer ${layer}`);
        }
      }
      if (kept[0].length !== kept[1].length) continue;
      const { signals, layerFarMass } = referenceSignals(kept, rollout.promptLength, SETTINGS);
      expectClose(found.signals.agreement ?? [], signals.agreement, 'agreement');
      expectClose(found.layerFarMass ?? [], layerFarMass, 'far mass per layer');
    }
  });

  it('does not depend on what else is traced, nor change the response', async () => {
    const rollouts = await decoded;
    const [alone] = await sampler.generate(requests.slice(2, 3), SAMPLING, request);
    expect(alone).toEqual(rollouts[2]);
    const plain = await sampler.generate(requests, SAMPLING);
    for (const [i, { trace: _, ...untraced }] of rollouts.entries()) {
      expect(plain[i]).toEqual(untraced);
    }
  });
});

describe.each([1, 0.6])('token statistics at temperature %s', (temperature) => {
  it('are those that the sampler reported', async () => {
    const request = traceRequest(HEADS[1][1], ['distance'], SETTINGS);
    const sampler = new Sampler(config, weights, tokenizer, { engine: ENGINE, batchSize: 4 });
    const rollouts = await sampler.generate(requests, { ...SAMPLING, temperature });
    const options = { statistics: true, temperature };
    const tracer = await PrefillTracer.create(config, weights, request, 256, ENGINE, options);
    for (const [i, rollout] of rollouts.entries()) {
      const text = [...requests[i].promptTokens, ...rollout.tokens];
      const { trace, statistics } = await tracer.traceWithStatistics(text, rollout.promptLength);
      expect(trace).toEqual(await tracer.trace(text, rollout.promptLength));
      expectClose(statistics.logprobs, rollout.logprobs, 'logprobs');
      expectClose(statistics.entropies, rollout.entropies, 'entropies');
      expectClose(statistics.selfCertainty, rollout.selfCertainty, 'self-certainty');
    }
  });
});

describe.each(HEADS)('across blocks of every size, %s', (_name, heads) => {
  const request = traceRequest(heads, SIGNALS, SETTINGS);
  // 256 + 128 + 32 + 11: the response begins before the first boundary.
  const text = randomTokens(config, 427, 9);
  const promptLength = 250;

  it('gives the numbers of the definitions', async () => {
    const tracer = await PrefillTracer.create(config, weights, request, text.length, ENGINE);
    const found = await tracer.trace(text, promptLength);
    await tracer.release();
    const { attention } = referenceDecoder(config, weights, text);
    for (const layer of attention.keys()) {
      const own = heads.filter((head) => head.layer === layer).map(({ head }) => head);
      const rows = own.map((head) => attention[layer][head]);
      const { signals } = referenceSignals([rows], promptLength, SETTINGS);
      const columns = [...heads.keys()].filter((h) => heads[h].layer === layer);
      for (const name of SIGNALS.filter((signal) => signal !== 'agreement')) {
        const values = found.signals[name] ?? new Float32Array();
        const mine = values.filter((_, at) => columns.includes(at % heads.length));
        expectClose(mine, signals[name], `${name} of layer ${layer}`);
      }
    }
  });

  it('gives the same with and without statistics, whatever was traced before', async () => {
    const plain = await PrefillTracer.create(config, weights, request, 700, ENGINE);
    const options = { statistics: true };
    const scoring = await PrefillTracer.create(config, weights, request, 700, ENGINE, options);
    await scoring.trace(randomTokens(config, 690, 4), 600);
    const { trace, statistics } = await scoring.traceWithStatistics(text, promptLength);
    expect(trace.signals).toEqual((await plain.trace(text, promptLength)).signals);
    expect(statistics.logprobs.length).toBe(text.length - promptLength);
    await plain.release();
    await scoring.release();
  });
});

it('takes heads in any order', async () => {
  const heads = [
    { layer: 1, head: 3 },
    { layer: 0, head: 2 },
    { layer: 1, head: 0 },
  ];
  const text = randomTokens(config, 40, 5);
  const traceOf = async (order: readonly Head[]) => {
    const request = traceRequest(order, ['distance', 'change', 'received'], SETTINGS);
    return await (await PrefillTracer.create(config, weights, request, 40, ENGINE)).trace(text, 20);
  };
  const found = await traceOf(heads);
  const sorted = await traceOf([heads[1], heads[2], heads[0]]);
  for (const name of ['distance', 'change', 'received'] as const) {
    const values = sorted.signals[name] ?? new Float32Array();
    const moved = values.map((_, i) => values[i - (i % 3) + [2, 0, 1][i % 3]]);
    expect(found.signals[name]).toEqual(moved);
  }
});

describe('PrefillTracer', () => {
  const [[, heads]] = HEADS;

  it('starts every text afresh and refuses what does not fit', async () => {
    const request = traceRequest(heads, SIGNALS, SETTINGS);
    const tracer = await PrefillTracer.create(config, weights, request, 120, ENGINE);
    const [long, short] = [randomTokens(config, 120, 1), randomTokens(config, 20, 2)];
    const first = await tracer.trace(short, 5);
    await tracer.trace(long, 60);
    expect(await tracer.trace(short, 5)).toEqual(first);
    await expect(tracer.trace(randomTokens(config, 121, 1), 5)).rejects.toThrow(RangeError);
    await expect(tracer.trace(short, 20)).rejects.toThrow(RangeError);
    await expect(tracer.trace(short, 0)).rejects.toThrow(RangeError);
  });

  it('gives the signals that are asked for and no others', async () => {
    const request = traceRequest(heads, ['distance'], SETTINGS);
    const tracer = await PrefillTracer.create(config, weights, request, 100, ENGINE);
    await expect(tracer.traceWithStatistics(randomTokens(config, 20, 2), 5)).rejects.toThrow();
    const trace = await tracer.trace(randomTokens(config, 20, 2), 5);
    expect(Object.keys(completeTrace(trace, ['distance'], SETTINGS).signals)).toEqual(['distance']);
  });
});

it('ranks heads by their mean distance over the tokens of all traces', async () => {
  const [[, heads]] = HEADS;
  const request = traceRequest(heads, ['distance'], SETTINGS);
  const tracer = await PrefillTracer.create(config, weights, request, 100, ENGINE);
  const texts = [30, 61].map((length) => randomTokens(config, length, length));
  const traces: RawTrace[] = [];
  const sums = new Float64Array(heads.length);
  for (const text of texts) {
    traces.push(await tracer.trace(text, 10));
    const { attention } = referenceDecoder(config, weights, text);
    const { meanDistance, tokens } = referenceSignals(attention, 10, SETTINGS);
    for (const [h, mean] of meanDistance.entries()) sums[h] += mean * tokens;
  }
  expectClose(
    meanDistances(traces),
    sums.map((sum) => sum / (20 + 51)),
    'mean distance',
  );
});
