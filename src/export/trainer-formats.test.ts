import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { exportRun } from './export.ts';
import { manifestSchema } from './manifest.ts';
import { hostile, smallJob } from './testing/job.ts';
import { trainers } from './types.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-formats-'));
  for (const trainer of trainers) exportRun(smallJob(trainer, join(folder, trainer)));
  exportRun(smallJob('trl', join(folder, 'trl-live'), 'live'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = (...parts: string[]) => readFileSync(join(folder, ...parts), 'utf8');
async function rowsOf(...parts: string[]): Promise<Record<string, unknown>[]> {
  const bytes = readFileSync(join(folder, ...parts));
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return await parquetReadObjects({ file, compressors });
}

/** Half a surrogate pair is no text for UTF-8. */
const written = hostile.replace('\ud800', '\ufffd');

const verified = { label: 'verified', labeled: true, weight: 1 };
const noVote = { vote_share: null, votes: null, vote_samples: null, vote_class: null };
const vote = { vote_share: 0.75, votes: 3, vote_samples: 4, vote_class: 1 };
const own = { source: 'check', route: 'annotate' };
const byVote = { source: 'check', route: 'self', label: 'majority', labeled: false, weight: 1 };
const asks = (content: string) => [{ role: 'user', content }];

it('gives verl its columns with real nested types, and a data source of our own', async () => {
  const row = (content: string, answer: string, index: bigint, info: object) => ({
    ...{ data_source: 'pivottrace', prompt: asks(`${content}?`), ability: 'reasoning' },
    reward_model: { style: 'rule', ground_truth: answer },
    extra_info: { split: 'train', index, id: content, ...info },
  });
  expect(await rowsOf('verl', 'train.parquet')).toEqual([
    row('sum', '1/2', 0n, { ...own, ...verified, ...noVote }),
    row(written, written, 1n, { ...own, ...verified, ...noVote }),
    row('product', '12', 2n, { ...byVote, ...vote }),
    row('root', '\\sqrt{2}', 3n, { ...byVote, ...vote }),
  ]);
  expect(await rowsOf('verl', 'val.parquet')).toMatchObject([
    { reward_model: { ground_truth: '4' }, extra_info: { split: 'val', index: 0n, id: 'held' } },
  ]);
});

it('gives TRL a prompt and columns, and the vote of the group where it is counted as it trains', async () => {
  expect(await rowsOf('trl', 'train.parquet')).toEqual([
    { prompt: asks('sum?'), answer: '1/2', id: 'sum', ...own, ...verified, ...noVote },
    { prompt: asks(`${written}?`), answer: written, id: written, ...own, ...verified, ...noVote },
    { prompt: asks('product?'), answer: '12', id: 'product', ...byVote, ...vote },
    { prompt: asks('root?'), answer: '\\sqrt{2}', id: 'root', ...byVote, ...vote },
  ]);
  const live = await rowsOf('trl-live', 'train.parquet');
  expect(live.map(({ id, label, answer }) => [id, label, answer]).slice(2)).toEqual([
    ['product', 'group', '12'],
    ['root', 'group', '\\sqrt{2}'],
    ['split', 'group', null],
  ]);
  expect(JSON.parse(text('trl-live', 'config.json'))).toMatchObject({ votes: 'live' });
});

it('gives OpenRLHF an input and a label that holds all that its reward is told', async () => {
  const rows = await rowsOf('openrlhf', 'train.parquet');
  expect(rows[0]).toEqual({
    ...{ input: asks('sum?'), datasource: 'pivottrace' },
    label:
      '{"id":"sum","source":"check","route":"annotate","label":"verified","answer":"1/2","weight":1}',
  });
  expect(JSON.parse(String(rows[1].label))).toMatchObject({ id: written, answer: written });
});

it('gives plain lines to everybody else', () => {
  const lines = text('jsonl', 'train.jsonl').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { id: 'sum', prompt: 'sum?', answer: '1/2', ...verified },
    { id: written, prompt: `${written}?`, answer: written },
    { id: 'product', answer: '12', ...vote },
    { id: 'root' },
  ]);
});

it('tells how answers are judged, for the kinds that Python judges', () => {
  const settings = JSON.parse(text('verl', 'reward.json'));
  expect(settings).toMatchObject({
    common: { kind: 'auto', relative: '0', unmarked: 'conclusion' },
    ...{ sources: {}, undecided: 'zero', min_vote_share: 0.75, min_votes: 2 },
  });
  expect(readdirSync(join(folder, 'jsonl'))).not.toContain('reward.json');
});

it('counts what went where, in the manifest and in the ledger', () => {
  const manifest = manifestSchema.parse(JSON.parse(text('verl', 'manifest.json')));
  expect(manifest).toMatchObject({
    ...{ to: 'verl', entrypoint: 'bash launch.sh', votes: 'frozen' },
    plan: { name: 'main', revision: 1, round: 0 },
    counts: {
      ...{ pool: 6, train: 4, val: 1, routes: { annotate: 2, self: 2 } },
      ...{ labels: { majority: 2, verified: 2 }, verifiers: { auto: 4 } },
      left_out: { discarded: 1, no_majority: 1 },
    },
  });
  const lines = text('verl', 'routes.jsonl').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { id: 'sum', label: 'verified', left_out: null },
    { id: written },
    { id: 'product', label: 'majority', vote: { share: 0.75, samples: 4 } },
    { id: 'root' },
    { id: 'split', left_out: 'no_majority', sha256: null },
    { id: 'easy', left_out: 'discarded' },
  ]);
});

it('sets verl up with numbers that YAML 1.1 reads as numbers too', () => {
  expect(text('verl', 'config.yaml')).toContain('lr: 1.0e-7');
  const settings = parse(text('verl', 'config.yaml'));
  expect(settings).toMatchObject({
    data: { train_batch_size: 4, max_prompt_length: 64, max_response_length: 128 },
    algorithm: { adv_estimator: 'grpo', norm_adv_by_std_in_grpo: true },
    actor_rollout_ref: { actor: { optim: { lr: 1e-7 }, clip_ratio_high: 0.28 }, rollout: { n: 8 } },
  });
});

describe.each(trainers)('%s', (trainer) => {
  it('has nothing of prompts, ids and answers in anything but data', () => {
    const code = readdirSync(join(folder, trainer)).filter((name) => !/parquet$|jsonl$/.test(name));
    for (const name of code) {
      expect(text(trainer, name), name).not.toMatch(/was-here|product\?|2 \+ 2|sqrt\{2\}/);
    }
  });
});

it('says what a trainer cannot carry', () => {
  const base = smallJob('verl', join(folder, 'notes'));
  const job = {
    ...base,
    chat: 'text' as const,
    rules: { ...base.rules, selfWeight: 0.5 },
    numbers: { ...base.numbers, promptsPerStep: 16, minP: 0.1 },
  };
  expect(exportRun(job).manifest.notes).toEqual([
    expect.stringMatching(/weigh 0.5.*takes it out again/),
    'A step has 4 prompts instead of 16: there are no more.',
    expect.stringContaining('chat template'),
    'rollout.min_p is not carried over.',
  ]);
});

it('refuses to export nothing, and says why nothing is left', () => {
  const base = smallJob('verl', join(folder, 'nothing'));
  const code = { common: { kind: 'code' }, sources: {} };
  expect(() => exportRun({ ...base, specs: code })).toThrow(
    /none: 1 discarded, 5 unsupported verifier/,
  );
  expect(
    exportRun({ ...smallJob('jsonl', join(folder, 'code')), specs: code }).manifest.counts.train,
  ).toBe(4);
});
