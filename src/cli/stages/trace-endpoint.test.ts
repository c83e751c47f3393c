/** `trace --engine endpoint` from the settings to the plan, against a server on this machine. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type TinyModel, tinyModel } from '../../../test/reference/tiny-directory.ts';
import { silent } from '../../core/progress.ts';
import {
  answer,
  chatReply,
  type Mood,
  type Said,
  type Stub,
  type StubCall,
  startStub,
} from '../../endpoint/testing/stub.ts';
import { withStore } from '../../store/testing/with-store.ts';
import { type Config, loadConfig } from '../config.ts';
import { trace } from '../verbs/trace.ts';
import { triage } from '../verbs/triage.ts';
import { observePool, traceManifest } from './observations.ts';
import { ingestFiles } from './pool.ts';
import { nothingTrained, reportData } from './report.ts';

const PROMPTS = 12;
const SAMPLES = 2;
/** A workspace with the prompts, which every test gets a copy of. */
let pool: string;
let workspace: string;
let model: TinyModel;
let stub: Stub;
let said: { text: string; data: Record<string, unknown> };
let notes: string[];

/** Every response says the sum, and is the less sure the larger it is; another seed gives another text. */
const sums: Mood = (response, { body }) => {
  const sum = sumOf(body);
  const doubt = sum / 20;
  const one = (i: number): Said => ({
    text: `After ${(body.seed ?? 0) + i} steps the answer is ${sum}`,
    logprobs: [-0.1, -doubt, -doubt],
    top: [
      [-0.1, -3],
      [-doubt, -3],
      [-doubt, -3],
    ],
  });
  answer(response, 200, chatReply(Array.from({ length: body.n ?? 1 }, (_, i) => one(i))));
};

function sumOf(body: StubCall['body']): number {
  const asked = /(\d+) \+ 1/.exec(body.messages?.at(-1)?.content ?? '');
  return Number(asked?.[1]) + 1;
}

beforeAll(async () => {
  model = tinyModel();
  stub = await startStub(sums);
  pool = mkdtempSync(join(tmpdir(), 'pivottrace-pool-'));
  workspace = pool;
  const lines = Array.from({ length: PROMPTS }, (_, i) =>
    JSON.stringify({ id: `p${i}`, prompt: `${i} + 1`, answer: String(i + 1) }),
  );
  const files = [join(workspace, 'sums.jsonl')];
  writeFileSync(files[0], lines.join('\n'));
  const stop = new AbortController().signal;
  await withStore(workspace, (store) =>
    ingestFiles({ store, config: config(), files, progress: silent, stop }),
  );
}, 300_000);
afterAll(() => {
  stub.close();
  model.remove();
  rmSync(pool, { recursive: true, force: true });
});
beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'pivottrace-endpoint-'));
  cpSync(pool, workspace, { recursive: true });
  [stub.calls, stub.atOnce, stub.mood, notes] = [[], 0, sums, []];
});
afterEach(() => rmSync(workspace, { recursive: true, force: true }));

function config(...overrides: string[]): Config {
  const usual = [
    ...[`model=${model.directory}`, 'engine.threads=1', 'rollout.max_tokens=60'],
    ...[`trace.traces_per_prompt=${SAMPLES}`, 'trace.profile_prompts=4'],
    ...[`endpoint.url=${stub.url}`, 'endpoint.model=big-model', 'endpoint.retries=0'],
    // However busy the machine is, an answer is read.
    ...['workspace=.', 'verify.deadline_ms=60000'],
  ];
  return loadConfig({ cwd: workspace, overrides: [...usual, ...overrides] }).config;
}

/** A verb as the command line runs it. */
async function run(
  verb: typeof trace,
  flags: Record<string, unknown>,
  overrides: string[] = [],
  stop = new AbortController().signal,
): Promise<void> {
  await verb.run({
    ...{ config: config(...overrides), database: undefined, configFile: undefined },
    ...{ overrides, operands: [], flags, cwd: workspace, stop },
    output: {
      ...{ json: false, note: (text: string) => void notes.push(text), progress: silent },
      result: (text, data) => {
        said = { text, data: { ...data } };
      },
    },
  });
}

const generate = (overrides: string[] = [], flags = {}, stop?: AbortSignal) =>
  run(trace, { engine: 'endpoint', ...flags }, overrides, stop);
const rollouts = () =>
  withStore(workspace, async (store) =>
    store.rollouts.of(
      0,
      (await store.prompts.list()).map(({ id }) => id),
    ),
  );

