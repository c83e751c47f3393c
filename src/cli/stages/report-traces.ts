/** The trace part of a report: example responses, and how much the score depends on its settings. */
import { loadTokenizer, type Tokenizer } from '../../model/tokenizer.ts';
import { textOf } from '../../pool/content.ts';
import type { PoolPrompt } from '../../pool/types.ts';
import type { ExampleTrace, RouteName, Sensitivity } from '../../report/data.ts';
import type { Repositories, Store, StoredRollout, StoredTrace } from '../../store/types.ts';
import { signalSeries } from '../../trace/changes.ts';
import { findPivots } from '../../trace/pivots.ts';
import type { SensitivityRow } from '../../trace/sensitivity.ts';
import type { SignalName, TraceManifest } from '../../trace/types.ts';
import type { Decision, TriagePlan } from '../../triage/types.ts';
import { traceManifest } from './observations.ts';
import { storedSensitivity } from './trace-profile.ts';

const routeNames: readonly RouteName[] = ['annotate', 'self', 'discard'];

const units: Record<SignalName, string> = {
  far_mass: 'share of attention',
  distance: 'tokens',
  entropy: 'share of the largest',
  change: 'share of attention',
  received: 'share of attention',
  agreement: 'correlation',
};

/** The verdict on a response; null where no label of its prompt was bought. */
export type Judge = (promptId: string, response: string) => Promise<ExampleTrace['verdict']>;

/** The prompts that examples are of. */
export function exampleIds(plan: TriagePlan): string[] {
  return examplesIn(plan).map(({ promptId }) => promptId);
}

function examplesIn({ decisions }: TriagePlan): Decision[] {
  return routeNames.flatMap((route) => middle(decisions, route));
}

/** One example per route: its middle prompt, with the first traced response. null where nothing was traced. */
export async function exampleTraces(
  store: Repositories,
  plan: TriagePlan,
  prompts: readonly PoolPrompt[],
  model: string,
  judge: Judge,
): Promise<ExampleTrace[] | null> {
  const manifest = await traceManifest(store, plan.round);
  if (manifest === undefined) return null;
  const tokenizer = loadTokenizer(model);
  const chosen = examplesIn(plan);
  const ids = chosen.map((decision) => decision.promptId);
  const rollouts = firstOf(await store.rollouts.of(plan.round, ids));
  const traces = firstOf(await store.traces.of(plan.round, ids));
  const promptOf = new Map(prompts.map((prompt) => [prompt.id, prompt]));
  const examples = chosen.map(async (decision): Promise<ExampleTrace[]> => {
    const prompt = promptOf.get(decision.promptId);
    const rollout = rollouts.get(decision.promptId);
    const trace = traces.get(decision.promptId);
    if (prompt === undefined || rollout === undefined || trace === undefined) return [];
    const known = plan.calibration.dots.find((dot) => dot.promptId === decision.promptId);
    return [
      {
        promptId: decision.promptId,
        route: decision.route,
        prompt: promptText(prompt),
        signalName: manifest.settings.signal.replace('_', ' '),
        unit: units[manifest.settings.signal],
        threshold: manifest.tau,
        tokens: tokensOf(rollout, trace, manifest, tokenizer),
        answer: rollout.answer,
        verdict: await judge(decision.promptId, rollout.text),
        score: decision.score,
        rank: decision.rank / plan.decisions.length,
        passRate: known?.passRate ?? null,
      },
    ];
  });
  return (await Promise.all(examples)).flat();
}

function middle(decisions: readonly Decision[], route: RouteName): Decision[] {
  const own = decisions.filter((one) => one.route === route);
  return own.slice(Math.floor(own.length / 2), Math.floor(own.length / 2) + 1);
}

function firstOf<T extends { promptId: string; sample: number }>(
  rows: readonly T[],
): Map<string, T> {
  return new Map(rows.filter((row) => row.sample === 0).map((row) => [row.promptId, row]));
}

function promptText({ prompt }: PoolPrompt): string {
  if (typeof prompt === 'string') return prompt;
  return prompt.map(({ role, content }) => `${role}: ${textOf(content)}`).join('\n');
}

function tokensOf(
  rollout: StoredRollout,
  { trace, changes }: StoredTrace,
  { settings, heads, tau }: TraceManifest,
  tokenizer: Tokenizer,
): ExampleTrace['tokens'] {
  const series = signalSeries(trace, settings.signal, heads);
  const steps = changes ?? new Float32Array(trace.tokens);
  const pivots = new Set(tau === null ? [] : findPivots(steps, tau, settings.delta));
  return Array.from(rollout.tokens, (id, t) => ({
    text: tokenizer.tokenText(id),
    signal: series[t] ?? Number.NaN,
    change: steps[t] ?? Number.NaN,
    pivot: pivots.has(t),
  }));
}

/** The sensitivity table that was measured when the round was traced; null where it was not. */
export async function sensitivity(
  store: Store,
  round: number,
  profilePrompts: number,
): Promise<Sensitivity | null> {
  const rows = await storedSensitivity(store, round);
  if (rows.length === 0) return null;
  return { traces: profilePrompts, rows: rows.map(sensitivityRow) };
}

function sensitivityRow(row: SensitivityRow): Sensitivity['rows'][number] {
  const settings = {
    zeta: `${row.value}th percentile`,
    psi: `${+(100 * row.value).toFixed(1)} % of heads`,
    delta: `${row.value} tokens`,
  };
  return {
    parameter: row.parameter === 'delta' ? 'Delta' : row.parameter,
    setting: settings[row.parameter],
    isDefault: row.inUse,
    withDefault: row.spearman,
    threshold: row.tau,
    published: row.published,
  };
}
