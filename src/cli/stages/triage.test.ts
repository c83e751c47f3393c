import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silent } from '../../core/progress.ts';
import { stream } from '../../core/random.ts';
import { renderReport } from '../../report/report.tsx';
import { openStore } from '../../store/store.ts';
import type { Store, StoredRollout, StoredTrace } from '../../store/types.ts';
import { manifestToJson, traceManifestKey } from '../../trace/manifest.ts';
import { ChangeSketch } from '../../trace/threshold.ts';
import { defaultTraceSettings } from '../../trace/types.ts';
import { planFromJson, planToJson, transitionFromLine } from '../../triage/disk.ts';
import { replay } from '../../triage/transitions.ts';
import type { Transition } from '../../triage/types.ts';
import { openVerifiers, type Verifiers } from '../../verify/verifiers.ts';
import { type Config, loadConfig } from '../config.ts';
import { buyPlanned, labelDesk, savedPlan } from './labels.ts';
import { planPath } from './plan-file.ts';
import { ingestFiles } from './pool.ts';
import { nothingTrained, reportData } from './report.ts';
import { draftPlan, triage } from './triage.ts';
import { verifierSpecs } from './workspace.ts';

const PROMPTS = 120;
const SAMPLES = 4;
const stop = new AbortController().signal;
let workspace: string;
let store: Store;
let verifiers: Verifiers;

/** A pool that gets harder from the first to the last prompt; the harder, the more sudden the changes. */
beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), 'pivottrace-triage-'));
  const lines = Array.from({ length: PROMPTS }, (_, i) =>
    JSON.stringify({ id: `p${i}`, prompt: `${i} + 1?`, answer: String(i + 1) }),
  );
  writeFileSync(join(workspace, 'sums.jsonl'), lines.join('\n'));
  store = await openStore(workspace);
  verifiers = await openVerifiers(verifierSpecs(configOf()));
  await ingestFiles({
    store,
    config: configOf(),
    files: [join(workspace, 'sums.jsonl')],
    progress: silent,
    stop,
  });
  const pairs = Array.from({ length: PROMPTS * SAMPLES }, (_, n) =>
    traced(Math.floor(n / SAMPLES), n % SAMPLES),
  );
  await store.rollouts.put(
    0,
    pairs.map((pair) => pair.rollout),
  );
  await store.traces.put(
    0,
    pairs.map((pair) => pair.trace),
  );
  const sketch = new ChangeSketch();
  for (const { trace } of pairs) sketch.add(trace.changes ?? []);
  const manifest = {
    model: 'test',
    settings: defaultTraceSettings,
    heads: [{ layer: 0, head: 0 }],
    tau: sketch.tau(95),
    sketch: sketch.state(),
    signals: ['distance' as const],
    thresholds: [],
    traces: pairs.length,
    tokens: 40 * pairs.length,
  };
  await store.meta.put(traceManifestKey(0), manifestToJson(manifest));
}, 600_000);
afterAll(async () => {
  await verifiers.close();
  await store.close();
  rmSync(workspace, { recursive: true, force: true });
});

function configOf(...overrides: string[]): Config {
  return loadConfig({ cwd: workspace, overrides: ['triage.probe_share=0.25', ...overrides] })
    .config;
}

function traced(index: number, sample: number): { rollout: StoredRollout; trace: StoredTrace } {
  const random = stream(9, index, sample);
  const difficulty = index / PROMPTS;
  const answer = String(random.uniform() < difficulty ? random.below(50) + 500 : index + 1);
  const key = { promptId: `p${index}`, sample };
  const changes = Float32Array.from({ length: 40 }, () => difficulty * random.uniform() ** 2);
  const rollout = {
    ...key,
    text: `so\nanswer: ${answer}`,
    tokens: new Int32Array(40),
    length: 40,
    promptLength: 5,
    answer,
    answerClass: 0,
    meanEntropy: random.uniform(),
    maxEntropy: random.uniform(),
    meanSelfCertainty: random.uniform(),
    meanLogprob: -random.uniform(),
    finish: 'stop' as const,
  };
  const trace = { heads: [{ layer: 0, head: 0 }], tokens: 40, signals: { distance: changes } };
  return { rollout, trace: { ...key, trace, changes } };
}

function manifestOf(name: string): { transitions: Transition[]; states: Map<string, string> } {
  const { transitions } = JSON.parse(readFileSync(planPath(workspace, name), 'utf8'));
  const typed = transitions.map((one: unknown) => transitionFromLine(JSON.stringify(one)));
  return { transitions: typed, states: replay(typed) };
}

test('a dry run buys and writes nothing and says which probes it would buy', async () => {
  const config = configOf('triage.plan=dry');
  const desk = await labelDesk(store, config);
  const { plan, probesToBuy } = await draftPlan({
    store,
    config,
    desk,
    verifiers,
  });
  expect(probesToBuy).toHaveLength(30);
  expect([...plan.decisions]).toHaveLength(PROMPTS);
  expect(await desk.spent()).toBe(0);
  expect(await store.plans.names()).toEqual([]);
  expect(existsSync(planPath(workspace, 'dry'))).toBe(false);
});

