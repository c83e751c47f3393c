/**
 * A workspace to look around in, for tests: a pool with traced responses (one of them long and hostile), a plan that triage
 * made, labels, transitions and the logs of two runs. A function of nothing: every call makes the same.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { stream } from '../../core/random.ts';
import { loadTokenizer } from '../../model/tokenizer.ts';
import type { Prompt } from '../../pool/types.ts';
import { openStore } from '../../store/store.ts';
import { freshWorkspace } from '../../store/testing/workspace.ts';
import type { Store, StoredRollout, StoredTrace } from '../../store/types.ts';
import { traceChanges } from '../../trace/changes.ts';
import { manifestToJson } from '../../trace/manifest.ts';
import { defaultTraceSettings, type RawTrace, type TraceManifest } from '../../trace/types.ts';
import { planToJson } from '../../triage/disk.ts';
import { planTriage } from '../../triage/plan.ts';
import { labelTransitions, transitionsOf } from '../../triage/transitions.ts';

export const model = new URL('../../../models/reasoner', import.meta.url).pathname;
export const PROMPTS = 60;
/** The prompt whose response is long, and how many tokens it has. */
export const LONG = { id: 'long/answer #1', tokens: 16_000 };
export const HOSTILE =
  '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>\u202e';

export interface ViewFixture {
  workspace: string;
  store: Store;
}

/** The caller closes the store. */
export async function viewFixture(): Promise<ViewFixture> {
  const workspace = await freshWorkspace();
  const store = await openStore(workspace);
  await fillPool(store);
  await fillPlan(store);
  for (const run of ['alpha', 'beta']) {
    for (let step = 1; step <= 12; step++) logStep(workspace, run, step);
    logEvaluation(workspace, run, 0, 0.5);
    logEvaluation(workspace, run, 10, run === 'alpha' ? 0.8 : 0.7);
    await store.runs.put({
      ...{ name: run, kind: 'train pivottrace', plan: 'main', account: 'main', summary: null },
      status: run === 'alpha' ? 'running' : 'done',
      config: { train: { steps: 40 } },
    });
  }
  return { workspace, store };
}

const random = stream(11, 'view fixture');

async function fillPool(store: Store): Promise<void> {
  const tokenizer = loadTokenizer(model);
  const ids = [...Array.from({ length: PROMPTS - 1 }, (_, i) => `p${i}`), LONG.id];
  const prompts = ids.map((id, i): Prompt => {
    const asked =
      id === LONG.id ? `Prove that $\\frac{1}{2}$ is small. ${HOSTILE}` : `What is ${i} + 1?`;
    return { id, prompt: asked, source: 'made up', metadata: {} };
  });
  await store.prompts.add(prompts);
  const rollouts: StoredRollout[] = [];
  const traces: StoredTrace[] = [];
  for (const [i, { id: promptId }] of prompts.entries()) {
    for (const sample of promptId === LONG.id ? [0] : [0, 1]) {
      const answer = String(sample === 0 ? i + 1 : i + 2);
      const said = ` so ${i}\n wait, check${' is right'.repeat(8)}.\n answer: ${answer}`;
      const once = tokenizer.encode(said, { addSpecialTokens: false });
      const text = promptId === LONG.id ? `${HOSTILE}${said}` : said;
      const length = promptId === LONG.id ? LONG.tokens : once.length;
      const tokens = Int32Array.from({ length }, (_, t) => once[t % once.length] ?? 0);
      rollouts.push({
        ...{ promptId, sample, text, tokens, length, answer, answerClass: sample },
        ...{ promptLength: 7, meanLogprob: -0.25, meanEntropy: 0.5, maxEntropy: 2 },
        ...{ meanSelfCertainty: 3, finish: promptId === LONG.id ? 'length' : 'stop' },
      });
      traces.push(traceOf(promptId, sample, length));
    }
  }
  await store.rollouts.put(0, rollouts);
  await store.traces.put(0, traces);
  await store.meta.put('trace_manifest/0', manifestToJson(manifest));
}

const heads = [
  { layer: 0, head: 1 },
  { layer: 2, head: 3 },
];
const manifest: TraceManifest = {
  ...{ model: 'made up', settings: { ...defaultTraceSettings }, heads, tau: 6 },
  sketch: { relativeAccuracy: 0.01, zeroCount: 0, bins: [] },
  signals: ['distance', 'far_mass'],
  thresholds: [
    {
      ...{ signal: 'far_mass', tau: 0.2 },
      sketch: { relativeAccuracy: 0.01, zeroCount: 0, bins: [] },
    },
  ],
  ...{ traces: 2 * PROMPTS - 1, tokens: 20_000 },
};

