/**
 * Tracing the pool on a Ray cluster: heads are chosen on a profile, then all of the pool is traced. Whatever is lost on the way
 * (a worker, the cluster, this process), the same command goes on.
 */
import type { Collector } from '../../cluster/collect.ts';
import type { Shard } from '../../cluster/shards.ts';
import type { HeadChoice, TraceAsk } from '../../cluster/trace-files.ts';
import type { Prompt } from '../../pool/types.ts';
import type { GivenResponse } from './cluster-given.ts';
import { followingOf, jobsOf, stopJob } from './cluster-job.ts';
import { promptEncoder } from './cluster-model.ts';
import {
  type Chunk,
  collectorOf,
  notTakenIn,
  type RayRound,
  type RayStage,
  rayRound,
  submissionBase,
  takeInAll,
  writeChunks,
} from './cluster-round.ts';
import { poolPrompts } from './observations.ts';
import type { TraceOutcome } from './trace.ts';
import {
  chooseHeads,
  type ProfileBatch,
  profileRequest,
  roundProfile,
  spread,
  writeManifest,
} from './trace-profile.ts';
import { traceSettings } from './trace-record.ts';

/** Samples of the profiling batch count from here, apart from those that are scored. */
const PROFILE_SAMPLE = 1_000_000;

export interface RayTraceStage extends RayStage {
  /** Responses by prompt, to be traced as they are; null: workers sample them. Prompts without one are left out. */
  given: ReadonlyMap<string, readonly GivenResponse[]> | null;
}

/** A round in which the whole pool is traced. */
interface PoolRound extends RayRound {
  /** Of the submission. */
  base: string;
  chunks: readonly Chunk[];
  /** Chunks on which heads are chosen. */
  profile: readonly string[];
}

/** Traces what is missing on the cluster, then sets the threshold over the whole pool and writes the manifest. */
export async function tracePoolOnRay(stage: RayTraceStage): Promise<TraceOutcome> {
  const { store, progress } = stage;
  const jobs = jobsOf(stage);
  const round = await prepare(stage);
  const open = await openChunks(stage, round);
  let choice: HeadChoice | null = null;
  const collector = collectorOf(
    ...([stage, jobs, round, round.base, open] as const),
    () => choice ?? profileChoice(stage, round),
  );
  const profile = await roundProfile(stage, () => measured(stage, round, collector));
  choice = { heads: profile.heads };
  const work = { title: 'trace on Ray', chunks: round.chunks, open };
  const done = await takeInAll(stage, round, collector, profile, work);
  const manifest = await writeManifest(stage, profile);
  const tau = manifest.tau?.toPrecision(4) ?? 'none';
  progress.finish(`${done.prompts} prompts on ${profile.heads.length} heads, threshold ${tau}`);
  const { length: prompts } = await poolPrompts(store);
  return { manifest, ...done, prompts, sensitivity: profile.sensitivity };
}

/** Ends the round's job on the cluster; what it has made stays. Returns its name, null where none runs. */
export async function stopRayTrace(stage: RayTraceStage): Promise<string | null> {
  const jobs = jobsOf(stage);
  const { base } = await prepare(stage);
  return await stopJob(followingOf(stage, jobs, base));
}

/** Writes the requests of the round. What is there already is left as it is. */
async function prepare(stage: RayTraceStage): Promise<PoolRound> {
  const { store, config, given } = stage;
  const round = await rayRound(stage);
  const all = await poolPrompts(store);
  const prompts = given === null ? all : all.filter(({ id }) => given.has(id));
  const tokensOf = promptEncoder(config);
  const chunks = writeChunks(round, 'part', prompts, config.ray.chunk, (prompt) =>
    asksOf(stage, prompt, tokensOf),
  );
  const profile = writeProfile(stage, round, prompts, tokensOf);
  return { ...round, base: submissionBase(round, chunks), chunks, profile };
}

type Encoder = ReturnType<typeof promptEncoder>;

function asksOf({ config, given }: RayTraceStage, prompt: Prompt, tokensOf: Encoder): TraceAsk[] {
  const { id } = prompt;
  const { rollout, trace } = config;
  if (given === null) {
    const promptTokens = tokensOf(prompt, rollout.max_tokens);
    return Array.from({ length: trace.traces_per_prompt }, (_, sample) => ({
      ...{ promptId: id, sample, promptTokens },
      response: null,
    }));
  }
  // Only where prompts are cut do all of them leave the same room.
  const least = rollout.long_prompts === 'cut' ? rollout.max_tokens : 0;
  return (given.get(id) ?? []).map(({ sample, tokens, text, finish }) => ({
    ...{ promptId: id, sample },
    promptTokens: tokensOf(prompt, Math.max(least, tokens.length)),
    response: { tokens, text, finish },
  }));
}

/** The batch on which heads are chosen: one response of each of some prompts, in chunks so that all workers take part. */
function writeProfile(
  stage: RayTraceStage,
  round: RayRound,
  prompts: readonly Prompt[],
  tokensOf: Encoder,
): string[] {
  const { config, given } = stage;
  const batch = spread(prompts, config.trace.profile_prompts);
  const size = Math.max(
    1,
    Math.min(config.ray.chunk, Math.ceil(batch.length / config.ray.workers)),
  );
  const chunks = writeChunks(round, 'profile', batch, size, (prompt) => {
    const [first] = asksOf(stage, prompt, tokensOf);
    return [given === null ? { ...first, sample: PROFILE_SAMPLE } : first];
  });
  return chunks.map(({ name }) => name);
}

/** Chunks that are not in the database: neither from a shard, nor traced whole by another engine. */
async function openChunks(stage: RayTraceStage, round: PoolRound): Promise<Chunk[]> {
  const { store, config, given } = stage;
  const traced = await store.traces.counts(stage.round);
  const wanted = ({ id }: Prompt) => given?.get(id)?.length ?? config.trace.traces_per_prompt;
  const lacks = (prompt: Prompt) => (traced.get(prompt.id) ?? 0) < wanted(prompt);
  return await notTakenIn(
    stage,
    round,
    round.chunks.filter(({ prompts }) => prompts.some(lacks)),
  );
}

function profileChoice({ config }: RayTraceStage, { profile }: PoolRound): HeadChoice {
  const { psi, minHeads } = traceSettings(config);
  const { signals } = profileRequest(config, 1, 1);
  return { chunks: profile, signals, psi, minHeads };
}

/** The heads of the round, from shards of the profile. */
async function measured(
  { config, progress }: RayTraceStage,
  { profile, folder }: PoolRound,
  collector: Collector,
): Promise<ProfileBatch> {
  progress.start('choose heads on Ray', profile.length, 'chunks');
  const shards: Shard[] = [];
  for await (const shard of collector.arrivals(profile)) {
    shards.push(shard);
    progress.update(shards.length);
  }
  const [{ heads } = { heads: [] }] = shards;
  const layers = 1 + Math.max(-1, ...heads.map(({ layer }) => layer));
  if (heads.length === 0 || heads.length % layers !== 0)
    throw new Error(`a profile of ${heads.length} heads in ${layers} layers, in ${folder}`);
  const byName = new Map(shards.map((shard) => [shard.chunk, shard]));
  const rollouts = profile.flatMap((name) => byName.get(name)?.rollouts ?? []);
  return chooseHeads(config, { layers, heads: heads.length / layers }, rollouts);
}
