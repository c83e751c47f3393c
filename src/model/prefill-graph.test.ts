import { describe, expect, it } from 'vitest';
import { tinyConfig } from '../../test/reference/models.ts';
import { isOpen, OPEN } from '../engine/tensor.ts';
import { pastValues, prefillGraph } from './prefill-graph.ts';

const config = tinyConfig('llama', { num_hidden_layers: 3 });
const SIGNALS = ['far_mass', 'distance', 'entropy', 'change', 'received'] as const;
const WINDOWS = { delta: 6, window: 40, sinks: 1 };
const everyHead = [0, 1, 2].flatMap((layer) => [0, 1, 2, 3].map((head) => ({ layer, head })));

/** How many of the open extent's rows a value has: 0 where its size does not follow it. */
function perKey(shape: readonly number[]): number {
  return shape.some(isOpen) ? shape.reduce((n, x) => (isOpen(x) ? n : n * x), 1) : 0;
}

describe('the prefill graph', () => {
  it.each([128, 256])('holds a bounded number of floats per token: %i queries', (queries) => {
    const settings = { queries, hidden: true, threads: 1 };
    const g = prefillGraph(config, { heads: everyHead, signals: SIGNALS, ...WINDOWS }, settings);
    const values = [...g.inputs, ...g.nodes.map(({ output }) => output)];
    for (const { shape, name } of values) {
      // An extent that is OPEN squared or a multiple of it is no single open one.
      expect(shape.filter(isOpen).length, name).toBeLessThanOrEqual(1);
      expect(
        shape.every((x) => x < 2 * OPEN),
        name,
      ).toBe(true);
    }
    // Two query heads share a key head; 128 queries attend together, whatever the block.
    expect(Math.max(...values.map(({ shape }) => perKey(shape)))).toBe(2 * 128);
  });

  it('needs no more of the model than the traced layers', () => {
    const request = { heads: [{ layer: 1, head: 2 }], signals: SIGNALS, ...WINDOWS };
    const inputs = (hidden: boolean) =>
      prefillGraph(config, request, { queries: 32, hidden, threads: 1 }).inputs.map((x) => x.name);
    expect(inputs(false).some((name) => name.includes('layers.2.'))).toBe(false);
    expect(inputs(false)).toContain(pastValues(0, 1));
    expect(inputs(false)).not.toContain(pastValues(1, 1));
    expect(inputs(true).some((name) => name.includes('layers.2.'))).toBe(true);
  });
});
