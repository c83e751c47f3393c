import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadConfig, packageRoot } from '../../config.ts';
import { planOf } from './jobs.ts';
import { readMatrix } from './matrix.ts';
import { cellFile } from './settings.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-bench-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const small = {
  name: 'small',
  out: 'out',
  base: { 'eval.file': 'test.jsonl', 'train.lr': 1e-4, 'pool.files': ['pool.jsonl'] },
  seeds: [1, 2],
  reference: 'full',
  arms: { full: { verbs: ['pool', 'train'], set: { 'train.arm': 'full' } } },
};

function read(matrix: unknown) {
  return readText(typeof matrix === 'string' ? matrix : stringify(matrix));
}

function readText(text: string) {
  const file = join(folder, 'bench.yaml');
  writeFileSync(file, text);
  return readMatrix(file);
}

function plan(matrix: unknown, overrides: string[] = [], cwd = folder) {
  return planOf(read(matrix), overrides, cwd);
}

test('a small matrix has a cell for every seed, with settings that load', () => {
  const { cells, shared } = plan(small);
  expect(shared).toEqual([]);
  expect(cells.map(({ id }) => id)).toEqual(['cells/pool/full/1', 'cells/pool/full/2']);
  const [{ values, folder: cell, verbs, budget }] = cells;
  expect(verbs).toEqual(['pool', 'train']);
  expect(budget).toBeNull();
  // Paths are relative to the folder of the cell, so that a bench can be moved.
  expect(values).toEqual({
    workspace: '.',
    seed: 1,
    'eval.file': '../../../../../test.jsonl',
    'train.lr': 1e-4,
    'pool.files': ['../../../../../pool.jsonl'],
    'train.run': 'full',
    'train.arm': 'full',
  });
  const written = join(folder, 'pivottrace.yaml');
  writeFileSync(written, cellFile(values));
  const { config } = loadConfig({ cwd: cell, file: written });
  expect(config.train).toMatchObject({ lr: 1e-4, arm: 'full', run: 'full' });
  expect(config.seed).toBe(1);
});

test('layers are base, pool, shared stage, arm, command line; groups and dotted keys are one', () => {
  const matrix = {
    ...small,
    seeds: [7],
    base: { 'eval.file': 'test.jsonl', train: { lr: 1, steps: 1, epochs: 1, keep: 1, kl: 1 } },
    pools: { a: { title: 'A', redundancy: 0.4, 'train.steps': 2, train: { epochs: 2 } }, b: null },
    shared: { scored: { verbs: ['pool', 'trace'], set: { 'train.epochs': 3, 'train.keep': 3 } } },
    arms: {
      full: { from: 'scored', verbs: ['train'], set: { 'train.keep': 4, 'train.kl': 4 } },
      other: { verbs: ['pool', 'train'], pools: ['a', 'b'] },
    },
    budget: { rollouts: 100 },
  };
  const { cells, shared } = plan(matrix, ['train.kl=5']);
  expect(cells.map(({ id }) => id)).toEqual([
    'cells/a/full/7',
    'cells/a/other/7',
    'cells/b/other/7',
  ]);
  expect(shared.map(({ id }) => id)).toEqual(['shared/a/scored/7']);
  expect(cells[0].from).toBe(shared[0]);
  expect(cells[0].values).toMatchObject({
    'train.lr': 1,
    'train.steps': 2,
    'train.epochs': 3,
    'train.keep': 4,
    'train.kl': 5,
  });
  expect(shared[0].values).toMatchObject({ 'train.epochs': 3, 'train.keep': 3, 'train.kl': 5 });
  expect(cells[2].values).toMatchObject({ 'train.steps': 1, 'train.epochs': 1, 'train.kl': 5 });
  expect(cells[0].budget).toEqual({ rollouts: 100, countScoring: true });
});

test('paths of the command line start where it was typed', () => {
  const { cells } = plan(small, ['eval.file=x.jsonl'], join(folder, 'elsewhere'));
  expect(cells[0].values['eval.file']).toBe('../../../../../elsewhere/x.jsonl');
  expect(plan(small, ['model=bundled:models/reasoner']).cells[0].values.model).toBe(
    'bundled:models/reasoner',
  );
});

