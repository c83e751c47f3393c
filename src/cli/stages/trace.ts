/**
 * Tracing the pool: heads are chosen on a small batch, then every prompt is sampled and traced while it is
 * decoded. What a chunk of prompts gave is in the database before the next begins; a job that was
 * stopped goes on with the prompts that are missing.
 */
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { type Progress, stopHere } from '../../core/progress.ts';
import type { RawTrace } from '../../model/signals.ts';
import type { Prompt } from '../../pool/types.ts';
import { countVotes } from '../../reward/votes.ts';
import type { Response } from '../../rollout/types.ts';
import type { Repositories, Store, StoredRollout, StoredTrace } from '../../store/types.ts';
import {
  ChangeSketch,
  type Head,
  manifestToJson,
  type SensitivityRow,
  type SignalName,
  selectHeads,
  sensitivityTable,
  type TraceManifest,
  type TraceSettings,
  traceChanges,
} from '../../trace/index.ts';
import { allHeads, completeTrace, meanDistances, traceRequest } from '../../trace/request.ts';
import type { Policy } from '../../train/policy.ts';
import type { Verifier } from '../../verify/types.ts';
import type { Verifiers } from '../../verify/verifiers.ts';
import type { Config } from '../config.ts';
import { layerPaths } from './layer-paths.ts';
import { modelIdentity } from './model-identity.ts';
import { poolPrompts, traceManifestKey } from './observations.ts';
import { samplingOf } from './policy.ts';
import { CHOICE_OF_HEADS, timed } from './stage-cost.ts';
import { heldSignals, signalThresholds } from './trace-signals.ts';

/** Prompts per chunk: what is lost at most when the job is killed. */
const CHUNK = 128;
/** Samples of the profiling batch count from here, apart from those that are scored. */
const PROFILE_SAMPLE = 1_000_000;

export interface TraceStage {
  store: Store;
  config: Config;
  policy: Policy;
  verifiers: Pick<Verifiers, 'of'>;
  progress: Progress;
  stop: AbortSignal;
  round: number;
}

export interface TraceOutcome {
  manifest: TraceManifest;
  prompts: number;
  /** Responses and tokens of this call; what was there before is not counted. */
  responses: number;
  tokens: number;
  sensitivity: SensitivityRow[];
}

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

const profileSchema = z.object({
  model: z.string(),
  settings: z.string(),
  heads: z.array(z.object({ layer: z.number(), head: z.number() })),
  sensitivity: z.array(z.custom<SensitivityRow>((row) => typeof row === 'object' && row !== null)),
  /** What choosing the heads took; not there in rounds from before it was counted. */
  responses: z.number().optional(),
  tokens: z.number().optional(),
});
type Profile = z.infer<typeof profileSchema>;

const profileKey = (round: number) => `trace_profile/${round}`;

/** The sensitivity table that was measured when the round was profiled; empty where nothing was traced. */
export async function storedSensitivity(store: Store, round: number): Promise<SensitivityRow[]> {
  const stored = await store.meta.get(profileKey(round));
  return stored == null ? [] : profileSchema.parse(stored).sensitivity;
}

/** What was sampled to choose the round's heads; null where it is not known. */
export async function profileCost(
  store: Repositories,
  round: number,
): Promise<{ responses: number | null; tokens: number | null }> {
  const stored = await store.meta.get(profileKey(round));
  const { responses, tokens } = stored == null ? {} : profileSchema.parse(stored);
  return { responses: responses ?? null, tokens: tokens ?? null };
}

/** Traces what is missing, then sets the threshold over the whole pool and writes the manifest. */
export async function tracePool(stage: TraceStage): Promise<TraceOutcome> {
  const { store, config, round, progress } = stage;
  const prompts = await poolPrompts(store);
  // Before hours are spent on the prompts that come before one that is too long.
  const asked = prompts.map(({ id, prompt }) => ({ promptId: id, prompt }));
  await stage.policy.check(asked, samplingOf(config));
  const profile = await profileOf(stage, prompts);
  const how: Traced = {
    heads: profile.heads,
    layers: config.trace.hidden_states ? (await stage.policy.describe()).layers : null,
  };
  const perPrompt = config.trace.traces_per_prompt;
  const traced = await store.traces.counts(round);
  const waiting = prompts.filter(({ id }) => (traced.get(id) ?? 0) < perPrompt);
  let done = prompts.length - waiting.length;
  let responses = 0;
  let tokens = 0;
  progress.start('trace', prompts.length, 'prompts');
  progress.update(done);
  for (let at = 0; at < waiting.length; at += CHUNK) {
    stopHere(stage.stop, 'Tracing');
    const chunk = waiting.slice(at, at + CHUNK);
    const before = tokens;
    const made = await sample(stage, chunk, perPrompt, how, (count, sofar) => {
      progress.update(done + count / perPrompt, { tokens: before + sofar });
    });
    responses += made.length;
    tokens += made.reduce((sum, one) => sum + one.tokens.length, 0);
    done += chunk.length;
    progress.update(done, { tokens });
  }
  const manifest = await threshold(stage, profile);
  progress.finish(
    `${prompts.length} prompts traced on ${profile.heads.length} heads, threshold ${manifest.tau?.toPrecision(4) ?? 'none'}`,
  );
  return { manifest, prompts: prompts.length, responses, tokens, sensitivity: profile.sensitivity };
}

