/** A round on a stub of a cluster: from the pool to requests, from shards to traces, each once, whatever is lost. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type StubCluster, type StubJob, stubCluster } from '../../cluster/testing/stub-cluster.ts';
import { writeShard } from '../../cluster/testing/write-shard.ts';
import { Interrupted, UserError } from '../../core/errors.ts';
import { silent } from '../../core/progress.ts';
import { openStore } from '../../store/store.ts';
import { promptRow } from '../../store/testing/rows.ts';
import { freshWorkspace } from '../../store/testing/workspace.ts';
import type { Store } from '../../store/types.ts';
import { allHeads } from '../../trace/request.ts';
import { openVerifiers, type Verifiers } from '../../verify/verifiers.ts';
import { loadConfig } from '../config.ts';
import { sampleMoreOnRay } from './cluster-probes.ts';
import { forgetRayRound } from './cluster-round.ts';
import { type RayTraceStage, stopRayTrace, tracePoolOnRay } from './cluster-trace.ts';
import { traceManifest } from './observations.ts';
import { verifierSpecs } from './workspace.ts';

// Each starts verifiers, and a database on disk.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const PROMPTS = 7;
const TRACES = 2;
/** Of the bundled model. */
const LAYERS = 4;
const HEADS = 8;

let stub: StubCluster;
let workspace: string;
let store: Store;
let notes: string[];
let stop: AbortController;
let verifiers: Verifiers;

beforeAll(async () => {
  const { config } = loadConfig({ cwd: '/', overrides: [] });
  verifiers = await openVerifiers(verifierSpecs(config), { workers: 1 });
});
afterAll(async () => await verifiers.close());

beforeEach(async () => {
  stub = await stubCluster();
  workspace = await freshWorkspace();
  store = await openStore(workspace);
  await store.prompts.add(Array.from({ length: PROMPTS }, (_, i) => promptRow(i)));
  notes = [];
  stop = new AbortController();
});
afterEach(async () => {
  await store.close();
  await stub.close();
});

interface Spec {
  heads: [number, number][] | null;
  profile: { chunks: string[]; signals: string[] } | null;
  chunks: string[];
}

function specOf({ entrypoint }: StubJob): { folder: string; spec: Spec } {
  const path = /--spec '(.*)'$/.exec(entrypoint)?.[1] ?? '';
  return { folder: dirname(path), spec: JSON.parse(readFileSync(path, 'utf8')) };
}

/** A number that a trace might hold, the same every time. */
const made = (text: string, i: number) =>
  10 + 10 * Math.sin(text.length + text.charCodeAt(1) * (i + 1));

/** Writes the shard of a chunk as a worker would; heads 1.3 and 2.6 look back farthest. */
function work(folder: string, chunk: string, kept: readonly [number, number][] | null): void {
  const heads =
    kept === null ? allHeads(LAYERS, HEADS) : kept.map(([layer, head]) => ({ layer, head }));
  const lines = readFileSync(join(folder, 'requests', `${chunk}.jsonl`), 'utf8')
    .trim()
    .split('\n');
  const rows = lines.map((line) => {
    const { id, sample, response, text } = JSON.parse(line);
    const tokens: number[] = response ?? [3, 4, 5, 6, 1];
    const distance = tokens.flatMap((_, t) =>
      heads.map(
        ({ layer, head }) =>
          made(id, t) + (`${layer}.${head}` === '1.3' || `${layer}.${head}` === '2.6' ? 50 : 0),
      ),
    );
    return {
      promptId: id,
      sample,
      text: text || `\\boxed{${sample}}`,
      tokens,
      signals: { distance },
    };
  });
  writeShard(join(folder, 'shards'), chunk, heads, rows);
}

/** A cluster that makes `most` of the shards and then does what `end` says. */
function workers(
  most = Number.POSITIVE_INFINITY,
  end: (job: StubJob) => void = (job) => {
    job.status = 'SUCCEEDED';
  },
) {
  stub.onSubmit = (job) => {
    const { folder, spec } = specOf(job);
    for (const chunk of spec.profile?.chunks ?? []) work(folder, chunk, null);
    const heads = spec.heads ?? [
      [1, 3],
      [2, 6],
    ];
    for (const chunk of spec.chunks.slice(0, most)) work(folder, chunk, heads);
    end(job);
  };
}

async function traced(
  given: RayTraceStage['given'] = null,
  ...more: string[]
): ReturnType<typeof tracePoolOnRay> {
  return await staged((stage) => tracePoolOnRay(stage), given, ...more);
}

