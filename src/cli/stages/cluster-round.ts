/**
 * What is asked of a Ray cluster in a round: requests in the workspace, a job that makes shards of them, and shards that
 * are taken in once each, in one transaction with the note that they were. Knows nothing of what is asked, or why.
 */
import { join } from 'node:path';
import { Collector } from '../../cluster/collect.ts';
import type { RayJobs } from '../../cluster/jobs.ts';
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
import { type ClusterStage, followingOf, sentenceOf } from './cluster-job.ts';
import { clusterModel } from './cluster-model.ts';
import { modelIdentity } from './model-identity.ts';
import { samplingOf } from './policy.ts';
import type { Profile } from './trace-profile.ts';
import { keptSignals, type RecordStage, recordResponses, traceSettings } from './trace-record.ts';

export interface RayStage extends RecordStage, ClusterStage {
  progress: Progress;
}

/** Prompts whose responses become one shard. */
export interface Chunk {
  name: string;
  prompts: readonly Prompt[];
}

/** Where the files of a round are, and what its jobs are made of. */
export interface RayRound {
  folder: string;
  /** Name of the folder, which tells one job's shards from another's. */
  key: string;
  settings: JobSettings;
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

/** The round as configured; nothing is written yet. UserError for what workers cannot do. */
export async function rayRound({ store, config, round }: RayStage): Promise<RayRound> {
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
  return { folder: join(config.workspace, 'ray', key), key, settings };
}

/** Writes requests for `prompts`, `size` to a chunk. What is there already is left as it is. */
export function writeChunks(
  { folder }: RayRound,
  prefix: string,
  prompts: readonly Prompt[],
  size: number,
  asksOf: (prompt: Prompt) => readonly TraceAsk[],
): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 0; at < prompts.length; at += size) {
    const part = prompts.slice(at, at + size);
    const name = writeChunk(folder, prefix, chunks.length, part.flatMap(asksOf));
    chunks.push({ name, prompts: part });
  }
  return chunks;
}

/** What submissions for `chunks` are called. */
export function submissionBase({ folder }: RayRound, chunks: readonly Chunk[]): string {
  // The folder too: another workspace on this cluster has jobs of its own.
  return `pivottrace-trace-${jobDigest([folder, chunks.map(({ name }) => name)])}`;
}

/** Those of `chunks` whose shard is not in the database. */
export async function notTakenIn(
  { store }: RayStage,
  { key }: RayRound,
  chunks: readonly Chunk[],
): Promise<Chunk[]> {
  const open: Chunk[] = [];
  for (const chunk of chunks) {
    if ((await store.meta.get(shardKey(key, chunk.name))) === undefined) open.push(chunk);
  }
  return open;
}

/** Collects the shards of a job that is called `base` and makes those of `open`, on the heads that `choice` tells. */
export function collectorOf(
  stage: RayStage,
  jobs: RayJobs,
  { folder, settings }: RayRound,
  base: string,
  open: readonly Chunk[],
  choice: () => HeadChoice,
): Collector {
  return new Collector({
    ...followingOf(stage, jobs, base),
    folder,
    order: async () => {
      const names = open.map(({ name }) => name);
      const spec = writeSpec(folder, settings, choice(), names);
      const python = shellWord(stage.config.ray.python, 'ray.python');
      return {
        // Fixed words, and paths in quotes.
        entrypoint: `${python} -m pivottrace_ray.trace_job --spec ${shellWord(spec, 'workspace')}`,
        runtimeEnv: {
          working_dir: await uploadPythonPackage(jobs),
          // Models are read from disk; nothing is asked of the network.
          env_vars: { HF_HUB_OFFLINE: '1', TOKENIZERS_PARALLELISM: 'false' },
        },
        metadata: { pivottrace: 'trace' },
      };
    },
    onEvent: (event) => hear(stage, event),
  });
}

/** What is asked for, as progress calls it, and what of it is not there yet. */
export interface RayWork {
  title: string;
  chunks: readonly Chunk[];
  open: readonly Chunk[];
}

/** Writes the responses of each open shard as it comes, and that it was taken in. Returns all prompts, and what is new. */
export async function takeInAll(
  stage: RayStage,
  round: RayRound,
  collector: Collector,
  profile: Profile,
  { title, chunks, open }: RayWork,
): Promise<{ prompts: number; responses: number; tokens: number }> {
  const total = promptsIn(chunks);
  const done = { prompts: total - promptsIn(open), responses: 0, tokens: 0 };
  stage.progress.start(title, total, 'prompts');
  stage.progress.update(done.prompts);
  const byName = new Map(open.map((chunk) => [chunk.name, chunk]));
  for await (const shard of collector.arrivals(open.map(({ name }) => name))) {
    const prompts = byName.get(shard.chunk)?.prompts ?? [];
    await takeIn(stage, round, profile, prompts, shard);
    done.prompts += prompts.length;
    done.responses += shard.rollouts.length;
    done.tokens += shard.rollouts.reduce((sum, { tokens }) => sum + tokens.length, 0);
    stage.progress.update(done.prompts, { tokens: done.tokens });
  }
  return done;
}

function promptsIn(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { prompts }) => sum + prompts.length, 0);
}

/** Writes the responses of a shard, and that they were taken in. */
async function takeIn(
  stage: RayStage,
  { key, folder }: RayRound,
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

function hear({ note, progress }: RayStage, event: JobEvent): void {
  const sentence = sentenceOf(event);
  if (sentence !== null) note(sentence);
  if (event.event === 'start' && event.chunks > 0) {
    note(`The job has ${event.chunks} chunks to make; ${event.there} are there.`);
    progress.update(0);
  }
}
