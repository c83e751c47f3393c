/** Graphs with an extent that is open until arrays are bound, and what the encoder leaves out. */
import { describe, expect, it } from 'vitest';
import { Graph } from './graph.ts';
import { Program } from './program.ts';
import { OPEN } from './tensor.ts';

const ENGINE = { provider: 'cpu', threads: 1 } as const;

/** Scores of one query on OPEN old keys and 2 new ones, and the old keys' share. */
async function attention(): Promise<Program> {
  const g = new Graph();
  const q = g.input('q', [1, 2]);
  const keys = g.concat([g.input('past', [OPEN, 2]), g.input('fresh', [2, 2])], 0);
  const scores = g.reshape(g.gemm(q, keys, false, true), [1, 1, OPEN + 2]);
  g.output('scores', scores);
  g.output('old', g.slice(scores, 2, 0, OPEN));
  g.output('all', g.slice(scores, 2, 1, OPEN + 2));
  return await Program.compile(g, ENGINE);
}

const FRESH = { q: Float32Array.of(1, 10), fresh: Float32Array.of(1, 2, 3, 4) };

describe('an open extent', () => {
  it.each([
    [[], [21, 43]],
    [
      [5, 6, 7, 8],
      [65, 87, 21, 43],
    ],
  ])('is what the bound arrays say: past %j', async (past, expected) => {
    const program = await attention();
    const call = program.bind({ ...FRESH, past: Float32Array.from(past) });
    await call.run();
    expect([...call.floats('scores')]).toEqual(expected);
    expect([...call.floats('old')]).toEqual(expected.slice(0, -2));
    expect([...call.floats('all')]).toEqual(expected.slice(1));
    await program.release();
  });

  it('must be whole and the same for every array', async () => {
    const program = await attention();
    const bind = (past: number, old: number) => () =>
      program.bind({ ...FRESH, past: new Float32Array(past), old: new Float32Array(old) });
    expect(bind(3, 1)).toThrow('past');
    expect(bind(4, 3)).toThrow('old');
    expect(bind(4, 2)).not.toThrow();
    await program.release();
  });
});

it('runs no node that no output needs', async () => {
  const g = new Graph();
  const x = g.input('x', [1]);
  // Reads beyond its data: running it would throw.
  g.gather(x, g.ints([5]));
  g.output('y', g.neg(x));
  const program = await Program.compile(g, ENGINE);
  const call = program.bind({ x: Float32Array.of(3) });
  await call.run();
  expect([...call.floats('y')]).toEqual([-3]);
});

it('ties a value to others without changing a bit of it', async () => {
  const g = new Graph();
  const x = g.input('x', [2, OPEN]);
  const tied = g.after(x, [g.exp(x), g.sum(x, [0])]);
  g.output('y', tied);
  const program = await Program.compile(g, ENGINE);
  const data = Float32Array.of(-0, Number.NaN, 1e-40, -Infinity, 0.1, 3);
  const call = program.bind({ x: data });
  await call.run();
  expect(Object.is(call.floats('y')[0], -0)).toBe(true);
  expect(call.floats('y')).toEqual(data);
});

it('gives the bits of a wide product whatever the threads and whether it is computed straight', async () => {
  const [rows, inner, columns] = [96, 300, 1024];
  const random = (n: number, seed: number) =>
    Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898 + seed));
  const arrays = { x: random(rows * inner, 1), w: random(columns * inner, 2) };
  const results: Float32Array[] = [];
  for (const [known, threads] of [
    [undefined, 1],
    [1, 1],
    [2, 2],
    [4, 4],
    [8, 8],
    [16, 16],
  ]) {
    const g = new Graph(known);
    g.output('y', g.linear(g.input('x', [rows, inner]), g.input('w', [columns, inner])));
    const program = await Program.compile(g, { provider: 'cpu', threads: threads ?? 1 });
    const call = program.bind(arrays);
    await call.run();
    results.push(call.floats('y'));
    await program.release();
  }
  const bits = results.map((result) => Buffer.from(result.buffer));
  for (const other of bits) expect(other.equals(bits[0])).toBe(true);
});
