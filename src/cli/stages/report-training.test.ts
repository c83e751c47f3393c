import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../store/store.ts';
import type { Store } from '../../store/types.ts';
import { configSchema } from '../config/schema.ts';
import { comparisonTable } from './comparison-table.ts';
import type { Trained } from './report.ts';
import { trainedReport } from './report-training.ts';

const config = (workspace: string) => configSchema.parse({ workspace });
const LINE = {
  reward: 0.5,
  frac_reward_zero_std: null,
  entropy: 0.1,
  'completions/mean_length': 20,
};
let workspace: string;
let store: Store;
let trained: Trained;

/** Writes a run that learns 4 test prompts; `right` is the share per prompt at steps 0, 10, 20. */
async function addRun(name: string, arm: string, right: number[][], labels: string[]) {
  const settings = config(workspace);
  const train = { ...settings.train, arm, steps: 20 };
  const run = { name, kind: `train ${arm}`, status: 'done', plan: null } as const;
  const account = `run ${name}`;
  await store.runs.put({ ...run, account, config: { ...settings, train }, summary: null });
  const bought = { answer: '1', source: 'file', cost: 1, noisy: false, run: null, step: null };
  await store.labels.add(
    account,
    labels.map((promptId) => ({ promptId, ...bought })),
  );
  const evaluations = right.map((perPrompt, i) => ({
    step: 10 * i,
    average: perPrompt.reduce((sum, x) => sum + x, 0) / perPrompt.length,
    per_prompt: perPrompt,
    greedy: i === 1 ? null : 0.5,
    rollouts: 640 * i,
    tokens: 10_000 * i,
    labels: i === 0 ? 0 : labels.length,
    seconds: 3 * i,
  }));
  const metrics = [10, 20].map((step) => ({
    ...{ ...LINE, step, rollouts: 64 * step, num_tokens: 1000 * step, seconds: 3 },
    labels_used: labels.length,
  }));
  const folder = join(workspace, 'runs', name);
  mkdirSync(folder, { recursive: true });
  const lines = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  writeFileSync(join(folder, 'evaluations.jsonl'), `${lines(evaluations)}{"step":`);
  writeFileSync(join(folder, 'metrics.jsonl'), lines(metrics));
}

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'pivottrace-trained-'));
  store = await openStore(workspace);
  const ids = ['a', 'b', 'c'];
  await store.prompts.add(
    ids.map((id) => ({ id, prompt: `${id}?`, source: 'test', metadata: {} })),
  );
  const start = [0, 0, 0.5, 0.5];
  await addRun('full', 'full', [start, [0.5, 0.5, 0.5, 0.5], [1, 0.5, 1, 0.5]], ids);
  await addRun('majority', 'majority', [start, [1, 1, 0.5, 0.5], [0.5, 0.5, 0.5, 0.25]], []);
  trained = await trainedReport(store, config(workspace));
}, 600_000);
afterAll(async () => {
  await store.close();
  rmSync(workspace, { recursive: true, force: true });
});

test('arms stand beside the base and full supervision, paired by test prompt', () => {
  const arms = trained.comparison?.arms ?? [];
  expect(arms.map(({ kind, label }) => [kind, label])).toEqual([
    ['base', 'Base policy'],
    ['full', 'Full supervision'],
    ['other', 'Majority vote only'],
  ]);
  const [base, full, majority] = arms;
  expect(trained.comparison).toMatchObject({ reference: 'full', testPrompts: 4, poolPrompts: 3 });
  expect(base).toMatchObject({ avgAtK: { value: 0.25 }, versusReference: { value: -0.5 } });
  expect(full).toMatchObject({ labelsUsed: 3, trainedPrompts: 3, versusReference: null });
  // Half-right greedy answers of 4 prompts: t interval of 1, 1, 0, 0.
  expect(full.greedy?.low).toBeCloseTo(0.5 - 3.182446 * Math.sqrt(1 / 3 / 4), 5);
  expect(majority).toMatchObject({ labelsUsed: 0, trainedPrompts: 3, steps: 20, rollouts: 1280 });
  // Differences -0.5, 0, -0.5, -0.25.
  expect(majority.versusReference?.value).toBeCloseTo(-0.3125, 12);
  expect(majority.pivotTraceLead).toBeNull();
});

test('full accuracy is reached at the first evaluation at or above it', () => {
  const [base, full, majority] = trained.comparison?.arms ?? [];
  expect(base.reached).toBeNull();
  expect(full.reached).toEqual({ steps: 20, rollouts: 1280 });
  // It had it at step 10 and lost it again.
  expect(majority.reached).toEqual({ steps: 10, rollouts: 640 });
});

test('curves start with the labels that were bought before', () => {
  const full = trained.training?.find(({ id }) => id === 'full');
  expect(full?.evaluations.map(({ labelsUsed }) => labelsUsed)).toEqual([3, 3, 3]);
  expect(full?.steps.map(({ step, fracRewardZeroStd }) => [step, fracRewardZeroStd])).toEqual([
    [10, null],
    [20, null],
  ]);
  expect(trained.routing).toBeNull();
});

test('the table for the terminal has a line per arm', () => {
  const { comparison } = trained;
  const lines = comparison === null ? [] : comparisonTable(comparison).split('\n');
  expect(lines).toHaveLength(5);
  expect(lines[4]).toMatch(/^Majority vote only +43\.8 .* 0 +0\.0 +20 +1280 +10 +640$/);
});
