/**
 * Tracing the pool on a Ray cluster: requests are written to the workspace, a job makes shards of them, and each shard is
 * taken in once, in one transaction with the note that it was. Whatever is lost on the way (a worker, the cluster, this
 * process), the same command goes on.
 */
import { join } from 'node:path';
import { Collector } from '../../cluster/collect.ts';
import type { JobEvent } from '../../cluster/log.ts';
import { uploadPythonPackage } from '../../cluster/python-package.ts';
import type { Shard } from '../../cluster/shards.ts';
import {
  type HeadChoice,
  type JobSettings,
  jobDigest,
  type TraceAsk,
  writeChunk,
  writeSpec,
} from '../../cluster/trace-files.ts';
import { UserError } from '../../core/errors.ts';
import type { Progress } from '../../core/progress.ts';
import { shellWord } from '../../export/shell.ts';
import { loadTokenizer } from '../../model/tokenizer.ts';
import type { Prompt } from '../../pool/types.ts';
import type { Repositories } from '../../store/types.ts';
import { traceRequest } from '../../trace/request.ts';
import type { GivenResponse } from './cluster-given.ts';
import { type ClusterStage, followingOf, jobsOf, sentenceOf, stopJob } from './cluster-job.ts';
import { clusterModel, promptEncoder } from './cluster-model.ts';
import { modelIdentity } from './model-identity.ts';
import { poolPrompts } from './observations.ts';
import { samplingOf } from './policy.ts';
import type { TraceOutcome } from './trace.ts';
import {
  chooseHeads,
  type Profile,
  type ProfileBatch,
  profileRequest,
  roundProfile,
  spread,
  writeManifest,
} from './trace-profile.ts';
import { keptSignals, type RecordStage, recordResponses, traceSettings } from './trace-record.ts';

/** Samples of the profiling batch count from here, apart from those that are scored. */
const PROFILE_SAMPLE = 1_000_000;

export interface RayTraceStage extends RecordStage, ClusterStage {
  progress: Progress;
  /** Responses by prompt, to be traced as they are; null: workers sample them. Prompts without one are left out. */
  given: ReadonlyMap<string, readonly GivenResponse[]> | null;
}

const generationKey = (round: number) => `ray_generation/${round}`;
const shardKey = (folder: string, chunk: string) => `ray_shard/${folder}/${chunk}`;

/** Lets the round begin anew: shards of before are neither taken in nor counted as taken in. */
export async function forgetRayRound(tables: Repositories, round: number): Promise<void> {
  await tables.meta.put(generationKey(round), (await generation(tables, round)) + 1);
}

async function generation({ meta }: Pick<Repositories, 'meta'>, round: number): Promise<number> {
  const stored = await meta.get(generationKey(round));
  return typeof stored === 'number' ? stored : 0;
}

/** A part of the pool that becomes one shard. */
interface Chunk {
  name: string;
  prompts: readonly Prompt[];
}

/** A round on the cluster: where its files are, what it is called, and its parts. */
interface Round {
  folder: string;
  /** Name of the folder, which tells one job's shards from another's. */
  key: string;
  /** Of the submission. */
  base: string;
  settings: JobSettings;
  chunks: readonly Chunk[];
  /** Parts on which heads are chosen. */
  profile: readonly string[];
}

