/**
 * What a round of tracing rests on: the heads that were chosen on a small batch, and at the end the thresholds over the
 * changes of all traces. Knows nothing of where the responses came from.
 */
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import type { Progress } from '../../core/progress.ts';
import type { RawTrace } from '../../model/signals.ts';
import type { Rollout } from '../../rollout/types.ts';
import type { Repositories, Store } from '../../store/types.ts';
import {
  ChangeSketch,
  type Head,
  manifestToJson,
  type SensitivityRow,
  type SignalName,
  selectHeads,
  sensitivityTable,
  type TraceManifest,
  traceManifestKey,
} from '../../trace/index.ts';
import { allHeads, completeTrace, meanDistances, traceRequest } from '../../trace/request.ts';
import type { Config } from '../config.ts';
import { modelIdentity } from './model-identity.ts';
import { samplingOf } from './policy.ts';
import { CHOICE_OF_HEADS, timed } from './stage-cost.ts';
import { keptSignals, type RecordStage, traceSettings } from './trace-record.ts';
import { heldSignals, signalThresholds } from './trace-signals.ts';

const profileSchema = z.object({
  model: z.string(),
  settings: z.string(),
  heads: z.array(z.object({ layer: z.number(), head: z.number() })),
  sensitivity: z.array(z.custom<SensitivityRow>((row) => typeof row === 'object' && row !== null)),
  /** What choosing the heads took; not there in rounds from before it was counted. */
  responses: z.number().optional(),
  tokens: z.number().optional(),
});
export type Profile = z.infer<typeof profileSchema>;

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

type ProfileStage = RecordStage & { progress: Progress };

/**
 * The heads that the round is traced on: stored from an earlier call, or chosen now on the batch that `measure` traces.
 * UserError where the round was begun with another model or other settings.
 */
export async function roundProfile(
  stage: ProfileStage,
  measure: () => Promise<ProfileBatch>,
): Promise<Profile> {
  const { store, config, round } = stage;
  const model = await modelIdentity(config.model);
  const asked = JSON.stringify({
    ...traceSettings(config),
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
  const batch = await timed(config.workspace, CHOICE_OF_HEADS, measure);
  const { layers, heads, meanDistance, chosen, traces } = batch;
  const sensitivity = sensitivityTable({
    prompts: traces.map((one) => [one]),
    settings: traceSettings(config),
    distances: { layers, heads, meanDistance },
    score: 'excess',
  });
  const names = chosen.map(({ layer, head }) => `${layer}.${head}`).join(', ');
  stage.progress.finish(`heads with the longest reach (layer.head): ${names}`);
  const { length: responses } = traces;
  const profile = { model, settings: asked, heads: chosen, sensitivity, responses };
  const whole: Profile = { ...profile, tokens: batch.tokens };
  await store.meta.put(profileKey(round), whole);
  return whole;
}

/** What a profiling batch asks of a model of `layers` times `heads` heads. */
export function profileRequest(config: Config, layers: number, heads: number) {
  return traceRequest(allHeads(layers, heads), profileSignals(config), traceSettings(config));
}

/** The heads with the longest reach in responses that were traced on all heads (METHOD, section 3). */
export function chooseHeads(
  config: Config,
  { layers, heads }: { layers: number; heads: number },
  responses: readonly Rollout[],
): ProfileBatch {
  const settings = traceSettings(config);
  const signals = profileSignals(config);
  const traces = responses.flatMap(({ trace }) =>
    trace === undefined ? [] : [completeTrace(trace, signals, settings)],
  );
  const meanDistance = meanDistances(traces);
  const chosen = selectHeads(meanDistance, layers, heads, settings.psi, settings.minHeads);
  const tokens = responses.reduce((sum, one) => sum + one.tokens.length, 0);
  return { layers, heads, meanDistance, chosen, traces, tokens };
}

function profileSignals({ trace }: Config): SignalName[] {
  return [...new Set<SignalName>(['distance', trace.signal])];
}

/** Evenly spaced prompts, so that a sorted pool does not give a one-sided batch. */
export function spread<T>(prompts: readonly T[], count: number): T[] {
  const step = Math.max(1, prompts.length / count);
  const picks = Array.from({ length: Math.min(count, prompts.length) }, (_, i) =>
    Math.floor(i * step),
  );
  return picks.map((i) => prompts[i]);
}

/** The thresholds over the changes of all traces of the round, and the manifest that records them. */
export async function writeManifest(
  { store, config, round }: Pick<RecordStage, 'store' | 'config' | 'round'>,
  profile: Profile,
): Promise<TraceManifest> {
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
