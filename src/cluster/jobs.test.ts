/** The Jobs API against a stub, through lost replies, nonsense and restarts. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Interrupted, UserError } from '../core/errors.ts';
import { FollowedJob, type Following, failedByItself, greet, patiently } from './follow.ts';
import { RayJobs, Unreachable } from './jobs.ts';
import { uploadPythonPackage } from './python-package.ts';
import { type StubCluster, stubCluster } from './testing/stub-cluster.ts';

let stub: StubCluster;
let jobs: RayJobs;
let notes: string[];
let stop: AbortController;

beforeEach(async () => {
  stub = await stubCluster();
  jobs = new RayJobs(stub.address, { token: 'secret-token' });
  notes = [];
  stop = new AbortController();
});
afterEach(async () => await stub.close());

const request = {
  entrypoint: 'true',
  runtimeEnv: { working_dir: 'gcs://x.zip' },
  metadata: { pivottrace: 'trace' },
};

const following = (patienceMs = 60_000): Following => ({
  ...{ jobs, base: 'job', patienceMs, stop: stop.signal, pollMs: [1, 5] },
  note: (sentence) => void notes.push(sentence),
});

const attach = async (of = following()) =>
  await FollowedJob.attachOrSubmit(of, async () => request);

test('a job is submitted, looked at, read and stopped', async () => {
  await jobs.submit({ ...request, submissionId: 'a b' });
  expect(stub.headers.authorization).toBe('Bearer secret-token');
  expect(await jobs.info('a b')).toEqual({ status: 'RUNNING', message: '' });
  const job = stub.jobs.get('a b');
  expect(job?.runtimeEnv).toEqual({ working_dir: 'gcs://x.zip' });
  if (job !== undefined) job.log = 'one\n';
  expect(await jobs.logs('a b')).toBe('one\n');
  expect(await jobs.stop('a b')).toBe(true);
  expect((await jobs.info('a b'))?.status).toBe('STOPPED');
  expect(await jobs.info('nobody')).toBe(null);
  expect(await jobs.stop('nobody')).toBe(false);
  expect(await jobs.version()).toBe('2.60.0');
});

test('a job whose reply was lost is not submitted twice', async () => {
  stub.mishaps = ['answer lost'];
  await patiently(following(), (ray) => ray.submit({ ...request, submissionId: 'one' }));
  expect([...stub.jobs.keys()]).toEqual(['one']);
  expect(notes).toEqual([expect.stringContaining('does not answer'), 'The cluster answers again.']);
});

test('what Ray refuses is an error for a person, without the token', async () => {
  const refused = jobs.submit({ ...request, entrypoint: '', submissionId: 'one' });
  await expect(refused).rejects.toThrow(UserError);
  await expect(refused).rejects.toThrow(/the entrypoint is empty/);
  await expect(refused).rejects.not.toThrow(/secret-token/);
});

test.each(['hang up', 'error 500', 'no JSON'] as const)(
  '%s is trouble that may pass',
  async (mishap) => {
    stub.mishaps = [mishap];
    await expect(jobs.info('one')).rejects.toThrow(Unreachable);
    expect(await jobs.info('one')).toBe(null);
  },
);

test('a cluster that does not answer in time is unreachable', async () => {
  const hasty = new RayJobs(stub.address, { timeoutMs: 100 });
  stub.mishaps = ['silence', 'silence'];
  await expect(hasty.version()).rejects.toThrow(Unreachable);
  await expect(greet({ jobs: hasty, note: () => {} })).rejects.toThrow(/within 0\.1 s.*ray start/s);
});

test('patience ends with an error that says how to go on', async () => {
  await stub.close();
  const impatient = patiently(following(20), (ray) => ray.info('one'));
  await expect(impatient).rejects.toThrow(UserError);
  await expect(impatient).rejects.toThrow(/the same command goes on/);
  stub = await stubCluster();
});

test('the package is uploaded once, as no browser would', async () => {
  const address = await uploadPythonPackage(jobs);
  expect(address).toMatch(/^gcs:\/\/_ray_pkg_[0-9a-f]{16}\.zip$/);
  expect(await uploadPythonPackage(jobs)).toBe(address);
  expect(stub.requests.filter((line) => line.startsWith('PUT'))).toHaveLength(1);
  const [zip] = stub.packages.values();
  for (const name of ['trace_job.py', '__init__.py', 'py.typed'])
    expect(zip.includes(`pivottrace_ray/${name}`)).toBe(true);
});

test('a job that runs is attached to; one that is over has a next attempt', async () => {
  const first = await attach();
  expect([first.job.id, first.submitted]).toEqual(['job-1', true]);
  const again = await attach();
  expect([again.job.id, again.submitted]).toEqual(['job-1', false]);
  expect(notes.at(-1)).toContain('Following job job-1');
  for (const job of stub.jobs.values()) job.status = 'FAILED';
  expect((await attach()).job.id).toBe('job-2');
});

test('a look tells what is new, and that a job went with its cluster', async () => {
  const { job } = await attach();
  const own = stub.jobs.get('job-1');
  if (own === undefined) throw new Error('no job');
  own.log = 'begun\nPIVOTTRACE {"event":"finish"}\nlast';
  expect(await job.look()).toMatchObject({
    over: false,
    lines: ['begun'],
    events: [{ event: 'finish' }],
  });
  own.status = 'SUCCEEDED';
  expect(await job.look()).toMatchObject({ over: true, lines: ['last'], events: [] });
  stub.jobs.clear();
  expect(await job.look()).toMatchObject({ over: true, status: 'LOST', lines: [] });
});

test('a log that cannot be read does not hold a job up', async () => {
  const { job } = await attach();
  stub.mishaps = ['no JSON'];
  stub.mishaps.unshift('error 500');
  expect((await job.look()).status).toBe('RUNNING');
});

test('whoever stops following leaves the job alone and hears how to follow it again', async () => {
  const { job } = await attach({ ...following(), pollMs: [60_000, 60_000] });
  const rest = job.rest();
  stop.abort();
  await expect(rest).rejects.toThrow(Interrupted);
  expect(stub.jobs.get('job-1')?.status).toBe('RUNNING');
  expect(notes.at(-1)).toMatch(/same command follows it again.*--stop/);
});

test.each([
  ['FAILED', 'failed with exit code 1, last logs', true],
  ['FAILED', 'failed with exit code -9', false],
  ['FAILED', 'failed with exit code 137', false],
  ['FAILED', 'The actor died', false],
  ['LOST', 'exit code 1', false],
] as const)('%s (%s): by itself %s', (status, message, wanted) => {
  expect(failedByItself({ status, message })).toBe(wanted);
});