describe('with weights', () => {
  test('the endpoint generates, and the weights trace', async () => {
    await generate(['endpoint.concurrency=3']);
    expect(stub.calls).toHaveLength(PROMPTS);
    expect(stub.atOnce).toBeLessThanOrEqual(3);
    expect(stub.calls[0].body).toMatchObject({
      ...{ model: 'big-model', n: SAMPLES, max_tokens: 60, logprobs: true, top_logprobs: 0 },
    });
    expect(said.data).toMatchObject({
      ...{ prompts: PROMPTS, responses: PROMPTS * SAMPLES, models: { 'big-model': 24 } },
      ...{ without_response: 0, rejected: 0, generated: { responses: 24, calls: PROMPTS } },
    });
    const all = await rollouts();
    expect(all.every(({ text }) => text.startsWith('After '))).toBe(true);
    expect(new Set(all.map(({ text }) => text)).size).toBe(24);
    await withStore(workspace, async (store) => {
      expect((await traceManifest(store, 0))?.traces).toBe(24);
      const observed = await observePool(store, 0, SAMPLES);
      expect(observed.every(({ pivots }) => pivots.length === SAMPLES)).toBe(true);
    });
  }, 300_000);

  test('probes get more responses from there, without a change to the scores', async () => {
    await generate();
    const before = await withStore(workspace, (store) => traceManifest(store, 0));
    const scores = await withStore(workspace, (store) => observePool(store, 0, SAMPLES));
    const asked = ['triage.probe_share=0.25', 'triage.probe_samples=5', 'triage.min_probes=2'];
    await run(triage, {}, asked);
    expect(stub.calls.slice(PROMPTS).map(({ body }) => body.n)).toEqual([3, 3, 3]);
    const all = await rollouts();
    expect(all).toHaveLength(24 + 9);
    expect(await withStore(workspace, (store) => traceManifest(store, 0))).toEqual(before);
    const again = await withStore(workspace, (store) => observePool(store, 0, SAMPLES));
    expect(again.map(({ pivots }) => pivots)).toEqual(scores.map(({ pivots }) => pivots));
    await generate();
    expect(await withStore(workspace, (store) => traceManifest(store, 0))).toEqual(before);
    expect(stub.calls).toHaveLength(PROMPTS + 3);
  }, 300_000);
});

describe('without weights', () => {
  const bare = ['trace.weights=false', 'model=/nowhere', 'triage.estimator=perplexity'];

  test('scores rest on log-probabilities, pivots are refused, and the report says why', async () => {
    await generate(bare);
    expect(stub.calls[0].body).toMatchObject({ logprobs: true, top_logprobs: 20 });
    expect(said.data).toMatchObject({ responses: 24, heads: [], threshold: null });
    expect(said.text).toMatch(/pivots, .* need the weights/);
    const [first, , third] = await rollouts();
    expect(first.length).toBe(3);
    expect(third.meanLogprob).toBeCloseTo(-(0.1 + 2 * 0.1) / 3, 5);
    expect(third.meanSelfCertainty).toBeNaN();
    expect(third.answer).toBe('2');
    await expect(run(triage, {}, [...bare, 'triage.estimator=pivot_excess'])).rejects.toThrow(
      /Without weights there are no pivots/,
    );
    await expect(run(triage, {}, [...bare, 'triage.estimator=self_certainty'])).rejects.toThrow(
      /self-certainty of every response/,
    );
    const few = ['triage.probe_share=0.25', 'triage.probe_samples=4', 'triage.min_probes=2'];
    await run(triage, {}, [...bare, ...few]);
    const plan = await withStore(workspace, (store) => store.scores.estimators(0));
    expect(plan).toEqual(expect.arrayContaining(['perplexity', 'mean_entropy', 'consistency']));
    expect(plan).not.toContain('pivot_excess');
    expect(plan).not.toContain('self_certainty');
    const report = await withStore(workspace, (store) =>
      reportData({
        ...{ store, config: config(...bare), trained: nothingTrained, title: 't' },
        ...{ generatedAt: null, command: null },
      }),
    );
    expect(report.run.notices[0]).toMatch(
      /24 responses came from the endpoint .*big-model.*no pivots/,
    );
    expect(report.examples).toBeNull();
  }, 300_000);

  test('nothing can be sampled here', async () => {
    await expect(run(trace, {}, bare)).rejects.toThrow(/trace\.weights=false/);
    const row = { id: 'p1', response: 'it is 2', logprobs: [-1, -2], top_logprobs: [[-1], [-2]] };
    const rows = [row, { id: 'p2', response: 'it is 3' }, { id: 'p3', tokens: [4] }];
    const file = join(workspace, 'given.jsonl');
    writeFileSync(file, rows.map((one) => `${JSON.stringify(one)}\n`).join(''));
    await run(trace, { rollouts: file }, bare);
    expect(said.data).toMatchObject({ responses: 1, rejected: 2, without_response: PROMPTS - 1 });
    expect(await rollouts()).toMatchObject([{ promptId: 'p1', length: 2, answer: '2' }]);
  });
});

test('a second call has nothing to do, and --fresh traces again what was paid for', async () => {
  await generate();
  const before = await withStore(workspace, (store) => traceManifest(store, 0));
  await generate();
  expect(said.data).toMatchObject({ responses: 0, generated: { responses: 0 } });
  await generate(['trace.delta=5'], { fresh: true });
  expect(said.data).toMatchObject({ responses: PROMPTS * SAMPLES, generated: { responses: 0 } });
  expect((await withStore(workspace, (store) => traceManifest(store, 0)))?.tau).not.toBe(
    before?.tau,
  );
  expect(stub.calls).toHaveLength(PROMPTS);
}, 300_000);

test('who generates is the policy, one engine of the list, or a file', async () => {
  await expect(run(trace, { engine: 'nobody' })).rejects.toThrow(/policy, endpoint/);
  const both = { engine: 'policy', rollouts: 'x.jsonl' };
  await expect(run(trace, both)).rejects.toThrow(/both/);
  expect(stub.calls).toEqual([]);
});
