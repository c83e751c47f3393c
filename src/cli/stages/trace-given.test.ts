/** Responses from a file: what was sampled here and written down gives the same traces, whatever else is in the file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Interrupted, UserError } from '../../core/errors.ts';
import { type Progress, silent } from '../../core/progress.ts';
import { openStore } from '../../store/store.ts';
import type { Store, StoredRollout, StoredTrace } from '../../store/types.ts';
import { findPivots } from '../../trace/pivots.ts';
import type { Policy } from '../../train/policy.ts';
import { openVerifiers, type Verifiers } from '../../verify/verifiers.ts';
import { type Config, loadConfig, packageRoot } from '../config.ts';
import { traceManifest } from './observations.ts';
import { startPolicy } from './policy.ts';
import { ingestFiles } from './pool.ts';
import { tracePool } from './trace.ts';
import { type GivenOutcome, traceRollouts } from './trace-given.ts';
import { keepTraceSource, traceSource } from './trace-source.ts';
import { verifierSpecs } from './workspace.ts';

const PROMPTS = 8;
const TRACES = 2;
const stop = new AbortController().signal;
let workspace: string;
let store: Store;
let config: Config;
let policy: Policy;
let verifiers: Verifiers;
/** What sampling here gave. */
let rollouts: StoredRollout[];
let traces: StoredTrace[];
let tau: number;
let ids: string[];

function configOf(...overrides: string[]): Config {
  const small = ['rollout.max_tokens=60', 'trace.profile_prompts=3', 'engine.threads=1'];
  // However busy the machine is, an answer is read.
  const own = [
    'workspace=.',
    'verify.deadline_ms=60000',
    `trace.traces_per_prompt=${TRACES}`,
    ...small,
    ...overrides,
  ];
  return loadConfig({ cwd: workspace, overrides: own }).config;
}

async function sampleHere(): Promise<void> {
  await tracePool({ store, config, policy, verifiers, progress: silent, stop, round: 0 });
}

interface Given {
  signal?: AbortSignal;
  progress?: Progress;
}

async function given(file: string, more: Given = {}): Promise<GivenOutcome> {
  const { signal = stop, progress = silent } = more;
  const source = { engine: 'rollouts' as const, name: 'given' };
  const stage = { store, config, policy, verifiers, progress, stop: signal, round: 0 };
  return await traceRollouts({ ...stage, file, source });
}

function written(rows: readonly unknown[], name = 'given.jsonl'): string {
  const file = join(workspace, name);
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return file;
}

const withTokens = (one: StoredRollout) => ({
  ...{ id: one.promptId, sample: one.sample, tokens: [...one.tokens], finish: one.finish },
});
const withText = (one: StoredRollout) => ({
  ...{ id: one.promptId, response: one.text, finish: one.finish },
});

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'pivottrace-given-'));
  const pool = readFileSync(join(packageRoot, 'data/pool.jsonl'), 'utf8').split('\n');
  const files = [join(workspace, 'few.jsonl')];
  writeFileSync(files[0], pool.slice(0, PROMPTS).join('\n'));
  config = configOf('trace.extra_signals=[far_mass, received, agreement]');
  store = await openStore(workspace);
  await ingestFiles({ store, config, files, progress: silent, stop });
  verifiers = await openVerifiers(verifierSpecs(config));
  policy = startPolicy(config);
  await sampleHere();
  ids = (await store.prompts.list()).map(({ id }) => id);
  rollouts = await store.rollouts.of(0, ids);
  traces = await store.traces.of(0, ids);
  tau = (await traceManifest(store, 0))?.tau ?? Number.NaN;
}, 600_000);
afterAll(async () => {
  await policy.close();
  await verifiers.close();
  await store.close();
  rmSync(workspace, { recursive: true, force: true });
});
beforeEach(async () => {
  await store.rollouts.clear(0);
  await store.meta.put('trace_profile/0', null);
  await keepTraceSource(store, 0, null);
});

/** Largest difference between two traces over all of their signals. */
function apart(a: StoredTrace, b: StoredTrace): number {
  let most = 0;
  expect(b.trace.heads).toEqual(a.trace.heads);
  for (const [name, series] of Object.entries(a.trace.signals)) {
    const other = b.trace.signals[name as keyof typeof b.trace.signals];
    expect(other).toHaveLength(series.length);
    for (const [i, value] of series.entries()) {
      // Nobody looks back at the last tokens from afar: what they receive is not defined.
      if (Number.isNaN(value) && Number.isNaN(other?.[i])) continue;
      // Distances are tokens; all else is a share.
      const scale = name === 'distance' ? config.trace.window : 1;
      most = Math.max(most, Math.abs(value - (other?.[i] ?? Number.NaN)) / scale);
    }
  }
  return most;
}

