/**
 * Tracing the pool: heads are chosen on a small batch, then every prompt is sampled and traced while it is
 * decoded. What a chunk of prompts gave is in the database before the next begins; a job that was
 * stopped goes on with the prompts that are missing.
 */
import { type Progress, stopHere } from '../../core/progress.ts';
import { isText } from '../../pool/content.ts';
import type { Prompt } from '../../pool/types.ts';
import type { Response } from '../../rollout/types.ts';
import type { Head, SensitivityRow, TraceManifest } from '../../trace/index.ts';
import { traceRequest } from '../../trace/request.ts';
import type { Policy } from '../../train/policy.ts';
import { layerPaths } from './layer-paths.ts';
import { poolPrompts } from './observations.ts';
import { samplingOf } from './policy.ts';
import {
  chooseHeads,
  type ProfileBatch,
  profileRequest,
  roundProfile,
  spread,
  writeManifest,
} from './trace-profile.ts';
import { keptSignals, type RecordStage, recordResponses, traceSettings } from './trace-record.ts';

/** Prompts per chunk: what is lost at most when the job is killed. */
const CHUNK = 128;
/** Samples of the profiling batch count from here, apart from those that are scored. */
const PROFILE_SAMPLE = 1_000_000;

export interface TraceStage extends RecordStage {
  policy: Policy;
  progress: Progress;
  stop: AbortSignal;
}

export interface TraceOutcome {
  manifest: TraceManifest;
  prompts: number;
  /** Responses and tokens of this call; what was there before is not counted. */
  responses: number;
  tokens: number;
  sensitivity: SensitivityRow[];
}

/** Traces what is missing, then sets the threshold over the whole pool and writes the manifest. */
export async function tracePool(stage: TraceStage): Promise<TraceOutcome> {
  const { store, config, round, progress } = stage;
  const prompts = await poolPrompts(store);
  // Before hours are spent on the prompts that come before one that is too long.
  const asked = prompts.map(({ id, prompt }) => ({ promptId: id, prompt }));
  await stage.policy.check(asked, samplingOf(config));
  const profile = await roundProfile(stage, () => profileBatch(stage, prompts));
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
  const manifest = await writeManifest(stage, profile);
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
  const prompts = (await stage.store.prompts.list(short)).filter(isText);
  stage.progress.start('sample probes', prompts.length, 'prompts');
  for (let at = 0; at < prompts.length; at += CHUNK) {
    stopHere(stage.stop, 'Sampling');
    await sample(stage, prompts.slice(at, at + CHUNK), samples, null, (count) => {
      stage.progress.update(Math.min(prompts.length, at + count / samples));
    });
  }
  stage.progress.finish(`${prompts.length} probes sampled up to ${samples} times`);
}

/** Traces all heads on a small batch of the pool and chooses those with the longest reach (METHOD, section 3). */
export async function profileBatch(
  { config, policy, progress }: Pick<TraceStage, 'config' | 'policy' | 'progress'>,
  prompts: readonly Prompt[],
): Promise<ProfileBatch> {
  const { layers, heads } = await policy.describe();
  const batch = spread(prompts, config.trace.profile_prompts);
  progress.start('choose heads', batch.length, 'prompts');
  const responses = await policy.generate(
    batch.map(({ id, prompt }) => ({ promptId: id, sample: PROFILE_SAMPLE, prompt })),
    samplingOf(config),
    profileRequest(config, layers, heads),
    (count) => progress.update(count),
  );
  return chooseHeads(config, { layers, heads }, responses);
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
  const { config, policy } = stage;
  const there =
    traced === null ? await sampled(stage, prompts) : await tracedSamples(stage, prompts);
  const requests = prompts.flatMap(({ id, prompt }) =>
    Array.from({ length: samples }, (_, i) => i)
      .filter((i) => there.get(id)?.has(i) !== true)
      .map((i) => ({ promptId: id, sample: i, prompt })),
  );
  const request =
    traced === null
      ? undefined
      : traceRequest(traced.heads, keptSignals(config), traceSettings(config));
  const responses = await policy.generate(requests, samplingOf(config), request, onProgress);
  const layers = traced?.layers ?? null;
  const paths = layers === null ? null : await layerPaths(stage, responses, layers);
  await recordResponses(stage, prompts, responses, paths);
  return responses;
}

/** Sample numbers that have a response, by prompt. */
async function sampled(
  { store, round }: TraceStage,
  prompts: readonly Prompt[],
): Promise<Map<string, Set<number>>> {
  const ids = prompts.map(({ id }) => id);
  const there = new Map(ids.map((id) => [id, new Set<number>()]));
  for (const { promptId, sample } of await store.rollouts.of(round, ids))
    there.get(promptId)?.add(sample);
  return there;
}

/** Sample numbers that are traced, by prompt: what came from elsewhere is not sampled again. */
async function tracedSamples(
  { store, round }: TraceStage,
  prompts: readonly Prompt[],
): Promise<Map<string, Set<number>>> {
  return await store.traces.samples(
    round,
    prompts.map(({ id }) => id),
  );
}