/**
 * Samples until each of `promptIds` has `samples` responses in the round, without traces: pass rates of
 * probes rest on more responses than scores do.
 */
export async function sampleMore(
  stage: TraceStage,
  promptIds: readonly string[],
  samples: number,
): Promise<void> {
  const counts = await stage.store.rollouts.counts(stage.round);
  const short = promptIds.filter((id) => (counts.get(id) ?? 0) < samples);
  if (short.length === 0) return;
  const prompts = await stage.store.prompts.list(short);
  stage.progress.start('sample probes', prompts.length, 'prompts');
  for (let at = 0; at < prompts.length; at += CHUNK) {
    stopHere(stage.stop, 'Sampling');
    await sample(stage, prompts.slice(at, at + CHUNK), samples, null, (count) => {
      stage.progress.update(Math.min(prompts.length, at + count / samples));
    });
  }
  stage.progress.finish(`${prompts.length} probes sampled up to ${samples} times`);
}

/** The heads that are traced: stored from an earlier call, or chosen now on the first prompts of a shuffled pool. */
async function profileOf(stage: TraceStage, prompts: readonly Prompt[]): Promise<Profile> {
  const { store, config, round } = stage;
  const settings = traceSettings(config);
  const model = await modelIdentity(config.model);
  const asked = JSON.stringify({
    ...settings,
    signals: keptSignals(config),
    sampling: samplingOf(config),
    // Left out where it is false: rounds from before there was the setting go on.
    hidden_states: config.trace.hidden_states || undefined,
  });
  const stored = await store.meta.get(profileKey(round));
  if (stored != null) {
    const profile = profileSchema.parse(stored);
    if (profile.model === model && profile.settings === asked) return profile;
    throw new UserError({
      wanted: `the model and trace settings that round ${round} was begun with`,
      found:
        profile.model === model
          ? `other settings: ${asked} instead of ${profile.settings}`
          : 'another model',
      where: config.workspace,
      fix: '`pivottrace trace --fresh` forgets the traces and starts again.',
    });
  }
  const batch = await timed(config.workspace, CHOICE_OF_HEADS, () => profileBatch(stage, prompts));
  const { layers, heads, meanDistance, chosen, traces } = batch;
  const sensitivity = sensitivityTable({
    prompts: traces.map((one) => [one]),
    settings,
    distances: { layers, heads, meanDistance },
    score: 'excess',
  });
  const names = chosen.map(({ layer, head }) => `${layer}.${head}`).join(', ');
  stage.progress.finish(`heads with the longest reach (layer.head): ${names}`);
  const profile: Profile = {
    model,
    settings: asked,
    heads: chosen,
    sensitivity,
    responses: batch.traces.length,
    tokens: batch.tokens,
  };
  await store.meta.put(profileKey(round), profile);
  return profile;
}

export interface ProfileBatch {
  layers: number;
  heads: number;
  /** Per head of the model, layer-major, in tokens. */
  meanDistance: Float64Array;
  /** The heads to trace. */
  chosen: Head[];
  /** Traces of the batch on all heads. */
  traces: RawTrace[];
  tokens: number;
}

/** Traces all heads on a small batch of the pool and chooses those with the longest reach (METHOD, section 3). */
export async function profileBatch(
  { config, policy, progress }: Pick<TraceStage, 'config' | 'policy' | 'progress'>,
  prompts: readonly Prompt[],
): Promise<ProfileBatch> {
  const settings = traceSettings(config);
  const { layers, heads } = await policy.describe();
  const batch = spread(prompts, config.trace.profile_prompts);
  const signals = [...new Set<SignalName>(['distance', config.trace.signal])];
  progress.start('choose heads', batch.length, 'prompts');
  const responses = await policy.generate(
    batch.map(({ id, prompt }) => ({ promptId: id, sample: PROFILE_SAMPLE, prompt })),
    samplingOf(config),
    traceRequest(allHeads(layers, heads), signals, settings),
    (count) => progress.update(count),
  );
  const traces = responses.flatMap(({ trace }) =>
    trace === undefined ? [] : [completeTrace(trace, signals, settings)],
  );
  const meanDistance = meanDistances(traces);
  const chosen = selectHeads(meanDistance, layers, heads, settings.psi, settings.minHeads);
  const tokens = responses.reduce((sum, one) => sum + one.tokens.length, 0);
  return { layers, heads, meanDistance, chosen, traces, tokens };
}