/** Share of the pivots of both that are in both. */
function agreement(a: readonly StoredTrace[], b: readonly StoredTrace[], at: number): number {
  const pivots = (all: readonly StoredTrace[]) =>
    new Set(
      all.flatMap(({ promptId, sample, changes }) =>
        findPivots(changes ?? new Float32Array(), at, config.trace.delta).map(
          (t) => `${promptId} ${sample} ${t}`,
        ),
      ),
    );
  const [own, other] = [pivots(a), pivots(b)];
  expect(own.size).toBeGreaterThan(0);
  return [...own].filter((one) => other.has(one)).length / new Set([...own, ...other]).size;
}

describe('responses that were sampled here, from a file', () => {
  test('have the traces, pivots and statistics that they had when they were decoded', async () => {
    const done = await given(written(rollouts.map(withTokens)));
    expect(done).toMatchObject({ responses: PROMPTS * TRACES, rejected: 0, short: 0 });
    const again = await store.traces.of(0, ids);
    expect(again.map(({ promptId, sample }) => [promptId, sample])).toEqual(
      traces.map(({ promptId, sample }) => [promptId, sample]),
    );
    for (const [i, trace] of traces.entries()) expect(apart(trace, again[i])).toBeLessThan(1e-3);
    // The heads were chosen on these responses, on which they were not chosen before.
    expect(Math.abs((done.manifest?.tau ?? 0) / tau - 1)).toBeLessThan(0.02);
    expect(agreement(traces, again, tau)).toBeGreaterThan(0.99);
    for (const [i, one] of (await store.rollouts.of(0, ids)).entries()) {
      const before = rollouts[i];
      expect(one).toMatchObject({
        ...{ length: before.length, text: before.text, finish: before.finish },
        ...{ answer: before.answer, answerClass: before.answerClass, tokens: before.tokens },
        promptLength: before.promptLength,
      });
      expect(one.meanLogprob).toBeCloseTo(before.meanLogprob, 4);
      expect(one.meanEntropy).toBeCloseTo(before.meanEntropy, 4);
      expect(one.maxEntropy).toBeCloseTo(before.maxEntropy, 4);
      expect(one.meanSelfCertainty).toBeCloseTo(before.meanSelfCertainty, 3);
    }
  }, 600_000);

  test('need not come with tokens: a text that ended gets its end token', async () => {
    await given(written(rollouts.map(withText)));
    const again = await store.rollouts.of(0, ids);
    expect(again.map(({ tokens }) => tokens)).toEqual(rollouts.map(({ tokens }) => tokens));
    expect(rollouts.some(({ finish }) => finish === 'stop')).toBe(true);
  }, 600_000);

  test('are found by their prompts where there are no ids, in Parquet too', async () => {
    const prompts = await store.prompts.list();
    const promptOf = new Map(prompts.map(({ id, prompt }) => [id, String(prompt)]));
    const file = join(workspace, 'given.parquet');
    const columnData = [
      { name: 'prompt', data: rollouts.map(({ promptId }) => promptOf.get(promptId) ?? '') },
      { name: 'response', data: rollouts.map(({ text }) => text) },
      { name: 'finish', data: rollouts.map(({ finish }) => finish) },
      { name: 'model', data: rollouts.map((_, i) => (i % 2 === 0 ? 'a/b' : 'c')) },
    ];
    writeFileSync(file, new Uint8Array(parquetWriteBuffer({ columnData })));
    const done = await given(file);
    expect(done).toMatchObject({ responses: rollouts.length, models: { 'a/b': 8, c: 8 } });
    expect((await store.rollouts.of(0, ids)).map(({ text }) => text)).toEqual(
      rollouts.map(({ text }) => text),
    );
  }, 600_000);

  test('tell whether another model made them', async () => {
    const noise = (i: number) => (i % 3) / 2;
    await given(written(rollouts.map(withTokens)));
    const own = await store.rollouts.of(0, ids);
    await store.rollouts.clear(0);
    const rows = (shift: (i: number) => number) =>
      own.map((one) => ({
        ...withTokens(one),
        logprobs: Array.from(one.tokens, (_, i) => Math.min(0, one.meanLogprob - shift(i))),
      }));
    const far = await given(written(rows(noise)));
    expect(far.drift).toBeGreaterThan(0.1);
    expect((await given(written(rollouts.map(withTokens)))).drift).toBeNull();
  }, 600_000);
});

