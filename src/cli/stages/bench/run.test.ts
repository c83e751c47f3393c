import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { silent } from '../../../core/progress.ts';
import { loadConfig } from '../../config.ts';
import type { CountBefore } from './before.ts';
import { planOf } from './jobs.ts';
import { readMatrix } from './matrix.ts';
import { readResult } from './outcome.ts';
import { type BenchRun, runBench } from './run.ts';
import type { RunVerb } from './verb-process.ts';

let folder: string;
/** `cells/pool/full/1 train`, in the order in which they began. */
let called: string[];
let atOnce: number;
let most: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-bench-run-'));
  writeFileSync(join(folder, 'test.jsonl'), 'one');
  called = [];
  [atOnce, most] = [0, 0];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const matrix = {
  name: 'run',
  out: 'out',
  base: { 'eval.file': 'test.jsonl', 'train.steps': 3 },
  seeds: [1, 2],
  workers: 2,
  reference: 'full',
  shared: { scored: { verbs: ['pool', 'trace'] } },
  arms: {
    full: { verbs: ['pool', 'train'] },
    pivots: { from: 'scored', verbs: ['triage', 'train'] },
  },
  budget: { rollouts: 100 },
};

const id = (path: string) => relative(join(folder, 'out'), path);

/** A verb that leaves what the real one would: a file of its own, and logs where it trains. */
const verb: RunVerb = async (path, name) => {
  called.push(`${id(path)} ${name}`);
  most = Math.max(most, ++atOnce);
  await wait(3);
  atOnce--;
  writeFileSync(join(path, `made-by-${name}`), '');
  appendFileSync(join(path, 'cell.log'), `${name} speaks\n`);
  if (name === 'train') logRun(path);
  return 0;
};

function logRun(path: string): void {
  const { config } = loadConfig({ cwd: path });
  const run = join(path, 'runs', config.train.run ?? '');
  mkdirSync(join(run, 'checkpoint-2'), { recursive: true });
  const rollouts = config.train.max_rollouts ?? 0;
  const counters = { rollouts, tokens: 0, labels: 0, seconds: 1 };
  const line = { step: 0, average: 0.5, per_prompt: [0, 1], greedy: 0.5, ...counters };
  writeFileSync(join(run, 'evaluations.jsonl'), `${JSON.stringify(line)}\n`);
}

const before: CountBefore = async ({ folder: path }) => ({
  pool_prompts: 10,
  scoring: { rollouts: existsSync(join(path, 'made-by-trace')) ? 30 : 0, tokens: 0 },
  probes: { rollouts: 0, tokens: 0 },
  seconds: 0,
  labels: 0,
});

function plan(changed: object = {}) {
  const file = join(folder, 'bench.yaml');
  writeFileSync(file, stringify({ ...matrix, ...changed }));
  return planOf(readMatrix(file), [], folder);
}

function run(changed: object = {}, more: Partial<BenchRun> = {}) {
  return runBench(plan(changed), {
    ...{ out: join(folder, 'out'), workers: 2, threads: 1, redo: false },
    ...{ runVerb: verb, countBefore: before, progress: silent, note: () => {} },
    stop: new AbortController().signal,
    ...more,
  });
}

test('every cell runs its verbs in order, after the stage that it begins with', async () => {
  expect(await run()).toEqual([]);
  expect([...called].sort()).toEqual(
    [1, 2]
      .flatMap((seed) => [
        `cells/pool/full/${seed} pool`,
        `cells/pool/full/${seed} train`,
        `cells/pool/pivots/${seed} train`,
        `cells/pool/pivots/${seed} triage`,
        `shared/pool/scored/${seed} pool`,
        `shared/pool/scored/${seed} trace`,
      ])
      .sort(),
  );
  for (const seed of [1, 2]) {
    const at = (what: string) => called.indexOf(`${what.replace('#', String(seed))}`);
    expect(at('shared/pool/scored/# trace')).toBeGreaterThan(at('shared/pool/scored/# pool'));
    expect(at('cells/pool/pivots/# triage')).toBeGreaterThan(at('shared/pool/scored/# trace'));
    expect(at('cells/pool/pivots/# train')).toBeGreaterThan(at('cells/pool/pivots/# triage'));
  }
  expect(most).toBe(2);
  // The workspace of the stage is copied, what belongs to the stage itself is not.
  const cell = join(folder, 'out/cells/pool/pivots/1');
  expect(existsSync(join(cell, 'made-by-trace'))).toBe(true);
  expect(readFileSync(join(cell, 'cell.log'), 'utf8')).toBe('triage speaks\ntrain speaks\n');
});

test('training gets what scoring leaves of the budget', async () => {
  const arms = {
    full: { verbs: ['pool', 'train'] },
    pivots: { from: 'scored', verbs: ['triage', 'train'] },
    free: { from: 'scored', verbs: ['train'], count_scoring: false },
  };
  await run({ arms, seeds: [1] });
  const result = (arm: string) => readResult(join(folder, 'out/cells/pool', arm, '1'));
  expect(result('full')?.max_rollouts).toBe(100);
  expect(result('pivots')?.max_rollouts).toBe(70);
  expect(result('free')?.max_rollouts).toBe(100);
  expect(result('pivots')?.evaluations).toMatchObject([{ rollouts: 70, greedy: 0.5 }]);
  // Checkpoints of a finished cell are let go.
  expect(existsSync(join(folder, 'out/cells/pool/full/1/runs/full/checkpoint-2'))).toBe(false);
});

