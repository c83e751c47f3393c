/** Traced graphs against the definitions: signals of float64 attention matrices of the reference decoder. */
import { describe, expect, it } from 'vitest';
import type { GraphSignal, TraceRequest } from '../src/model/attention-trace.ts';
import type { DecoderConfig } from '../src/model/config.ts';
import { type ReferenceSignals, referenceSignals } from '../src/trace/reference.ts';
import { runCached } from './reference/cached-runner.ts';
import { referenceDecoder } from './reference/decoder.ts';
import { randomTokens, randomWeights, tinyConfig } from './reference/models.ts';

const SETTINGS = { delta: 5, sinks: 1, window: 12, agreementWindow: 8 };
const PROMPT = 8;
const CAPACITY = 48;
const SIGNALS: GraphSignal[] = ['far_mass', 'distance', 'entropy', 'change', 'received'];

const HEADS = {
  all: [0, 1].flatMap((layer) => [0, 1, 2, 3].map((head) => ({ layer, head }))),
  some: [
    { layer: 0, head: 3 },
    { layer: 0, head: 1 },
    { layer: 1, head: 2 },
  ],
  'one layer': [{ layer: 1, head: 0 }],
};

/** One row of the batch: per signal the values [T * traced heads] of the response. */
type Signals = Record<GraphSignal, number[]>;

async function traced(
  config: DecoderConfig,
  weights: ReadonlyMap<string, Float32Array>,
  sequences: readonly Int32Array[],
  blocks: readonly number[],
  request: TraceRequest,
): Promise<Signals[]> {
  const run = await runCached(config, weights, sequences, blocks, CAPACITY, PROMPT, request);
  const heads = request.heads.length;
  return sequences.map((tokens, row) => {
    const response = (signal: GraphSignal) =>
      (run.signals.get(signal)?.[row] ?? []).slice(PROMPT * heads);
    const received: number[] = [];
    for (let key = PROMPT; key < tokens.length; key++) {
      const queries = Math.max(0, tokens.length - 1 - key - request.delta);
      for (let head = 0; head < heads; head++) {
        received.push(run.received[row][head * CAPACITY + key] / queries);
      }
    }
    const [far_mass, distance, entropy, change] = SIGNALS.slice(0, 4).map(response);
    return { far_mass, distance, entropy, change, received };
  });
}

/** The reference's values of the traced heads, in the order of `request.heads`. */
function pick(
  reference: ReferenceSignals,
  signal: GraphSignal,
  config: DecoderConfig,
  request: TraceRequest,
) {
  const columns = config.layers * config.heads;
  return Array.from({ length: reference.tokens }, (_, t) =>
    request.heads.map(
      ({ layer, head }) => reference.signals[signal][t * columns + layer * config.heads + head],
    ),
  ).flat();
}

function expectClose(found: readonly number[], expected: readonly number[], label: string): void {
  expect(found.length, label).toBe(expected.length);
  for (const [i, value] of expected.entries()) {
    if (Number.isNaN(value)) expect(found[i], label).toBeNaN();
    else expect(Math.abs(found[i] - value), `${label} ${i}`).toBeLessThan(1e-4);
  }
}

const MODELS: [string, DecoderConfig][] = [
  ['Llama', tinyConfig('llama')],
  ['Qwen2', tinyConfig('qwen2', { num_key_value_heads: 1 })],
  ['Qwen3', tinyConfig('qwen3')],
];

describe.each(MODELS)('%s', (_name, config) => {
  const weights = randomWeights(config, 21);
  const sequences = [37, 29].map((length, i) => randomTokens(config, length, 50 + i));
  const references = sequences.map((tokens) =>
    referenceSignals(referenceDecoder(config, weights, tokens).attention, PROMPT, SETTINGS),
  );
  const requestFor = (heads: TraceRequest['heads']): TraceRequest => ({
    ...SETTINGS,
    heads,
    signals: SIGNALS,
  });

  it.each([
    ['token by token', [1]],
    ['a prefilled prompt, then token by token', [4, 4, 1]],
    ['in blocks of 4, the last one padded', [4]],
    ['in blocks of 8, the last one padded', [8]],
    ['in one block', [40]],
  ])('%s: the signals are those of the definition', async (_how, blocks) => {
    const request = requestFor(HEADS.all);
    const rows = await traced(config, weights, sequences, blocks, request);
    for (const [row, signals] of rows.entries()) {
      for (const signal of SIGNALS) {
        expectClose(signals[signal], pick(references[row], signal, config, request), signal);
      }
    }
  });

  it.each(['some', 'one layer'] as const)('traces %s of the heads', async (which) => {
    const request = requestFor(HEADS[which]);
    for (const blocks of [[1], [8]]) {
      const rows = await traced(config, weights, sequences, blocks, request);
      for (const [row, signals] of rows.entries()) {
        for (const signal of SIGNALS) {
          expectClose(signals[signal], pick(references[row], signal, config, request), signal);
        }
      }
    }
  });
});

it('has reference signals that are not flat, so that agreeing with them says something', () => {
  const [, config] = MODELS[0];
  const tokens = randomTokens(config, 37, 50);
  const weights = randomWeights(config, 21);
  const { attention } = referenceDecoder(config, weights, tokens);
  const { signals } = referenceSignals(attention, PROMPT, SETTINGS);
  for (const signal of SIGNALS) {
    const values = signals[signal].filter((v) => !Number.isNaN(v));
    expect(Math.max(...values) - Math.min(...values), signal).toBeGreaterThan(0.05);
  }
});

it('refuses heads that are not ordered by layer', async () => {
  const [, config] = MODELS[0];
  const request: TraceRequest = {
    ...SETTINGS,
    heads: [
      { layer: 1, head: 0 },
      { layer: 0, head: 0 },
    ],
    signals: ['far_mass'],
  };
  const weights = randomWeights(config, 1);
  await expect(
    runCached(config, weights, [randomTokens(config, 9, 1)], [1], CAPACITY, PROMPT, request),
  ).rejects.toThrow('ordered by layer');
});
