import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { packageRoot } from '../config.ts';

const PROMPTS = 24;
const armSchema = z.object({
  labels_bought: z.number(),
  rollouts: z.number(),
  rollouts_before: z.number(),
  steps: z.number(),
  accuracy: z.number(),
});
const summarySchema = z.object({
  full: armSchema,
  pivots: armSchema,
  seeds: z.number(),
  missing: z.number(),
  failed: z.array(z.string()),
  report: z.string(),
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-bench-verb-'));
  const pool = readFileSync(join(packageRoot, 'data/pool.jsonl'), 'utf8').split('\n');
  writeFileSync(join(folder, 'few.jsonl'), pool.slice(0, PROMPTS).join('\n'));
  writeFileSync(join(folder, 'bench.yaml'), stringify(matrix));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const matrix = {
  name: 'tiny',
  out: 'out',
  base: {
    'pool.files': ['few.jsonl'],
    'label.answers': 'bundled:data/answers.jsonl',
    'rollout.max_tokens': 40,
    'trace.profile_prompts': 4,
    triage: { probe_share: 0.1, probe_samples: 4, resamples: 20 },
    train: { steps: 20, prompts_per_step: 2, group_size: 2 },
    eval: { file: 'bundled:data/test.jsonl', limit: 4, samples: 2 },
  },
  seeds: [1],
  workers: 2,
  reference: 'full',
  shared: { scored: { verbs: ['pool', 'trace'], set: { 'trace.traces_per_prompt': 1 } } },
  arms: {
    full: { title: 'Full supervision', verbs: ['pool', 'train'], set: { 'train.arm': 'full' } },
    pivots: {
      from: 'scored',
      verbs: ['triage', 'label', 'train'],
      set: { 'train.dynamic.enabled': false },
    },
  },
  budget: { rollouts: 44 },
};

function bench(...words: string[]) {
  const bin = join(packageRoot, 'bin/pivottrace.mjs');
  return spawnSync(process.execPath, [bin, 'bench', 'bench.yaml', ...words], {
    cwd: folder,
    encoding: 'utf8',
  });
}

function summary(stdout: string) {
  return summarySchema.parse(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? ''));
}

test('arms are run on equal budgets, everything counted, and compared', () => {
  const ended = bench('--json');
  expect(ended).toMatchObject({ status: 0, stderr: '' });
  const found = summary(ended.stdout);
  expect(found).toMatchObject({ seeds: 1, missing: 0, failed: [] });
  const { full, pivots } = found;
  // A step makes 4 rollouts. One trace of each prompt, 4 for the heads, 3 more of each of 2 probes.
  expect(full).toMatchObject({ rollouts: 44, rollouts_before: 0, steps: 11 });
  expect(full.labels_bought).toBe(PROMPTS);
  expect(pivots.rollouts_before).toBe(PROMPTS + 4 + 2 * 3);
  expect(pivots.rollouts).toBeGreaterThanOrEqual(44);
  expect(pivots.rollouts).toBeLessThan(44 + 4);
  expect(pivots.labels_bought).toBe(Math.round(0.293 * PROMPTS));

  const out = join(folder, 'out');
  expect(readFileSync(join(out, 'bench.html'), 'utf8')).toContain('Full supervision');
  expect(readFileSync(join(out, 'bench.md'), 'utf8')).toContain('pivottrace bench bench.yaml');
  expect(JSON.parse(readFileSync(join(out, 'bench.json'), 'utf8'))).toMatchObject({ budget: 44 });
  const cell = join(out, 'cells/pool/pivots/1');
  expect(readFileSync(join(cell, 'pivottrace.yaml'), 'utf8')).toContain('max_rollouts: 10');
  expect(existsSync(join(cell, 'runs/pivots/final/model.safetensors'))).toBe(true);

  // What is there is not run again, only read.
  const again = bench('--json', '--report');
  expect(summary(again.stdout)).toEqual(found);
  const changed = bench('train.lr=0.5');
  expect(changed.status).toBe(1);
  expect(changed.stderr).toContain('settings.train.lr was not set, now 0.5');
}, 600_000);

test('what is asked for wrongly is refused', () => {
  expect(bench('--only', 'ful')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('wanted arms of the bench file (full, pivots) for --only'),
  });
}, 120_000);
