/** A pool of two sources whose answers are judged by two kinds of verifiers: tracing, probes, training, evaluation. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silent } from '../../core/progress.ts';
import { openStore } from '../../store/store.ts';
import type { Store } from '../../store/types.ts';
import { inlineVerifier } from '../../verify/testing/inline.ts';
import { type Config, loadConfig } from '../config.ts';
import { withPolicy } from './policy.ts';
import { ingestFiles } from './pool.ts';
import { measureProbes } from './probes.ts';
import { tracePool } from './trace.ts';
import { trainRun } from './train.ts';
import { verifierByPrompt, withVerifiers } from './workspace.ts';

/** Whatever the model says is right for the source "kind", and wrong for all others. */
const MODULE = "export default () => true; export const extract = () => 'from the module';";
const ROWS = [
  { id: 'a', prompt: 'start 3 add 4', answer: 'nobody says this', source: 'strict' },
  { id: 'b', prompt: 'start 5 add 2', answer: 'nobody says this', source: 'kind' },
];

const OVERRIDES = [
  'verify={kind: text, sources: {kind: {kind: module, module: {path: yes.mjs}}}}',
  ...['rollout.max_tokens=8', 'trace.profile_prompts=2', 'trace.traces_per_prompt=1'],
  ...['train.arm=full', 'train.steps=1', 'train.prompts_per_step=2', 'train.group_size=2'],
  ...['eval.file=two.jsonl', 'eval.samples=2', 'eval.every=1'],
];

let workspace: string;
let store: Store;
let config: Config;
const stop = new AbortController().signal;

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'pivottrace-sources-'));
  writeFileSync(join(workspace, 'yes.mjs'), MODULE);
  writeFileSync(join(workspace, 'two.jsonl'), ROWS.map((row) => JSON.stringify(row)).join('\n'));
  config = loadConfig({ cwd: workspace, overrides: OVERRIDES }).config;
  store = await openStore(workspace);
  const files = [join(workspace, 'two.jsonl')];
  await ingestFiles({ store, config, files, progress: silent, stop });
}, 240_000);
afterAll(async () => {
  await store.close();
  rmSync(workspace, { recursive: true, force: true });
});

test('each prompt is judged by the verifier of its source, from tracing to the last evaluation', async () => {
  const { directory } = await withVerifiers(config, async (verifiers) => {
    const stage = { store, config, verifiers, progress: silent, stop };
    await withPolicy(config, (policy) => tracePool({ ...stage, policy, round: 0 }));
    return await trainRun({ ...stage, sharing: 1 });
  });
  const traced = await store.rollouts.of(0, ['a', 'b']);
  const answers = new Map(traced.map(({ promptId, answer }) => [promptId, answer]));
  expect(answers.get('a')).not.toBe('from the module');
  expect(answers.get('b')).toBe('from the module');

  const logged = (name: string) =>
    readFileSync(join(directory, name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  expect(logged('metrics.jsonl')).toMatchObject([{ step: 1, groups_verified: 2, reward: 0.5 }]);
  expect(logged('evaluations.jsonl')).toMatchObject([
    { step: 0, per_prompt: [0, 1], greedy: 0.5 },
    { step: 1, per_prompt: [0, 1], greedy: 0.5 },
  ]);
}, 240_000);

test('a run without labels sees none, whosever account it is told to use', async () => {
  const without = loadConfig({
    cwd: workspace,
    overrides: [...OVERRIDES, 'train.arm=majority', 'label.account=run full'],
  }).config;
  expect(await store.labels.count('run full')).toBe(2);
  const { directory } = await withVerifiers(without, (verifiers) =>
    trainRun({ store, config: without, verifiers, progress: silent, stop, sharing: 1 }),
  );
  const metrics: unknown = JSON.parse(readFileSync(join(directory, 'metrics.jsonl'), 'utf8'));
  expect(metrics).toMatchObject({ groups_verified: 0, groups_majority: 2, labels_used: 0 });
}, 240_000);

test('probes are measured by the verifier of their source', async () => {
  const [text, number] = [
    await inlineVerifier({ kind: 'text' }),
    await inlineVerifier({ kind: 'number' }),
  ];
  const of = (source?: string) => (source === 'kind' ? number : text);
  const verifierOf = verifierByPrompt({ of }, await store.prompts.list());
  const labels = ['a', 'b'].map((promptId) => ({ promptId, answer: '0.5' }));
  const rollouts = ['a', 'b'].flatMap((promptId) =>
    ['1/2', '1/2'].map((said) => ({ promptId, text: `\\boxed{${said}}` })),
  );
  expect(await measureProbes(labels, rollouts, verifierOf)).toEqual([
    { promptId: 'a', passRate: 0, voteRight: false },
    { promptId: 'b', passRate: 1, voteRight: true },
  ]);
  expect(() => verifierOf('c')).toThrow('not in the pool');
});