async function staged<T>(
  job: (stage: RayTraceStage) => Promise<T>,
  given: RayTraceStage['given'] = null,
  ...more: string[]
): Promise<T> {
  const overrides = [
    ...[`workspace=${workspace}`, 'ray.chunk=2', 'ray.patience_seconds=5'],
    ...[`trace.traces_per_prompt=${TRACES}`, 'trace.profile_prompts=4', ...more],
  ];
  const { config } = loadConfig({ cwd: workspace, overrides });
  return await job({
    ...{ store, config, verifiers, progress: silent, stop: stop.signal, round: 0, given },
    ...{ address: stub.address.href, note: (text) => void notes.push(text) },
  });
}

async function counts(): Promise<number[]> {
  return [...(await store.traces.counts(0)).values()];
}

test('a pool is traced by workers on the heads that the profile chose, with a threshold over all of it', async () => {
  workers();
  const done = await traced();
  expect(done).toMatchObject({ prompts: PROMPTS, responses: PROMPTS * TRACES });
  expect(done.tokens).toBe(PROMPTS * TRACES * 5);
  expect(await counts()).toEqual(Array(PROMPTS).fill(TRACES));
  const manifest = await traceManifest(store, 0);
  expect(manifest?.heads).toEqual([
    { layer: 1, head: 3 },
    { layer: 2, head: 6 },
  ]);
  expect(manifest?.tau).toBeGreaterThan(0);
  expect(done.sensitivity.length).toBeGreaterThan(0);
  const [first] = await store.rollouts.of(0, ['p0']);
  expect(first).toMatchObject({ answer: '0', length: 5, promptLength: 3, meanLogprob: -0.5 });
  const [job] = stub.jobs.values();
  expect(job.entrypoint).toMatch(/^'python3' -m pivottrace_ray\.trace_job --spec '/);
  expect(job.runtimeEnv).toMatchObject({ env_vars: { HF_HUB_OFFLINE: '1' } });
});

test('requests hold the tokens of the prompts, and nothing of a prompt is in the command', async () => {
  workers();
  await traced();
  const [job] = stub.jobs.values();
  const { folder, spec } = specOf(job);
  const files = readdirSync(join(folder, 'requests'));
  expect(files.filter((name) => name.startsWith('part-'))).toHaveLength(4);
  const [line] = readFileSync(join(folder, 'requests', `${spec.chunks[0]}.jsonl`), 'utf8').split(
    '\n',
  );
  const request = JSON.parse(line);
  expect(request).toMatchObject({ id: 'p0', sample: 0, response: null });
  expect(request.prompt.length).toBeGreaterThan(0);
  expect(job.entrypoint).not.toContain('p0');
});

test('what was taken in is not asked for again, and no shard is taken in twice', async () => {
  workers(2, (job) => Object.assign(job, { status: 'STOPPED' }));
  await expect(traced()).rejects.toThrow(/2 shards are missing; it was stopped/);
  expect(await counts()).toEqual(Array(4).fill(TRACES));
  const [{ tokens }] = await store.rollouts.of(0, ['p0']);
  // A shard that was taken in may be gone or other by now: it is not looked at.
  const [first] = stub.jobs.values();
  const { folder, spec } = specOf(first);
  writeShard(join(folder, 'shards'), spec.chunks[0], [{ layer: 0, head: 0 }], []);
  workers();
  const done = await traced();
  expect(done.responses).toBe(3 * TRACES);
  const second = specOf([...stub.jobs.values()][1]);
  expect(second.folder).toBe(folder);
  expect(second.spec.chunks).toEqual(spec.chunks.slice(2));
  expect(second.spec.profile).toBe(null);
  expect((await store.rollouts.of(0, ['p0']))[0].tokens).toEqual(tokens);
  const requests = stub.requests.length;
  expect((await traced()).responses).toBe(0);
  expect(stub.requests).toHaveLength(requests);
});

test('a call that is stopped leaves the job, and the same call follows it', async () => {
  workers(1, () => stop.abort());
  await expect(traced()).rejects.toThrow(Interrupted);
  expect([...stub.jobs.values()].map(({ status }) => status)).toEqual(['RUNNING']);
  stop = new AbortController();
  const [job] = stub.jobs.values();
  const { folder, spec } = specOf(job);
  for (const chunk of spec.chunks)
    if (!existsSync(join(folder, 'shards', `${chunk}.json`)))
      work(folder, chunk, [
        [1, 3],
        [2, 6],
      ]);
  job.status = 'SUCCEEDED';
  expect((await traced()).prompts).toBe(PROMPTS);
  expect(stub.jobs.size).toBe(1);
  expect(await counts()).toEqual(Array(PROMPTS).fill(TRACES));
});

test('a job is ended by name, and none where none runs', async () => {
  workers(0, () => stop.abort());
  await expect(traced()).rejects.toThrow(Interrupted);
  stop = new AbortController();
  const [job] = stub.jobs.values();
  expect(await staged(stopRayTrace)).toBe(job.id);
  expect(job.status).toBe('STOPPED');
  expect(await staged(stopRayTrace)).toBe(null);
});

test('a round that begins anew has jobs and shards of its own', async () => {
  workers();
  await traced();
  await store.transaction(async (tables) => {
    await tables.rollouts.clear(0);
    await tables.meta.put('trace_profile/0', null);
    await forgetRayRound(tables, 0);
  });
  expect((await traced()).responses).toBe(PROMPTS * TRACES);
  const [first, second] = [...stub.jobs.values()].map(specOf);
  expect(basename(second.folder)).not.toBe(basename(first.folder));
});

test('other workers go on with a job; another seed makes another', async () => {
  workers();
  await traced();
  const [{ folder }] = [...stub.jobs.values()].map(specOf);
  expect((await traced(null, 'ray.workers=4')).responses).toBe(0);
  await expect(traced(null, 'seed=7')).rejects.toThrow(/--fresh/);
  expect(readdirSync(dirname(folder)).length).toBe(2);
});

test('probes get the responses that they lack from the cluster, once, also when the call was stopped', async () => {
  workers();
  await traced();
  const more = () => staged((stage) => sampleMoreOnRay(stage, ['p1', 'p3', 'p4', 'p6'], 4));
  const samplesOf = async (id: string) =>
    (await store.rollouts.of(0, [id])).map(({ sample }) => sample);
  workers(1, () => stop.abort());
  await expect(more()).rejects.toThrow(Interrupted);
  stop = new AbortController();
  const jobs = [...stub.jobs.values()];
  expect(jobs).toHaveLength(2);
  const { folder, spec } = specOf(jobs[1]);
  expect(spec.profile).toBe(null);
  expect(spec.chunks.map((name) => name.split('-')[0])).toEqual(['probe', 'probe']);
  for (const chunk of spec.chunks.slice(1))
    work(folder, chunk, [
      [1, 3],
      [2, 6],
    ]);
  jobs[1].status = 'SUCCEEDED';
  await more();
  expect(stub.jobs.size).toBe(2);
  for (const id of ['p1', 'p3', 'p4', 'p6']) expect(await samplesOf(id)).toEqual([0, 1, 2, 3]);
  expect(await samplesOf('p0')).toEqual([0, 1]);
  const requests = stub.requests.length;
  await more();
  expect(stub.requests).toHaveLength(requests);
});

test('given responses are traced as they are, under their numbers', async () => {
  workers();
  const response = (sample: number) => ({
    ...{ sample, text: 'so it is \\boxed{7}', finish: 'stop' as const },
    tokens: Int32Array.from([9, 8, 7, sample + 2, 1]),
  });
  const given = new Map([
    ['p1', [response(0), response(3)]],
    ['p4', [response(1)]],
  ]);
  expect(await traced(given)).toMatchObject({ responses: 3 });
  const rollouts = await store.rollouts.of(0, ['p1', 'p4']);
  expect(rollouts.map(({ promptId, sample, answer }) => [promptId, sample, answer])).toEqual([
    ['p1', 0, '7'],
    ['p1', 3, '7'],
    ['p4', 1, '7'],
  ]);
  expect([...rollouts[1].tokens]).toEqual([9, 8, 7, 5, 1]);
});

test('a shard of other prompts or heads is refused whole', async () => {
  stub.onSubmit = (job) => {
    const { folder, spec } = specOf(job);
    for (const chunk of spec.profile?.chunks ?? []) work(folder, chunk, null);
    const strange = {
      promptId: 'x',
      sample: 0,
      text: '',
      tokens: [1],
      signals: { distance: [1, 2] },
    };
    const heads = [
      { layer: 1, head: 3 },
      { layer: 2, head: 6 },
    ];
    writeShard(join(folder, 'shards'), spec.chunks[0], heads, [strange]);
  };
  await expect(traced()).rejects.toThrow(/found prompt "x"/);
  expect(await counts()).toEqual([]);
});

test('what workers cannot do is said before anything is submitted', async () => {
  await expect(traced(null, 'trace.hidden_states=true')).rejects.toThrow(/hidden_states/);
  await expect(traced(null, `model=${workspace}`)).rejects.toThrow(UserError);
  await expect(traced(null, 'rollout.max_tokens=255')).rejects.toThrow(/prompt p0/);
  expect(stub.requests).toEqual([]);
});