const wrong: [string, unknown, RegExp][] = [
  [
    'a key that there is not',
    { ...small, arm: {} },
    /bench\.yaml:\d+:1: wanted one of name, out.*found "arm"\. Did you mean "arms"\?/,
  ],
  [
    'a setting that there is not',
    { ...small, base: { 'train.lrr': 1 } },
    /bench\.yaml:\d+:3: wanted a known setting of "train", found "train\.lrr"\. Did you mean "train\.lr"\?/,
  ],
  [
    'a setting of the wrong kind',
    { ...small, base: { ...small.base, 'train.lr': 'fast' } },
    /bench\.yaml:\d+:3: wanted a number of at least 0 for "train\.lr", found the text "fast"/,
  ],
  ['a setting that is ours', { ...small, base: { seed: 3 } }, /found "seed".*under `seeds`/],
  ['seeds twice', { ...small, seeds: [1, 1] }, /bench\.yaml:\d+:1: wanted seeds that differ/],
  ['no seeds', { ...small, seeds: [] }, /wanted at least one seed/],
  ['no arms', { ...small, arms: {} }, /wanted at least one arm/],
  ['a verb that there is not', arms({ verbs: ['pool', 'run'] }), /wanted one of pool, trace/],
  ['an arm without training', arms({ verbs: ['pool'] }), /wanted verbs with `train` among them/],
  ['a name that is no name', { ...small, name: 'a b' }, /wanted a name of letters.* for "name"/],
  ['an arm with no name', { ...small, arms: { 'a/b': small.arms.full } }, /a name of letters/],
  [
    'a reference that is no arm',
    { ...small, reference: 'ful' },
    /wanted the name of an arm \(full\), found "ful"\. Did you mean "full"\?/,
  ],
  ['a random that is no arm', { ...small, random: 'r' }, /wanted the name of an arm/],
  ['a stage that there is not', arms({ verbs: ['train'], from: 's' }), /shared stage.*found "s"/],
  ['a pool that there is not', arms({ verbs: ['train'], pools: ['p'] }), /a pool.*found "p"/],
  [
    'an arm that hides a figure',
    { ...small, arms: { ...small.arms, seeds: small.arms.full } },
    /found "seeds"/,
  ],
  ['no test set', { ...small, base: {} }, /wanted held-out questions \(eval\.file\)/],
  ['a budget of nothing', { ...small, budget: { rollouts: 0 } }, /wanted at least 1 rollout/],
  ['no YAML', 'a: [', /bench\.yaml:1:\d+: wanted valid YAML/],
];

function arms(full: Record<string, unknown>) {
  return { ...small, arms: { full } };
}

test.each(wrong)('%s is refused with its place', (_, matrix, message) => {
  expect(() => plan(matrix)).toThrow(message);
});

test('the file in the guide is one', () => {
  const guide = readFileSync(join(packageRoot, 'docs/guide/bench.md'), 'utf8');
  const [, text] = /```yaml\n([\s\S]*?)```/.exec(guide) ?? [];
  const { cells, shared } = planOf(readText(text), [], folder);
  expect(cells.map(({ id }) => id)).toContain('cells/small/pivots/105');
  expect(cells).toHaveLength(5 * 5);
  expect(shared).toHaveLength(2 * 5);
});

test('overrides that name no setting, or one of ours, are refused', () => {
  expect(() => plan(small, ['train.lrr=1'])).toThrow(/Did you mean "train\.lr"/);
  expect(() => plan(small, ['workspace=x'])).toThrow(/found "workspace"/);
});

test('a file that is not there is refused', () => {
  expect(() => readMatrix(join(folder, 'no.yaml'))).toThrow(/a readable bench file, found ENOENT/);
});

test('what is written reads back', () => {
  const [{ values }] = plan({ ...small, base: { ...small.base, 'train.betas': [0.8, 0.9] } }).cells;
  expect(parse(cellFile(values)).train.betas).toEqual([0.8, 0.9]);
});
