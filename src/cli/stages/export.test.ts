/** From a workspace to a folder: the plan's routes as they stand, labels of its account, votes of its round. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { manifestSchema } from '../../export/manifest.ts';
import type { Trainer } from '../../export/types.ts';
import { openStore } from '../../store/store.ts';
import type { Store, StoredRollout } from '../../store/types.ts';
import { planToJson } from '../../triage/disk.ts';
import { planTriage } from '../../triage/plan.ts';
import type { PromptState } from '../../triage/types.ts';
import { type Config, loadConfig } from '../config.ts';
import { exportPool } from './export.ts';

let workspace: string;
let store: Store;

const states: Record<string, PromptState> = {
  bought: 'annotated',
  waiting: 'annotate',
  self: 'self',
  split: 'self',
  mastered: 'discard',
};

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'pivottrace-export-'));
  const held = { id: 'h', prompt: '2 + 2?', answer: '4' };
  writeFileSync(join(workspace, 'held.jsonl'), JSON.stringify(held));
  store = await openStore(workspace);
  const ids = Object.keys(states);
  await store.prompts.add(
    ids.map((id) => ({ id, prompt: `${id}?`, source: 'sums', metadata: {} })),
  );
  await store.rollouts.put(0, ids.flatMap(rolloutsOf));
  const scores = ids.map((promptId, i) => ({ promptId, value: i }));
  const plan = planTriage({ name: 'main', scores: { estimator: 'length', scores }, probes: [] });
  await store.plans.save('main', planToJson(plan));
  await store.transitions.append(
    ids.map((promptId) => ({
      ...{ promptId, from: 'new' as const, to: states[promptId], rule: 'test', evidence: {} },
      ...{ plan: 'main', round: 0, step: null },
    })),
  );
  await buy('main', 'bought', '5');
  await buy('main', 'bought', 'a later one', 'another person');
  await buy('elsewhere', 'waiting', '9');
});
afterAll(async () => {
  await store.close();
  rmSync(workspace, { recursive: true, force: true });
});

/** Four rollouts; three of a prompt agree, but for `split`. */
function rolloutsOf(promptId: string): StoredRollout[] {
  const classes = promptId === 'split' ? [0, 0, 1, 1] : [0, 1, 1, 1];
  return classes.map((answerClass, sample) => ({
    ...{ promptId, sample, answerClass, answer: String(answerClass), text: '', finish: 'stop' },
    ...{ tokens: new Int32Array(3), length: 3, promptLength: 100, meanEntropy: 0, maxEntropy: 0 },
    ...{ meanSelfCertainty: 0, meanLogprob: 0 },
  }));
}

async function buy(account: string, promptId: string, answer: string, source = 'file') {
  const label = { promptId, answer, source, cost: 1, noisy: false, run: null, step: null };
  await store.labels.add(account, [label]);
}

function configOf(...overrides: string[]): Config {
  const own = [`workspace=${workspace}`, 'eval.file=held.jsonl', ...overrides];
  return loadConfig({ cwd: workspace, overrides: own }).config;
}

async function run(trainer: Trainer, config = configOf()) {
  const { text, data } = await exportPool(store, config, {
    ...{ trainer, votes: 'frozen', keepDiscarded: false },
  });
  return { text, manifest: manifestSchema.parse(data.manifest) };
}

function rows(): Record<string, unknown>[] {
  const path = join(workspace, 'exports', 'jsonl', 'train.jsonl');
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('takes routes, labels of the account, votes of the round and held-out prompts', async () => {
  const { text, manifest } = await run('jsonl');
  expect(rows()).toMatchObject([
    { id: 'bought', answer: '5', label: 'verified', route: 'annotate', weight: 1 },
    { id: 'self', answer: '1', label: 'majority', route: 'self', vote_share: 0.75, vote_class: 1 },
  ]);
  expect(manifest).toMatchObject({
    plan: { name: 'main', revision: 1, round: 0, account: 'main' },
    counts: {
      ...{ pool: 5, train: 2, val: 1 },
      left_out: { discarded: 1, no_majority: 1, unlabelled: 1 },
    },
  });
  expect(text).toContain('2 prompts to train on: 1 with a label, 1 by vote; 1 prompt held out.');
  expect(text).toContain('1 discarded by the plan; 1');
});

test('follows label.when_missing, train.self_weight and another account', async () => {
  await run('jsonl', configOf('label.when_missing=self', 'train.self_weight=0.25'));
  expect(rows()).toMatchObject([
    { id: 'bought', weight: 1 },
    { id: 'waiting', answer: '1', label: 'majority', weight: 0.25 },
    { id: 'self', weight: 0.25 },
  ]);
  await run('jsonl', configOf('label.account=elsewhere'));
  expect(rows().map(({ id }) => id)).toEqual(['waiting', 'self']);
});

test('writes for verl the numbers of the settings, and room for the longest prompt', async () => {
  const { manifest, text } = await run('verl', configOf('train.group_size=6', 'rollout.top_k=20'));
  const settings = readFileSync(join(workspace, 'exports', 'verl', 'config.yaml'), 'utf8');
  expect(settings).toMatch(/max_prompt_length: 128\n/);
  expect(settings).toMatch(/n: 6\n {4}temperature: 1\n {4}top_k: 20\n/);
  expect(manifest.model.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(text).toContain('then bash launch.sh there.');
  expect((await run('verl', configOf('train.group_size=6', 'rollout.top_k=20'))).text).toContain(
    'nothing was written',
  );
});

test('wants a plan', async () => {
  await expect(run('verl', configOf('triage.plan=none'))).rejects.toThrow(/only main/);
});
