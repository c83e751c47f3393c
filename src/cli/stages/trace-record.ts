/**
 * Puts responses into the store, wherever they were made: answers are extracted and grouped into classes, traces
 * are completed, and all of it is written at once. Knows nothing of how responses or traces came to be.
 */
import type { Prompt } from '../../pool/types.ts';
import { countVotes } from '../../reward/votes.ts';
import type { Rollout } from '../../rollout/types.ts';
import type { Repositories, Store, StoredRollout, StoredTrace } from '../../store/types.ts';
import { type SignalName, type TraceSettings, traceChanges } from '../../trace/index.ts';
import { completeTrace } from '../../trace/request.ts';
import type { LayerPath } from '../../uncertainty/types.ts';
import type { Verifier } from '../../verify/types.ts';
import type { Verifiers } from '../../verify/verifiers.ts';
import type { Config } from '../config.ts';

export function traceSettings({ trace }: Config): TraceSettings {
  return {
    signal: trace.signal,
    psi: trace.psi,
    delta: trace.delta,
    zeta: trace.zeta,
    sinks: trace.sinks,
    window: trace.window,
    minHeads: trace.min_heads,
    agreementWindow: trace.agreement_window,
  };
}

/** The signals that are kept: the one that makes pivots first. */
export function keptSignals({ trace }: Config): SignalName[] {
  return [...new Set([trace.signal, ...trace.extra_signals])];
}

export interface RecordStage {
  store: Store;
  config: Config;
  verifiers: Pick<Verifiers, 'of'>;
  round: number;
}

/**
 * Writes responses of `prompts` with their traces, where they have one, in one transaction: a killed call leaves all
 * or nothing. A response replaces the stored one of the same prompt and sample; the others stay, and the answers of
 * all are compared again. Traces hold at least the signals of `keptSignals` but for agreement, which is made here.
 * `paths`, in the order of `responses`: their ways through the layers; null where they were not followed. `also` is
 * done in the same transaction.
 */
export async function recordResponses(
  stage: RecordStage,
  prompts: readonly Prompt[],
  responses: readonly Rollout[],
  paths: readonly LayerPath[] | null,
  also: (tables: Repositories) => Promise<void> = async () => {},
): Promise<void> {
  const settings = traceSettings(stage.config);
  const signals = keptSignals(stage.config);
  const rollouts = responses.map((one, i) => ({
    ...boiledDown(one),
    ...(paths === null ? {} : { layerPath: paths[i] }),
  }));
  const traces = responses.flatMap(({ promptId, sample, trace }): StoredTrace[] => {
    if (trace === undefined) return [];
    const whole = completeTrace(trace, signals, settings);
    const changes = Float32Array.from(traceChanges(whole, settings));
    return [{ promptId, sample, trace: whole, changes }];
  });
  await recordRollouts(stage, prompts, rollouts, traces, also);
}

/** As `recordResponses`, of what the store keeps of a response; answers need not be extracted yet. */
export async function recordRollouts(
  { store, verifiers, round }: RecordStage,
  prompts: readonly Prompt[],
  rollouts: readonly StoredRollout[],
  traces: readonly StoredTrace[] = [],
  also: (tables: Repositories) => Promise<void> = async () => {},
): Promise<void> {
  const ids = prompts.map(({ id }) => id);
  const byPrompt = bySample([...(await store.rollouts.of(round, ids)), ...rollouts]);
  const rows = await Promise.all(
    prompts.map(({ id, source }) => classified(byPrompt.get(id) ?? [], verifiers.of(source))),
  );
  await store.transaction(async (tables) => {
    await tables.rollouts.put(round, rows.flat());
    if (traces.length > 0) await tables.traces.put(round, traces);
    await also(tables);
  });
}

/** The rollouts of each prompt by sample number, later ones in place of earlier ones. */
function bySample(rollouts: readonly StoredRollout[]): Map<string, StoredRollout[]> {
  const samples = new Map<string, Map<number, StoredRollout>>();
  for (const one of rollouts) {
    const own = samples.get(one.promptId) ?? new Map<number, StoredRollout>();
    samples.set(one.promptId, own.set(one.sample, one));
  }
  const sorted = (own: Map<number, StoredRollout>) =>
    [...own.values()].sort((a, b) => a.sample - b.sample);
  return new Map([...samples].map(([id, own]) => [id, sorted(own)]));
}

/** A response as the store keeps it, before its answer is classified. */
export function boiledDown(response: Rollout): StoredRollout {
  const mean = (values: Float32Array) => values.reduce((sum, x) => sum + x, 0) / values.length;
  return {
    promptId: response.promptId,
    sample: response.sample,
    promptLength: response.promptLength,
    length: response.tokens.length,
    meanEntropy: mean(response.entropies),
    maxEntropy: response.entropies.reduce((a, b) => Math.max(a, b), 0),
    meanSelfCertainty: mean(response.selfCertainty),
    meanLogprob: mean(response.logprobs),
    answer: null,
    answerClass: -1,
    finish: response.finish,
    text: response.text,
    tokens: response.tokens,
  };
}

/** The responses of one prompt with their answers and equivalence classes. */
export async function classified(
  rollouts: readonly StoredRollout[],
  verifier: Verifier,
): Promise<StoredRollout[]> {
  const { answers, classes } = await countVotes(
    rollouts.map(({ text }) => text),
    verifier,
  );
  return rollouts.map((rollout, i) => ({
    ...rollout,
    answer: answers[i] ?? null,
    answerClass: classes[i],
  }));
}