test('triage measures probes, routes the pool by quota, and its manifest replays to the same states', async () => {
  const config = configOf();
  const desk = await labelDesk(store, config);
  const sampled: [number, number][] = [];
  const sampleMore = async (ids: readonly string[], samples: number) => {
    sampled.push([ids.length, samples]);
  };
  const stage = { store, config, desk, verifiers, sampleMore, stop };
  const { plan: planned, path, moved } = await triage(stage);
  const plan = { ...planned.head, decisions: [...planned.decisions] };
  expect(plan.fallback).toBeNull();
  expect(plan.calibration.verdict).toBe('beats chance');
  expect(plan.calibration.spearman?.estimate).toBeLessThan(-0.4);
  expect(sampled).toEqual([[30, config.triage.probe_samples]]);
  expect(await desk.spent()).toBe(30);
  expect(plan.counts).toMatchObject({
    pool: PROMPTS,
    annotate: Math.round(0.293 * PROMPTS),
    probes: 30,
  });
  // Probes go through `annotate` to `annotated`.
  expect(moved).toBe(PROMPTS + 30);
  const routes = await store.transitions.routes('main');
  expect(manifestOf('main').states).toEqual(routes);
  expect([...routes.values()].filter((state) => state === 'annotated')).toHaveLength(30);
  expect(planFromJson(planToJson(plan))).toEqual(plan);

  const before = readFileSync(path, 'utf8');
  const again = await triage(stage);
  expect(again.moved).toBe(0);
  expect(readFileSync(path, 'utf8')).toBe(before);
  expect(await desk.spent()).toBe(30);
});

test('label buys what waits for a label, within the budget, the most uncertain first', async () => {
  const waiting = async () => {
    const states = await store.transitions.routes('main');
    return [...states].filter(([, state]) => state === 'annotate').map(([id]) => id);
  };
  const all = await waiting();
  expect(all.length).toBeGreaterThan(2);
  const tight = configOf('label.budget=31');
  const first = await buyPlanned(store, tight, await labelDesk(store, tight));
  expect(first).toEqual({ wanted: all.length, labelled: 1, missing: all.length - 1, spent: 31 });
  const left = await waiting();
  const [bought] = all.filter((id) => !left.includes(id));
  const { plan } = await savedPlan(store, 'main');
  const rankOf = new Map(plan.decisions.map(({ promptId, rank }) => [promptId, rank]));
  expect(rankOf.get(bought)).toBe(Math.max(...all.map((id) => rankOf.get(id) ?? -1)));

  const config = configOf();
  await buyPlanned(store, config, await labelDesk(store, config));
  expect(await waiting()).toEqual([]);
  expect(manifestOf('main').states).toEqual(await store.transitions.routes('main'));
});

test('plans live side by side, each with its own labels', async () => {
  const config = configOf('triage.plan=blind', 'triage.estimator=random', 'triage.probe_share=0');
  const desk = await labelDesk(store, config);
  expect(await desk.spent()).toBe(0);
  const { plan } = await triage({
    ...{ store, config, desk, verifiers, stop },
    sampleMore: () => Promise.reject(new Error('a plan without probes samples nothing')),
  });
  expect(plan.head.estimator).toBe('random');
  expect(plan.head.counts.probes).toBe(0);
  expect((await store.plans.names()).sort()).toEqual(['blind', 'main']);
});

test('an estimator without its traces is refused with what to do', async () => {
  const config = configOf(
    'triage.plan=x',
    'trace.traces_per_prompt=1',
    'triage.estimator=consistency',
  );
  const desk = await labelDesk(store, config);
  await expect(draftPlan({ store, config, desk, verifiers })).rejects.toThrow(
    /consistency needs.*pivottrace trace/s,
  );
});

test('an id that comes back with other content changes nothing', async () => {
  const path = join(workspace, 'other.jsonl');
  writeFileSync(
    path,
    '{"id":"new","prompt":"x"}\n{"id":"p1","prompt":"something else","answer":"7"}\n',
  );
  const files = [path];
  const call = ingestFiles({ store, config: configOf(), files, progress: silent, stop });
  await expect(call).rejects.toThrow('other content for 1 of them, for example "p1"');
  expect(await store.prompts.count()).toBe(PROMPTS);
  expect(existsSync(join(workspace, 'answers/other.jsonl'))).toBe(false);
});

test('the report shows the plan, the probes and the cuts', async () => {
  const config = configOf('model=missing');
  const stage = {
    store,
    config,
    trained: nothingTrained,
    title: 'T',
    generatedAt: null,
    command: null,
  };
  const data = await reportData(stage);
  expect(data.triage?.routes.map((route) => route.route)).toEqual(['discard', 'self', 'annotate']);
  const routed = data.triage?.routes.reduce((sum, route) => sum + route.prompts, 0);
  expect(routed).toBe(PROMPTS);
  expect(data.triage?.groups).toMatchObject([{ name: 'sums.jsonl' }]);
  expect(data.score).toMatchObject({ rolloutsPerProbe: SAMPLES, beatsChance: true });
  expect(data.score?.probes).toHaveLength(30);
  expect(data.score?.fits).toMatchObject([
    { name: 'fused', method: 'logistic', probes: 30, folds: 5 },
    { name: 'fused_isotonic', method: 'isotonic', probes: 30, ridge: null },
  ]);
  const [fused] = data.score?.fits ?? [];
  expect(fused.weights.map(({ name }) => name)).toContain('pivot_excess');
  expect(fused.weights.some(({ weight }) => weight < 0)).toBe(true);
  const costs = new Map(data.score?.estimators.map(({ name, cost }) => [name, cost]));
  expect(costs.get('random')).toEqual({ responses: 0, tokens: 0, seconds: 0 });
  expect(costs.get('mean_entropy')).toMatchObject({ responses: PROMPTS * SAMPLES, seconds: null });
  expect(data.score?.thresholds.map((cut) => cut.label)).toEqual([
    'discard | self',
    'self | annotate',
  ]);
  expect(data.score?.reliability.reduce((sum, bin) => sum + bin.count, 0)).toBe(30);
  expect(data).toMatchObject({ examples: null, sensitivity: null, comparison: null });
  expect(renderReport(data)).toContain('pivot_density');
});
