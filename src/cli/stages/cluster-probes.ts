/**
 * Further responses to probes from the Ray cluster that traced their round: a model that is traced there may be too large
 * for this machine. The same call goes on where an earlier one was stopped or killed.
 */
import { z } from 'zod';
import { jobDigest, type TraceAsk } from '../../cluster/trace-files.ts';
import { isText } from '../../pool/content.ts';
import { jobsOf } from './cluster-job.ts';
import { promptEncoder } from './cluster-model.ts';
import {
  collectorOf,
  notTakenIn,
  type RayRound,
  type RayStage,
  rayRound,
  submissionBase,
  takeInAll,
  writeChunks,
} from './cluster-round.ts';
import { roundProfile } from './trace-profile.ts';

/** Numbers of the samples that a prompt lacks, by its id. */
const lackSchema = z.record(z.string(), z.array(z.int()));

/** Sees to it that each of `promptIds` has `samples` responses in the round; new ones are traced like the others. */
export async function sampleMoreOnRay(
  stage: RayStage,
  promptIds: readonly string[],
  samples: number,
): Promise<void> {
  const { store, config, progress } = stage;
  const jobs = jobsOf(stage);
  const round = await rayRound(stage);
  const lack = await lacking(stage, round, promptIds, samples);
  const prompts = (await store.prompts.list(promptIds))
    .filter(isText)
    .filter(({ id }) => (lack.get(id)?.length ?? 0) > 0);
  const tokensOf = promptEncoder(config);
  const chunks = writeChunks(round, 'probe', prompts, config.ray.chunk, (prompt) => {
    const promptTokens = tokensOf(prompt, config.rollout.max_tokens);
    return (lack.get(prompt.id) ?? []).map(
      (sample): TraceAsk => ({ promptId: prompt.id, sample, promptTokens, response: null }),
    );
  });
  const open = await notTakenIn(stage, round, chunks);
  if (open.length === 0) return;
  const profile = await roundProfile(stage, () => {
    throw new Error('a round of the cluster has heads before it has probes');
  });
  const base = submissionBase(round, chunks);
  const collector = collectorOf(stage, jobs, round, base, open, () => ({ heads: profile.heads }));
  const work = { title: 'sample probes on Ray', chunks, open };
  await takeInAll(stage, round, collector, profile, work);
  progress.finish(`${prompts.length} probes sampled up to ${samples} times`);
}

/**
 * What is asked for, as it was when it was first asked for: with what has come since it would be another job, and the
 * first one would go on beside it.
 */
async function lacking(
  { store, round }: RayStage,
  { key }: RayRound,
  promptIds: readonly string[],
  samples: number,
): Promise<Map<string, number[]>> {
  const name = `ray_probes/${key}/${jobDigest([promptIds, samples])}`;
  const stored = await store.meta.get(name);
  if (stored != null) return new Map(Object.entries(lackSchema.parse(stored)));
  const there = new Set(
    (await store.rollouts.of(round, promptIds)).map((one) => `${one.sample} ${one.promptId}`),
  );
  const all = Array.from({ length: samples }, (_, sample) => sample);
  const lack = new Map(
    promptIds.map((id) => [id, all.filter((sample) => !there.has(`${sample} ${id}`))]),
  );
  await store.meta.put(name, Object.fromEntries(lack));
  return lack;
}