test('where scoring takes the whole budget the cell fails and says so', async () => {
  const failures = await run({ seeds: [1], budget: { rollouts: 30 } });
  expect(failures.map((one) => one.id)).toEqual(['cells/pool/pivots/1']);
  expect(failures[0].text).toContain('30 spent on scoring and probing');
});

test('what is finished is left alone', async () => {
  await run();
  called = [];
  await run();
  expect(called).toEqual([]);
  // A stage that was thrown away is not made again for cells that have their copies.
  rmSync(join(folder, 'out/shared'), { recursive: true });
  rmSync(join(folder, 'out/cells/pool/pivots/1/result.json'));
  await run();
  expect(called).toEqual([]);
  expect(readResult(join(folder, 'out/cells/pool/pivots/1'))).toBeDefined();
});

test('a bench that is stopped ends its verbs and goes on with the first that is missing', async () => {
  const stop = new AbortController();
  const interrupted: RunVerb = async (path, name, signal) => {
    if (id(path) === 'cells/pool/pivots/1' && name === 'train') {
      stop.abort();
      expect(signal.aborted).toBe(true);
      called.push('stopped');
      return 130;
    }
    return verb(path, name, signal);
  };
  await expect(run({}, { runVerb: interrupted, stop: stop.signal, workers: 1 })).rejects.toThrow(
    /The bench was stopped; the same command goes on/,
  );
  expect(called[called.length - 1]).toBe('stopped');
  const first = called;
  called = [];
  await run();
  expect(called.filter((one) => first.includes(one))).toEqual([]);
  expect(called).toContain('cells/pool/pivots/1 train');
  expect(plan().cells.map((cell) => readResult(cell.folder)?.arm)).toEqual([
    'full',
    'pivots',
    'full',
    'pivots',
  ]);
});

test('a cell that fails does not stop the others, and is tried again', async () => {
  const broken: RunVerb = async (path, name, signal) => {
    const code = await verb(path, name, signal);
    return id(path) === 'cells/pool/full/1' && name === 'train' ? 1 : code;
  };
  const failures = await run({}, { runVerb: broken });
  expect(failures).toEqual([
    {
      id: 'cells/pool/full/1',
      text: 'pivottrace train ended with 1. The end of cell.log:\n  | pool speaks\n  | train speaks',
    },
  ]);
  const results = plan().cells.filter((cell) => readResult(cell.folder) !== undefined);
  expect(results).toHaveLength(3);
  called = [];
  expect(await run()).toEqual([]);
  expect(called).toEqual(['cells/pool/full/1 train']);
});

test('cells whose stage fails are not run', async () => {
  const broken: RunVerb = async (path, name, signal) =>
    name === 'trace' ? 1 : verb(path, name, signal);
  const failures = await run({ seeds: [1] }, { runVerb: broken });
  expect(failures.map((one) => one.id).sort()).toEqual([
    'cells/pool/pivots/1',
    'shared/pool/scored/1',
  ]);
  expect(readResult(join(folder, 'out/cells/pool/full/1'))).toBeDefined();
  expect(existsSync(join(folder, 'out/cells/pool/pivots/1'))).toBe(false);
});

test('a fault of ours is passed on when the other verbs have ended', async () => {
  let others = 0;
  const faulty: RunVerb = async (path, name, signal) => {
    if (id(path).startsWith('shared')) throw new TypeError('a fault');
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    others++;
    return verb(path, name, signal);
  };
  await expect(run({}, { runVerb: faulty })).rejects.toThrow('a fault');
  expect(others).toBe(1);
});

test('settings that changed are refused, with the keys, or run again with --redo', async () => {
  await run();
  called = [];
  const changed = { base: { ...matrix.base, 'train.lr': 0.5 } };
  await expect(run(changed)).rejects.toThrow(
    /shared\/pool\/scored\/1: settings\.train\.lr was not set, now 0\.5;.*and 2 more/,
  );
  const arm = { ...matrix.arms, full: { verbs: ['pool', 'train'], set: { 'train.epochs': 2 } } };
  await expect(run({ arms: arm })).rejects.toThrow(/full\/1: settings\.train\.epochs was not set/);
  await expect(run({ budget: { rollouts: 90 } })).rejects.toThrow(
    /budget\.rollouts was 100, now 90/,
  );
  expect(called).toEqual([]);
  await run({ arms: arm }, { redo: true });
  expect(called.map((one) => dirname(one.split(' ')[0])).sort()).toEqual(
    new Array(4).fill('cells/pool/full'),
  );
});

test('a file that changed under the same name is refused too', async () => {
  await run();
  writeFileSync(join(folder, 'test.jsonl'), 'another');
  await expect(run()).rejects.toThrow(/inputs\.eval\.file was /);
});

test('threads may change: results do not depend on them', async () => {
  await run();
  called = [];
  await run({}, { threads: 4 });
  expect(called).toEqual([]);
});

test('a folder that is no cell is refused', async () => {
  mkdirSync(join(folder, 'out/cells/pool/full/1'), { recursive: true });
  await expect(run()).rejects.toThrow(/wanted a folder of this bench, found a folder without/);
});

test('a copy that was cut short is made again', async () => {
  const path = join(folder, 'out/cells/pool/pivots/1.tmp');
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'half'), '');
  await run();
  expect(existsSync(join(folder, 'out/cells/pool/pivots/1/half'))).toBe(false);
  expect(basename(path)).toBe('1.tmp');
  expect(existsSync(path)).toBe(false);
});
