/**
 * Training on a Ray cluster: submits the folder that `export` wrote for a trainer and follows the job. What the trainer
 * does, and where it goes on after a stop, is its own business (verl goes on from its last checkpoint).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FollowedJob,
  failedByItself,
  greet,
  type Look,
  newestAttempt,
} from '../../cluster/follow.ts';
import type { JobRequest } from '../../cluster/jobs.ts';
import { jobDigest } from '../../cluster/trace-files.ts';
import { UserError } from '../../core/errors.ts';
import { type Manifest, manifestName, nextName, parseManifest } from '../../export/manifest.ts';
import { shellWord } from '../../export/shell.ts';
import { trainerFormats } from '../../export/trainer-formats.ts';
import type { Trainer } from '../../export/types.ts';
import { type ClusterStage, followingOf, jobsOf, stopJob } from './cluster-job.ts';

export interface RayTrainStage extends ClusterStage {
  trainer: Trainer;
  /** What `export --to TRAINER` wrote. */
  folder: string;
  /** Train again although the same export was trained on. */
  fresh: boolean;
}

export interface RayTrainOutcome {
  job: string;
  folder: string;
  /** It had ended before this call. */
  before: boolean;
  prompts: number;
}

/** Jobs that one command submits. */
const MOST_SUBMISSIONS = 3;

/** Submits the job or goes on following it, until it has succeeded. UserError where it fails. */
export async function trainOnRay(stage: RayTrainStage): Promise<RayTrainOutcome> {
  const { manifest, base } = exported(stage);
  const following = followingOf(stage, jobsOf(stage), base);
  const outcome = { folder: stage.folder, prompts: manifest.counts.train };
  await greet(following);
  if (!stage.fresh) {
    const { attempt, status } = await newestAttempt(following);
    if (status === 'SUCCEEDED') return { ...outcome, job: `${base}-${attempt}`, before: true };
  }
  for (let submissions = 0; ; ) {
    const { job, submitted } = await FollowedJob.attachOrSubmit(following, async () =>
      requestOf(stage),
    );
    if (submitted) submissions++;
    const last = await followed(stage, job);
    if (last.status === 'SUCCEEDED') return { ...outcome, job: job.id, before: false };
    const lost = last.status === 'LOST' || (last.status === 'FAILED' && !failedByItself(last));
    if (!lost || submissions >= MOST_SUBMISSIONS) throw failure(job, last);
    stage.note(`Job ${job.id} is ${last.status.toLowerCase()}: it is submitted again.`);
  }
}

/** Asks the job to end; its name, null where none runs. */
export async function stopRayTrain(stage: RayTrainStage): Promise<string | null> {
  return await stopJob(followingOf(stage, jobsOf(stage), exported(stage).base));
}

/** The manifest of the folder, and what its jobs are called: another export is another job. */
function exported({ trainer, folder }: RayTrainStage): { manifest: Manifest; base: string } {
  const path = join(folder, manifestName);
  const fix = `\`pivottrace export --to ${trainer}\` writes one; --export names another folder.`;
  if (!existsSync(path) || existsSync(join(folder, nextName))) {
    throw new UserError({
      wanted: `a whole export for ${trainer}`,
      found: 'none',
      where: folder,
      fix,
    });
  }
  const text = readFileSync(path, 'utf8');
  const manifest = parseManifest(text, path);
  // The manifest lies in a folder that others write to: what is run is what this version writes there.
  const { entrypoint } = trainerFormats[trainer];
  if (manifest.to !== trainer || entrypoint === null || manifest.entrypoint !== entrypoint) {
    const wanted = `an export for ${trainer} that is started by ${entrypoint ?? 'a script'}`;
    const found = `one for ${manifest.to}, started by ${manifest.entrypoint ?? 'nothing'}`;
    throw new UserError({ wanted, found, where: path, fix });
  }
  return { manifest, base: `pivottrace-${trainer}-${jobDigest([folder, text])}` };
}

function requestOf({ config, trainer, folder }: RayTrainStage): Omit<JobRequest, 'submissionId'> {
  const { python, gpus_per_worker: gpus } = config.ray;
  return {
    entrypoint: `cd ${shellWord(folder, 'the export')} && exec ${trainerFormats[trainer].entrypoint}`,
    // verl and OpenRLHF ask the cluster for GPUs themselves; TRL trains in the process that is started.
    ...(trainer === 'trl' && gpus > 0 ? { gpus } : {}),
    runtimeEnv: { env_vars: { PYTHON: python } },
    metadata: { pivottrace: `train ${trainer}` },
  };
}

async function followed({ note }: RayTrainStage, job: FollowedJob): Promise<Look> {
  for (;;) {
    const look = await job.look();
    for (const line of look.lines) note(`ray | ${line}`);
    if (look.over) return look;
    await job.rest();
  }
}

function failure(job: FollowedJob, { status, message }: Look): UserError {
  const reason = job.tail.at(-1) ?? message;
  return new UserError({
    wanted: 'a training that succeeds',
    found: `${status}${reason === '' ? '' : `: ${reason}`}`,
    where: `job ${job.id}`,
    fix: 'The same command starts it again, in the folder as it is; a trainer that keeps checkpoints goes on from its last.',
  });
}
