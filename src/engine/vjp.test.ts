import { describe, expect, it } from 'vitest';
import { stream } from '../core/random.ts';
import { gradients } from './autodiff.ts';
import { Graph } from './graph.ts';
import { Program } from './program.ts';
import { checkCase } from './testing/check-gradient.ts';
import { CASES, type Case } from './testing/vjp-cases.ts';
import { VJP_RULES } from './vjp.ts';

const CPU = { provider: 'cpu', threads: 2 } as const;

it('has cases for every rule, and no others', () => {
  expect(Object.keys(CASES).sort()).toEqual(Object.keys(VJP_RULES).sort());
});

describe.each(Object.entries(CASES))('%s', (op, cases: readonly Case[]) => {
  it.each(cases)('agrees with finite differences: $name', async (example) => {
    const { ops, errors } = await checkCase(example, CPU);
    expect(ops).toContain(op);
    for (const error of errors) expect(error).toBeLessThan(1e-3);
  });
});

describe('gathered rows', () => {
  // ScatterND(add) of the CPU provider loses updates here; the rule must not use it.
  it('adds up the cotangents of thousands of duplicates exactly, on 2 threads', async () => {
    const [rows, width, count] = [3, 128, 4096];
    const g = new Graph();
    const table = g.input('table', [rows, width]);
    const ids = g.input('ids', [count], 'int64');
    const loss = g.sum(g.gather(table, ids), [0, 1]);
    g.output('gradient', gradients(g, loss, [table])[0]);
    const random = stream(1);
    const indices = BigInt64Array.from({ length: count }, () => BigInt(random.below(rows)));
    const program = await Program.compile(g, CPU);
    const call = program.bind({ table: new Float32Array(rows * width), ids: indices });
    await call.run();
    const expected = Float32Array.from({ length: rows * width }, (_, i) => {
      const row = BigInt(Math.floor(i / width));
      return indices.reduce((n, id) => n + (id === row ? 1 : 0), 0);
    });
    expect(call.floats('gradient')).toEqual(expected);
    await program.release();
  });
});

describe('gradients', () => {
  it('refuses a loss of several numbers, a parameter without influence, an operator without rule', () => {
    const g = new Graph();
    const x = g.input('x', [3]);
    const unused = g.input('unused', [3]);
    expect(() => gradients(g, x, [x])).toThrow('one number');
    expect(() => gradients(g, g.sum(x, [0]), [unused])).toThrow('does not depend on unused');
    expect(() => gradients(g, g.sum(g.abs(x), [0]), [x])).toThrow('no gradient rule for Abs');
  });

  it('adds nothing to the graph for inputs that need no gradient', () => {
    const g = new Graph();
    const x = g.input('x', [4, 4]);
    const frozen = g.input('frozen', [4, 4]);
    const loss = g.sum(g.matMul(x, frozen), [0, 1]);
    const before = g.nodes.length;
    gradients(g, loss, [x]);
    const added = g.nodes.slice(before).filter((node) => node.op === 'MatMul');
    expect(added).toHaveLength(1);
  });
});
