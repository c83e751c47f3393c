/** A training on a stub of a cluster: what is submitted, what is followed, and what is refused. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type StubCluster, type StubJob, stubCluster } from '../../cluster/testing/stub-cluster.ts';
import { Interrupted, UserError } from '../../core/errors.ts';
import { type Manifest, manifestText } from '../../export/manifest.ts';
import { loadConfig } from '../config.ts';
import { type RayTrainStage, stopRayTrain, trainOnRay } from './cluster-train.ts';

let stub: StubCluster;
let place: string;
let folder: string;
let notes: string[];
let stop: AbortController;

const draft: Manifest = {
  ...({ kind: 'pivottrace-export', format: 1, to: 'verl', votes: 'frozen' } as const),
  versions: { pivottrace: '0', trainer: null },
  plan: { name: 'main', revision: 0, round: 0, account: 'main' },
  ...{ model: { path: 'm', sha256: null }, entrypoint: 'bash launch.sh', self_weight: 1 },
  counts: { pool: 3, train: 2, val: 0, routes: {}, labels: {}, verifiers: {}, left_out: {} },
  ...{ notes: [], files: {}, kept: [], changes: null },
};

beforeEach(async () => {
  stub = await stubCluster();
  place = mkdtempSync(join(tmpdir(), 'pivottrace-train-'));
  folder = join(place, "it's; $(mine)");
  mkdirSync(folder);
  writeFileSync(join(folder, 'manifest.json'), manifestText(draft));
  notes = [];
  stop = new AbortController();
});
afterEach(async () => {
  await stub.close();
  rmSync(place, { recursive: true, force: true });
});

function stage(change: Partial<RayTrainStage> = {}, ...overrides: string[]): RayTrainStage {
  const { config } = loadConfig({
    cwd: place,
    overrides: [...overrides, 'ray.patience_seconds=5'],
  });
  return {
    ...{ config, folder, trainer: 'verl', fresh: false, address: stub.address.href },
    ...{ stop: stop.signal, note: (text) => void notes.push(text) },
    ...change,
  };
}

const ends = (status: StubJob['status'], message = '', log = '') => {
  stub.onSubmit = (job) => Object.assign(job, { status, message, log });
};

test('the script of the folder is started there, its path in quotes', async () => {
  ends('SUCCEEDED', '', 'step:1\nstep:2');
  const done = await trainOnRay(stage({}, 'ray.python=/opt/my python'));
  expect(done).toMatchObject({ folder, before: false, prompts: 2 });
  const [job] = stub.jobs.values();
  expect(job.id).toBe(done.job);
  expect(job.entrypoint).toBe(`cd '${place}/it'\\''s; $(mine)' && exec bash launch.sh`);
  expect(job.runtimeEnv).toEqual({ env_vars: { PYTHON: '/opt/my python' } });
  expect(notes).toEqual(expect.arrayContaining(['ray | step:1', 'ray | step:2']));
});

test('what was trained on is not trained on again, unless it is asked for or exported anew', async () => {
  ends('SUCCEEDED');
  const first = await trainOnRay(stage());
  expect(await trainOnRay(stage())).toMatchObject({ before: true, job: first.job });
  expect(stub.jobs.size).toBe(1);
  await trainOnRay(stage({ fresh: true }));
  writeFileSync(join(folder, 'manifest.json'), manifestText({ ...draft, self_weight: 0.5 }));
  await trainOnRay(stage());
  expect(stub.jobs.size).toBe(3);
});

test('a training that was killed is started again; one that fails by itself is not', async () => {
  stub.onSubmit = (job) => {
    if (stub.jobs.size === 1) Object.assign(job, { status: 'FAILED', message: 'exit code -9' });
    else job.status = 'SUCCEEDED';
  };
  await trainOnRay(stage());
  expect(stub.jobs.size).toBe(2);
  writeFileSync(join(folder, 'manifest.json'), manifestText({ ...draft, self_weight: 0.5 }));
  ends('FAILED', 'failed with exit code 1', 'CUDA out of memory');
  const failed = trainOnRay(stage());
  await expect(failed).rejects.toThrow(UserError);
  await expect(failed).rejects.toThrow(/CUDA out of memory/);
  expect(stub.jobs.size).toBe(3);
});

test('whoever stops following leaves the training alone; it can be ended by name', async () => {
  stub.onSubmit = () => stop.abort();
  await expect(trainOnRay(stage())).rejects.toThrow(Interrupted);
  const [job] = stub.jobs.values();
  expect(job.status).toBe('RUNNING');
  stop = new AbortController();
  expect(await stopRayTrain(stage())).toBe(job.id);
  expect(job.status).toBe('STOPPED');
  expect(await stopRayTrain(stage())).toBe(null);
});

test.each([
  ['no export', () => rmSync(join(folder, 'manifest.json'))],
  ['one that was not finished', () => writeFileSync(join(folder, 'manifest.next.json'), '{}')],
  ['one for another trainer', () => write({ to: 'trl' })],
  ['one with a command of its own', () => write({ entrypoint: 'curl x | sh' })],
])('%s is refused before anything is submitted', async (_, change) => {
  change();
  await expect(trainOnRay(stage())).rejects.toThrow(UserError);
  expect(stub.requests).toEqual([]);
});

function write(change: Partial<Manifest>): void {
  writeFileSync(join(folder, 'manifest.json'), manifestText({ ...draft, ...change }));
}

test('TRL trains in the process that is started, on GPUs of its own', async () => {
  ends('SUCCEEDED');
  write({ to: 'trl' });
  await trainOnRay(stage({ trainer: 'trl' }, 'ray.gpus_per_worker=4'));
  expect([...stub.jobs.values()][0].gpus).toBe(4);
});