describe('a file of responses', () => {
  test('may hold anything: what is no response is set aside with its line and its reason', async () => {
    const [first] = rollouts;
    const good = rollouts.slice(0, 4).map(withTokens);
    const bad: [unknown, RegExp][] = [
      [{ ...good[0], id: 'nobody' }, /no prompt "nobody"/],
      [{ id: first.promptId, response: '' }, /empty/],
      [{ id: first.promptId, tokens: [] }, /empty/],
      [{ id: first.promptId, tokens: [1, 2_000_000] }, /token 2000000/],
      [{ id: first.promptId, tokens: [1, -1] }, /tokens holds -1/],
      [{ id: first.promptId, tokens: Array(5000).fill(5) }, /too long/],
      [{ response: 'x' }, /neither an id nor a prompt/],
      [{ prompt: 'What?', response: 'x' }, /no such prompt/],
      [{ ...good[0], sample: -1 }, /sample/],
      [{ ...good[0], logprobs: [-1] }, /logprobs: 1 numbers/],
      [good[1], /came before/],
    ];
    const file = written([...good, ...bad.map(([row]) => row)]);
    writeFileSync(file, `${readFileSync(file, 'utf8')}{"id": "torn\n\u0000\n[1]\n`);
    const done = await given(file);
    expect(done).toMatchObject({ responses: 4, rejected: bad.length + 3, prompts: 2 });
    expect(done.without).toEqual({ count: PROMPTS - 2, example: ids[2] });
    const rejects = readFileSync(done.rejectsFile ?? '', 'utf8')
      .trimEnd()
      .split('\n');
    expect(rejects).toHaveLength(bad.length + 3);
    for (const [i, [, reason]] of bad.entries()) {
      const { line, reason: why } = JSON.parse(rejects[i]);
      expect(why).toMatch(reason);
      expect(line).toBe(good.length + i + 1);
    }
    const models = { '': 4 };
    expect(await traceSource(store, 0)).toMatchObject({ models, without: PROMPTS - 2 });
  }, 600_000);

  test('of which no line fits the pool is refused', async () => {
    const rows = [
      { id: 'a', response: 'x' },
      { id: 'b', response: 'y' },
    ];
    await expect(given(written(rows))).rejects.toThrow(/line 1: the pool has no prompt "a"/);
    await expect(given(written([]))).rejects.toThrow(UserError);
    await expect(given(join(workspace, 'missing.jsonl'))).rejects.toThrow(UserError);
    await expect(given(written(rows, 'given.txt'))).rejects.toThrow(/ending .txt/);
  });

  test('is gone on with after a stop, and gives what it gives in one go', async () => {
    // More lines than are traced between two stops.
    const rows = Array.from({ length: 5 }, (_, k) =>
      rollouts.map((one) => ({ ...withTokens(one), sample: one.sample + k * TRACES })),
    ).flat();
    const file = written(rows);
    await given(file);
    const whole = await store.traces.of(0, ids);
    await store.rollouts.clear(0);
    await store.meta.put('trace_profile/0', null);
    const stopping = new AbortController();
    const progress: Progress = {
      ...silent,
      update: (done) => done >= 64 && stopping.abort(),
    };
    await expect(given(file, { signal: stopping.signal, progress })).rejects.toThrow(Interrupted);
    const there = await store.traces.of(0, ids);
    expect(there.length).toBeGreaterThan(0);
    expect(there.length).toBeLessThan(whole.length);
    const rest = await given(file);
    expect(rest.responses).toBe(whole.length - there.length);
    expect(await store.traces.of(0, ids)).toEqual(whole);
    expect((await given(file)).responses).toBe(0);
  }, 600_000);

  test('may grow, but says nothing else of what was traced before', async () => {
    const rows = rollouts.map(withText);
    await given(written(rows.slice(0, 6)));
    const more = await given(written(rows));
    expect(more.responses).toBe(rows.length - 6);
    const [first, ...others] = rows;
    const changed = { ...first, response: `${first.response} and more` };
    await expect(given(written([changed, ...others]))).rejects.toThrow(/sample 0 of .*another one/);
  }, 600_000);
});

test('prompts without a response are sampled here, and those with one are left alone', async () => {
  const own = rollouts.filter(({ promptId }) => promptId === ids[0]);
  const mine = { id: ids[0], response: 'Nobody would say this. The answer is 4.' };
  await given(written([mine]));
  await sampleHere();
  const now = await store.rollouts.of(0, ids);
  expect(now).toHaveLength(PROMPTS * TRACES);
  expect(now[0].text).toBe(mine.response);
  // The second response to the same prompt is the one that is always sampled under that number.
  expect(now[1].text).toBe(own[1].text);
  expect(now.slice(2).map(({ text }) => text)).toEqual(rollouts.slice(2).map(({ text }) => text));
  expect(await traceManifest(store, 0)).toMatchObject({ traces: PROMPTS * TRACES });
}, 600_000);
