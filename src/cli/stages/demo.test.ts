import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../config.ts';

const PROMPTS = 48;
const resultSchema = z.object({
  file: z.string(),
  comparison: z.object({
    reference: z.string(),
    arms: z.array(
      z.object({
        id: z.string(),
        kind: z.string(),
        labelsUsed: z.number(),
        trainedPrompts: z.number(),
        steps: z.number(),
        rollouts: z.number(),
        avgAtK: z.object({ value: z.number() }),
      }),
    ),
  }),
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-demo-'));
  const pool = readFileSync(join(packageRoot, 'data/pool.jsonl'), 'utf8').split('\n');
  writeFileSync(join(folder, 'few.jsonl'), pool.slice(0, PROMPTS).join('\n'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function demo() {
  const small = [
    'pool.files=[few.jsonl]',
    'rollout.max_tokens=60',
    'trace.profile_prompts=8',
    'trace.traces_per_prompt=2',
    'triage.probe_share=0.1',
    'triage.probe_samples=4',
    'triage.resamples=20',
    'train.steps=2',
    'train.max_rollouts=null',
    'train.prompts_per_step=2',
    'train.group_size=2',
    'eval.limit=5',
    'eval.samples=2',
    'eval.every=1',
  ];
  const bin = join(packageRoot, 'bin/pivottrace.mjs');
  const ended = spawnSync(process.execPath, [bin, 'demo', '--json', ...small], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(ended).toMatchObject({ status: 0, stderr: '' });
  const last = ended.stdout.trimEnd().split('\n').at(-1) ?? '';
  return resultSchema.parse(JSON.parse(last));
}

test('the demo trains every arm, counts what each spent, and does nothing again', () => {
  const { file, comparison } = demo();
  const { arms } = comparison;
  expect(arms.map(({ kind }) => kind)).toEqual([
    'base',
    'pivottrace',
    'pivottrace',
    'full',
    'random',
  ]);
  const [, routed, pivot, full, random] = arms;
  expect(comparison.reference).toBe(full.id);
  expect(arms.slice(1).map(({ steps }) => steps)).toEqual([2, 2, 2, 2]);

  // The default quota, the probes among the annotated.
  const annotated = Math.round(0.293 * PROMPTS);
  expect([pivot, full, random].map(({ labelsUsed }) => labelsUsed)).toEqual([
    annotated,
    PROMPTS,
    annotated,
  ]);
  // One label at most for each of the 4 groups.
  expect(routed.labelsUsed).toBeLessThanOrEqual(4);
  expect(full.trainedPrompts).toBe(PROMPTS);
  expect(pivot.trainedPrompts).toBeLessThan(PROMPTS);
  expect(random.trainedPrompts).toBe(pivot.trainedPrompts);

  // 2 steps of 2 groups of 2; two traces of every prompt, 8 for the heads, 2 more of each of 5 probes.
  expect(full.rollouts).toBe(8);
  // Nothing is scored; the heads were chosen before.
  expect(routed.rollouts).toBe(8);
  expect(random.rollouts).toBe(8);
  expect(pivot.rollouts).toBe(8 + 2 * PROMPTS + 8 + 2 * 5);

  const page = readFileSync(file, 'utf8');
  expect(page).toContain('Random triage');
  expect(existsSync(join(folder, 'pivottrace-demo/pivottrace.yaml'))).toBe(true);
  expect(demo().comparison).toEqual(comparison);
}, 600_000);
