/** Tracing with every signal and with hidden states, from the pool to what the estimators see and what it cost. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UserError } from '../../core/errors.ts';
import { silent } from '../../core/progress.ts';
import { encodePrompt, loadChatTemplate } from '../../model/chat-template.ts';
import { loadWeights } from '../../model/directory.ts';
import { Representer } from '../../model/represent.ts';
import { loadTokenizer } from '../../model/tokenizer.ts';
import { openStore } from '../../store/store.ts';
import type { Store } from '../../store/types.ts';
import {
  exactTau,
  signalMean,
  signalNames,
  signalSeries,
  summarisePivots,
  type TraceManifest,
  traceChanges,
} from '../../trace/index.ts';
import { layerPath } from '../../uncertainty/layer-path.ts';
import { computableEstimators, estimatorNames } from '../../uncertainty/registry.ts';
import { type Config, loadConfig, packageRoot } from '../config.ts';
import { estimatorCost } from './estimator-cost.ts';
import { observePool, traceManifest } from './observations.ts';
import { withPolicy } from './policy.ts';
import { ingestFiles } from './pool.ts';
import { scoringCosts } from './scoring-costs.ts';
import { timed } from './stage-cost.ts';
import { tracePool } from './trace.ts';
import { withVerifiers } from './workspace.ts';

const PROMPTS = 6;
const TRACES = 2;
const PROFILED = 3;
const stop = new AbortController().signal;
let workspace: string;
let store: Store;
let config: Config;
let manifest: TraceManifest;

function configOf(...overrides: string[]): Config {
  const small = ['rollout.max_tokens=60', `trace.profile_prompts=${PROFILED}`, 'engine.threads=1'];
  const own = [`trace.traces_per_prompt=${TRACES}`, ...small, ...overrides];
  return loadConfig({ cwd: workspace, overrides: own }).config;
}

async function trace(of: Config): Promise<void> {
  await withVerifiers(of, (verifiers) =>
    withPolicy(of, (policy) =>
      tracePool({ store, config: of, policy, verifiers, progress: silent, stop, round: 0 }),
    ),
  );
}

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'pivottrace-trace-'));
  const pool = readFileSync(join(packageRoot, 'data/pool.jsonl'), 'utf8').split('\n');
  const files = [join(workspace, 'few.jsonl')];
  writeFileSync(files[0], pool.slice(0, PROMPTS).join('\n'));
  config = configOf(`trace.extra_signals=[${signalNames}]`, 'trace.hidden_states=true');
  store = await openStore(workspace);
  await ingestFiles({ store, config, files, progress: silent, stop });
  await timed(workspace, 'trace', () => trace(config));
  const found = await traceManifest(store, 0);
  if (found === undefined) throw new Error('no manifest was written');
  manifest = found;
}, 600_000);
afterAll(async () => {
  await store.close();
  rmSync(workspace, { recursive: true, force: true });
});

async function ids(): Promise<string[]> {
  return (await store.prompts.list()).map(({ id }) => id);
}

test('far mass has a threshold of its own, over its own changes in the whole pool', async () => {
  expect(manifest.signals).toEqual(expect.arrayContaining([...signalNames]));
  expect(manifest.thresholds.map(({ signal }) => signal)).toEqual(['far_mass']);
  const traces = await store.traces.of(0, await ids());
  const changesOf = (signal: 'far_mass' | 'distance') =>
    traces.map((one) => traceChanges(one.trace, { signal, delta: manifest.settings.delta }));
  const exact = exactTau(
    changesOf('far_mass').flatMap((changes) => [...changes]),
    manifest.settings.zeta,
  );
  const [{ tau }] = manifest.thresholds;
  expect(Math.abs((tau ?? 0) / exact - 1)).toBeLessThan(2e-3);
  expect(tau).not.toBe(manifest.tau);

  const observed = await observePool(store, 0, TRACES);
  const pivots = observed.flatMap(({ signalPivots }) => signalPivots?.far_mass ?? []);
  const wanted = changesOf('far_mass').map((changes) =>
    summarisePivots(changes, tau ?? 0, manifest.settings.delta),
  );
  expect(pivots).toEqual(wanted);
  expect(pivots.some(({ count }) => count > 0)).toBe(true);
});

test('every kept signal has its mean per trace, and only the first traces count', async () => {
  const traces = await store.traces.of(0, await ids());
  const [first] = await observePool(store, 0, TRACES);
  const own = traces.filter(({ promptId }) => promptId === first.promptId);
  for (const signal of signalNames) {
    expect(first.signalMeans?.[signal]).toEqual(own.map((one) => signalMean(one.trace, signal)));
  }
  const entropy = signalSeries(own[0].trace, 'entropy');
  expect(first.signalMeans?.entropy?.[0]).toBeCloseTo(
    entropy.reduce((sum, value) => sum + value, 0) / entropy.length,
    10,
  );
  const [one] = await observePool(store, 0, 1);
  expect(one.signalMeans?.entropy).toHaveLength(1);
  expect(one.signalPivots?.far_mass).toHaveLength(1);
});

test('the path through the layers is that of the response, without its prompt', async () => {
  const [id] = await ids();
  const [prompt] = await store.prompts.list([id]);
  const [rollout] = await store.rollouts.of(0, [id]);
  const { config: model, weights } = loadWeights(config.model);
  const messages = [{ role: 'user', content: String(prompt.prompt) }];
  const asked = encodePrompt(
    loadTokenizer(config.model),
    loadChatTemplate(config.model),
    loadChatTemplate(config.model).present ? messages : String(prompt.prompt),
  );
  const representer = new Representer(model, weights, { provider: 'cpu', threads: 1 });
  const tokens = Int32Array.from([...asked, ...rollout.tokens]);
  const [{ mean }] = await representer.represent([{ tokens, from: asked.length }], 'all');
  await representer.release();
  const wanted = layerPath(mean, model.hiddenSize);
  expect(rollout.layerPath?.magnitudes).toHaveLength(model.layers);
  for (const [i, size] of wanted.magnitudes.entries())
    expect(rollout.layerPath?.magnitudes[i]).toBeCloseTo(size, 4);
  for (const [i, turn] of wanted.turns.entries())
    expect(rollout.layerPath?.turns[i]).toBeCloseTo(turn, 4);
});

test('every score that a pool can have is there', async () => {
  const observed = await observePool(store, 0, TRACES);
  const names = computableEstimators(observed, 3).map(({ name }) => name);
  // Pivots of the configured signal go by the name of pivots.
  const twice = ['distance_density', 'distance_count'];
  expect(names).toEqual(estimatorNames.filter((name) => !twice.includes(name)));
});

test('each score is charged what it reads', async () => {
  const costs = await scoringCosts(store, config, 0);
  const digests = await store.rollouts.digests(0);
  const tokens = digests.reduce((sum, { length }) => sum + length, 0);
  expect(costs.sampled).toMatchObject({ responses: PROMPTS * TRACES, tokens });
  expect(costs.heads.responses).toBe(PROFILED);
  const cost = (name: string) => estimatorCost(name, costs, undefined);
  expect(cost('random')).toEqual({ responses: 0, tokens: 0, seconds: 0 });
  expect(cost('mean_entropy')).toEqual(costs.sampled);
  for (const name of ['pivot_excess', 'far_mass_count', 'attention_entropy']) {
    expect(cost(name)).toMatchObject({
      responses: PROMPTS * TRACES + PROFILED,
      tokens: tokens + (costs.heads.tokens ?? Number.NaN),
    });
  }
  expect(cost('coe_r').responses).toBe(PROMPTS * TRACES);
  expect((cost('coe_r').seconds ?? 0) - (costs.sampled.seconds ?? 0)).toBeCloseTo(
    costs.hiddenSeconds ?? Number.NaN,
    9,
  );
  const fit = { probes: 2, folds: 2, ridge: 1, intercept: 0, spearman: null, brier: null };
  const fused = (weight: number) =>
    estimatorCost('fused', costs, {
      ...fit,
      method: 'logistic',
      weights: { length: 1, coe_c: weight },
    });
  expect(fused(0)).toEqual(cost('pivot_excess'));
  expect(fused(0).seconds).toBeLessThan(fused(-0.5).seconds ?? 0);
});

test('a round goes on only with what it was begun with', async () => {
  const traced = (await store.rollouts.digests(0)).length;
  await trace(config);
  expect(await store.rollouts.digests(0)).toHaveLength(traced);
  await expect(trace(configOf(`trace.extra_signals=[${signalNames}]`))).rejects.toThrow(UserError);
}, 600_000);

test('without further signals there are none to see', async () => {
  await store.rollouts.clear(0);
  await store.meta.put('trace_profile/0', null);
  await trace(configOf());
  const [first] = await observePool(store, 0, TRACES);
  expect(first.pivots).toHaveLength(TRACES);
  expect([first.signalMeans, first.signalPivots]).toEqual([undefined, undefined]);
  expect(first.rollouts[0].layerPath).toBeUndefined();
}, 600_000);