/** Traces what is missing on the cluster, then sets the threshold over the whole pool and writes the manifest. */
export async function tracePoolOnRay(stage: RayTraceStage): Promise<TraceOutcome> {
  const { store, progress } = stage;
  const jobs = jobsOf(stage);
  const round = await prepare(stage);
  const open = await openChunks(stage, round);
  const done = { prompts: 0, responses: 0, tokens: 0 };
  let choice: HeadChoice | null = null;
  const collector = new Collector({
    ...followingOf(stage, jobs, round.base),
    folder: round.folder,
    order: async () => ({
      entrypoint: entrypointOf(stage, round, choice ?? profileChoice(stage, round), open),
      runtimeEnv: {
        working_dir: await uploadPythonPackage(jobs),
        // Models are read from disk; nothing is asked of the network.
        env_vars: { HF_HUB_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false' },
      },
      metadata: { pivottrace: 'trace' },
    }),
    onEvent: (event) => hear(stage, event),
  });
  const profile = await roundProfile(stage, () => measured(stage, round, collector));
  choice = { heads: profile.heads };
  const total = round.chunks.reduce((sum, { prompts }) => sum + prompts.length, 0);
  done.prompts = total - open.reduce((sum, { prompts }) => sum + prompts.length, 0);
  progress.start('trace on Ray', total, 'prompts');
  progress.update(done.prompts);
  const byName = new Map(open.map((chunk) => [chunk.name, chunk]));
  for await (const shard of collector.arrivals(open.map(({ name }) => name))) {
    const prompts = byName.get(shard.chunk)?.prompts ?? [];
    await takeIn(stage, round, profile, prompts, shard);
    done.prompts += prompts.length;
    done.responses += shard.rollouts.length;
    done.tokens += shard.rollouts.reduce((sum, { tokens }) => sum + tokens.length, 0);
    progress.update(done.prompts, { tokens: done.tokens });
  }
  const manifest = await writeManifest(stage, profile);
  const tau = manifest.tau?.toPrecision(4) ?? 'none';
  progress.finish(`${total} prompts on ${profile.heads.length} heads, threshold ${tau}`);
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
async function prepare(stage: RayTraceStage): Promise<Round> {
  const { store, config, round, given } = stage;
  if (config.trace.hidden_states) {
    throw new UserError({
      wanted: 'trace.hidden_states=false with --engine ray',
      found: 'true',
      where: 'trace.hidden_states',
      fix: 'Workers pool no hidden states: leave them out, or trace in this process.',
    });
  }
  const model = clusterModel(config.model);
  const settings: JobSettings = {
    model,
    dtype: config.ray.dtype,
    trace: traceRequest([], keptSignals(config), traceSettings(config)),
    sampling: samplingOf(config),
    eos: loadTokenizer(model).eosIds,
    batchSize: config.rollout.batch_size,
    workers: {
      count: config.ray.workers,
      cpus: config.ray.cpus_per_worker,
      gpus: config.ray.gpus_per_worker,
    },
  };
  // Workers may come and go; all else makes another job.
  const { workers: _, ...own } = settings;
  const identity = await modelIdentity(model);
  const begun = await generation(store, round);
  const key = `round-${round}-${jobDigest([identity, own, begun])}`;
  const folder = join(config.workspace, 'ray', key);
  const all = await poolPrompts(store);
  const prompts = given === null ? all : all.filter(({ id }) => given.has(id));
  const tokensOf = promptEncoder(config);
  const chunks: Chunk[] = [];
  for (let at = 0; at < prompts.length; at += config.ray.chunk) {
    const part = prompts.slice(at, at + config.ray.chunk);
    const asks = part.flatMap((prompt) => asksOf(stage, prompt, tokensOf));
    chunks.push({ name: writeChunk(folder, 'part', chunks.length, asks), prompts: part });
  }
  const profile = writeProfile(stage, folder, prompts, tokensOf);
  // The folder too: another workspace on this cluster has jobs of its own.
  const base = `pivottrace-trace-${jobDigest([folder, chunks.map(({ name }) => name)])}`;
  return { folder, key, base, settings, chunks, profile };
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
  folder: string,
  prompts: readonly Prompt[],
  tokensOf: Encoder,
): string[] {
  const { config, given } = stage;
  const batch = spread(prompts, config.trace.profile_prompts);
  const size = Math.max(
    1,
    Math.min(config.ray.chunk, Math.ceil(batch.length / config.ray.workers)),
  );
  const names: string[] = [];
  for (let at = 0; at < batch.length; at += size) {
    const asks = batch.slice(at, at + size).flatMap((prompt) => {
      const [first] = asksOf(stage, prompt, tokensOf);
      return [given === null ? { ...first, sample: PROFILE_SAMPLE } : first];
    });
    names.push(writeChunk(folder, 'profile', names.length, asks));
  }
  return names;
}

/** Chunks that are not in the database: neither from a shard, nor traced whole by another engine. */
async function openChunks(
  { store, round, config, given }: RayTraceStage,
  of: Round,
): Promise<Chunk[]> {
  const traced = await store.traces.counts(round);
  const wanted = ({ id }: Prompt) => given?.get(id)?.length ?? config.trace.traces_per_prompt;
  const open: Chunk[] = [];
  for (const chunk of of.chunks) {
    if (chunk.prompts.every((prompt) => (traced.get(prompt.id) ?? 0) >= wanted(prompt))) continue;
    if ((await store.meta.get(shardKey(of.key, chunk.name))) === undefined) open.push(chunk);
  }
  return open;
}

function profileChoice({ config }: RayTraceStage, { profile }: Round): HeadChoice {
  const { psi, minHeads } = traceSettings(config);
  const { signals } = profileRequest(config, 1, 1);
  return { chunks: profile, signals, psi, minHeads };
}

/** What the job is started with: fixed words, and paths in quotes. */
function entrypointOf(
  { config }: RayTraceStage,
  { folder, settings }: Round,
  choice: HeadChoice,
  open: readonly Chunk[],
): string {
  const names = open.map(({ name }) => name);
  const spec = writeSpec(folder, settings, choice, names);
  const python = shellWord(config.ray.python, 'ray.python');
  return `${python} -m pivottrace_ray.trace_job --spec ${shellWord(spec, 'workspace')}`;
}

/** The heads of the round, from shards of the profile. */
async function measured(
  { config, progress }: RayTraceStage,
  { profile, folder }: Round,
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

/** Writes the responses of a shard, and that they were taken in. */
async function takeIn(
  stage: RayTraceStage,
  { key, folder }: Round,
  profile: Profile,
  prompts: readonly Prompt[],
  { chunk, heads, sha256, rollouts }: Shard,
): Promise<void> {
  const kept = profile.heads;
  const same =
    kept.length === heads.length &&
    kept.every(({ layer, head }, i) => heads[i].layer === layer && heads[i].head === head);
  const known = new Set(prompts.map(({ id }) => id));
  const stranger = rollouts.find(({ promptId }) => !known.has(promptId));
  if (!same || stranger !== undefined) {
    throw new UserError({
      wanted: 'traces of the prompts and heads that were asked for',
      found: same ? `prompt ${JSON.stringify(stranger?.promptId)}` : 'other heads',
      where: join(folder, 'shards', `${chunk}.parquet`),
      fix: '`pivottrace trace --engine ray --fresh` starts again.',
    });
  }
  await recordResponses(stage, prompts, rollouts, null, async (tables) => {
    await tables.meta.put(shardKey(key, chunk), { sha256, rows: rollouts.length });
  });
}

function hear({ note, progress }: RayTraceStage, event: JobEvent): void {
  const sentence = sentenceOf(event);
  if (sentence !== null) note(sentence);
  if (event.event === 'start' && event.chunks > 0) {
    note(`The job has ${event.chunks} chunks to make; ${event.there} are there.`);
    progress.update(0);
  }
}