/** Evenly spaced prompts, so that a sorted pool does not give a one-sided batch. */
function spread(prompts: readonly Prompt[], count: number): Prompt[] {
  const step = Math.max(1, prompts.length / count);
  const picks = Array.from({ length: Math.min(count, prompts.length) }, (_, i) =>
    Math.floor(i * step),
  );
  return picks.map((i) => prompts[i]);
}

/** What is kept of a response beside its text. */
interface Traced {
  heads: readonly Head[];
  /** Layers of the model whose hidden states are pooled; null to pool none. */
  layers: number | null;
}

/** Samples the missing responses of `prompts` and writes them, with traces where `traced` says how. */
async function sample(
  stage: TraceStage,
  prompts: readonly Prompt[],
  samples: number,
  traced: Traced | null,
  onProgress: (responses: number, tokens: number) => void,
): Promise<Response[]> {
  const { store, config, policy, round } = stage;
  const ids = prompts.map(({ id }) => id);
  const there = new Map<string, StoredRollout[]>();
  // A traced chunk is made whole: what a killed call left of it is overwritten with the same responses.
  if (traced === null) {
    for (const one of await store.rollouts.of(round, ids)) {
      there.set(one.promptId, [...(there.get(one.promptId) ?? []), one]);
    }
  }
  const requests = prompts.flatMap(({ id, prompt }) =>
    Array.from({ length: samples }, (_, i) => i)
      .slice(there.get(id)?.length ?? 0)
      .map((i) => ({ promptId: id, sample: i, prompt })),
  );
  const settings = traceSettings(config);
  const signals = keptSignals(config);
  const request = traced === null ? undefined : traceRequest(traced.heads, signals, settings);
  const responses = await policy.generate(requests, samplingOf(config), request, onProgress);
  const layers = traced?.layers ?? null;
  const paths = layers === null ? null : await layerPaths(stage, responses, layers);
  const byPrompt = new Map<string, StoredRollout[]>();
  for (const [i, one] of responses.entries()) {
    const rollout = { ...boiledDown(one), ...(paths === null ? {} : { layerPath: paths[i] }) };
    byPrompt.set(one.promptId, [...(byPrompt.get(one.promptId) ?? []), rollout]);
  }
  const rows = await Promise.all(
    prompts.map(({ id, source }) =>
      classified(
        [...(there.get(id) ?? []), ...(byPrompt.get(id) ?? [])],
        stage.verifiers.of(source),
      ),
    ),
  );
  const traces = responses.flatMap(({ promptId, sample: i, trace }): StoredTrace[] => {
    if (trace === undefined) return [];
    const whole = completeTrace(trace, signals, settings);
    const changes = Float32Array.from(traceChanges(whole, settings));
    return [{ promptId, sample: i, trace: whole, changes }];
  });
  await store.transaction(async (tables) => {
    await tables.rollouts.put(round, rows.flat());
    if (traces.length > 0) await tables.traces.put(round, traces);
  });
  return responses;
}

/** A response as the store keeps it, before its answer is classified. */
export function boiledDown(response: Response): StoredRollout {
  const mean = (values: Float32Array) => values.reduce((sum, x) => sum + x, 0) / values.length;
  return {
    promptId: response.promptId,
    sample: response.sample,
    promptLength: response.promptLength,
    length: response.tokens.length,
    meanEntropy: mean(response.entropies),
    maxEntropy: Math.max(...response.entropies),
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

/** The thresholds over the changes of all traces of the round, and the manifest that records them. */
async function threshold(stage: TraceStage, profile: Profile): Promise<TraceManifest> {
  const { store, config, round } = stage;
  const settings = traceSettings(config);
  const sketch = new ChangeSketch();
  const all = await store.traces.changes(round);
  let tokens = 0;
  for (const { changes } of all) {
    sketch.add(changes);
    tokens += changes.length;
  }
  const tau = sketch.count === 0 ? null : sketch.tau(settings.zeta);
  const signals = heldSignals(keptSignals(config));
  const manifest: TraceManifest = {
    model: profile.model,
    settings,
    heads: profile.heads,
    tau,
    sketch: sketch.state(),
    signals,
    thresholds: await signalThresholds(store, round, signals, settings),
    traces: all.length,
    tokens,
  };
  await store.meta.put(traceManifestKey(round), manifestToJson(manifest));
  return manifest;
}