function traceOf(promptId: string, sample: number, tokens: number): StoredTrace {
  const signal = (columns: number, most: number) =>
    Float32Array.from({ length: tokens * columns }, (_, i) => {
      const t = Math.floor(i / columns);
      const jump = t % 23 === 17 ? 0.6 : 0;
      return most * Math.min(1, 0.2 + 0.15 * Math.sin(t / 9) + 0.1 * random.uniform() + jump);
    });
  const trace: RawTrace = {
    ...{ heads, tokens },
    signals: { distance: signal(2, 20), far_mass: signal(2, 1) },
    layerFarMass: signal(2, 1),
  };
  const { signal: chosen, delta } = manifest.settings;
  const changes = Float32Array.from(traceChanges(trace, { signal: chosen, delta }));
  return { promptId, sample, trace, changes };
}

async function fillPlan(store: Store): Promise<void> {
  const ids = (await store.prompts.list()).map(({ id }) => id);
  const scores = ids.map((promptId, i) => ({ promptId, value: (i * 37) % PROMPTS }));
  await store.scores.put(0, 'pivot_excess', scores);
  await store.scores.put(
    0,
    'length',
    ids.map((promptId, i) => ({ promptId, value: i })),
  );
  const probes = scores.slice(0, 20).map(({ promptId, value }) => {
    const passRate = Math.max(0, Math.min(1, 1 - value / PROMPTS + (value % 3) / 10));
    return { promptId, passRate, voteRight: passRate > 0.5 };
  });
  await store.probes.put('main', 0, probes);
  const plan = planTriage({
    name: 'main',
    scores: { estimator: 'pivot_excess', scores },
    probes,
    settings: { labels: 30, rule: 'quota' },
  });
  await store.plans.save('main', planToJson(plan));
  await store.transitions.append(transitionsOf(plan, new Map()));
  const waiting = plan.decisions.filter(({ route }) => route === 'annotate').slice(0, 5);
  const arrived = waiting.map(({ promptId }) => promptId);
  const states = await store.transitions.routes('main');
  await store.transitions.append(
    labelTransitions(arrived, states, { plan: 'main', round: 0, step: null }),
  );
  const evidence = { mu: 0.97, utility: 0.03, visits: 2, hits: 15, misses: 1 };
  const [moved] = plan.decisions.filter(({ route }) => route === 'self');
  await store.transitions.append([
    {
      ...{ promptId: moved.promptId, from: 'self', to: 'discard', rule: 'dynamic:mastered' },
      ...{ evidence, plan: 'main', round: 0, step: 4 },
    },
  ]);
  const label = { source: 'file', cost: 1, noisy: false };
  await store.labels.add('main', [
    ...ids.slice(0, 20).map((promptId, i) => ({
      ...{ ...label, promptId, answer: String(i + 1), run: null, step: null },
    })),
    { ...label, promptId: 'p30', answer: '=HYPERLINK("http://x")', run: 'alpha', step: 3 },
    { ...label, promptId: 'p31', answer: '-5', source: '@ann, "A"', run: 'alpha', step: 7 },
  ]);
}

/** A line as training writes it. */
export function stepLine(step: number, reward = step / 40): string {
  return `${JSON.stringify({
    ...{ step, reward, reward_std: 0.3, frac_reward_zero_std: 0.5, entropy: 1 / step, kl: 0 },
    ...{ 'completions/mean_length': 80 + step, num_tokens: 1000 * step, labels_used: 20 + step },
    ...{ rollouts: 128 * step, groups: 16, seconds: 2 },
  })}\n`;
}

export function logStep(workspace: string, run: string, step: number): void {
  append(workspace, run, 'metrics.jsonl', stepLine(step, step / 40 + (run === 'alpha' ? 0.1 : 0)));
}

export function logEvaluation(workspace: string, run: string, step: number, average: number): void {
  const line = { step, average, per_prompt: [0, 1], greedy: null, rollouts: 0, tokens: 0 };
  append(
    workspace,
    run,
    'evaluations.jsonl',
    `${JSON.stringify({ ...line, labels: 3, seconds: 1 })}\n`,
  );
}

/** Adds text to a log, whatever it is. */
export function append(workspace: string, run: string, log: string, text: string): void {
  const folder = join(workspace, 'runs', run);
  mkdirSync(folder, { recursive: true });
  appendFileSync(join(folder, log), text);
}
