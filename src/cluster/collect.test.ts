/** Shards as they come in from a stub: whole ones once, broken ones again, and jobs that are lost on the way. */
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UserError } from '../core/errors.ts';
import { Collector } from './collect.ts';
import { RayJobs } from './jobs.ts';
import type { JobEvent } from './log.ts';
import { BrokenShard, readShard } from './shards.ts';
import { type StubCluster, type StubJob, stubCluster } from './testing/stub-cluster.ts';
import { writeShard } from './testing/write-shard.ts';

const heads = [
  { layer: 0, head: 1 },
  { layer: 2, head: 0 },
];
const chunks = ['part-0', 'part-1', 'part-2'];
let stub: StubCluster;
let folder: string;
let notes: string[];
let events: JobEvent[];

beforeEach(async () => {
  stub = await stubCluster();
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-collect-'));
  notes = [];
  events = [];
});
afterEach(async () => {
  await stub.close();
  rmSync(folder, { recursive: true, force: true });
});

const shards = () => join(folder, 'shards');

function make(chunk: string): void {
  writeShard(shards(), chunk, heads, [
    {
      ...{ promptId: chunk, sample: 0, text: 'ü\0' },
      tokens: [5, 6, 7],
      signals: { distance: [1, 2, 3, 4, 5, 6], received: [1, 2, Number.NaN, 4, 5, 6] },
    },
  ]);
}

/** `change` comes about when the job is looked at for the third time. */
function later(job: StubJob, change: () => void): void {
  let looks = 0;
  stub.onLook = (one) => {
    if (one === job && ++looks === 3) change();
  };
}

const collector = () =>
  new Collector({
    ...{
      jobs: new RayJobs(stub.address),
      base: 'job',
      folder,
      patienceMs: 10_000,
      pollMs: [5, 10],
    },
    ...{ stop: new AbortController().signal, note: (text: string) => void notes.push(text) },
    order: async () => ({ entrypoint: 'true', runtimeEnv: {}, metadata: {} }),
    onEvent: (event) => void events.push(event),
  });

async function collected(of = collector()): Promise<string[]> {
  const found: string[] = [];
  for await (const { chunk } of of.arrivals(chunks)) found.push(chunk);
  return found;
}

test('a shard comes back as it was written', async () => {
  make('part-0');
  const shard = await readShard(shards(), 'part-0');
  expect(shard.heads).toEqual(heads);
  const [rollout] = shard.rollouts;
  expect(rollout).toMatchObject({ promptId: 'part-0', sample: 0, promptLength: 3, text: 'ü\0' });
  expect([...rollout.tokens]).toEqual([5, 6, 7]);
  expect([...rollout.logprobs]).toEqual([-0.5, -0.5, -0.5]);
  expect(rollout.trace?.tokens).toBe(3);
  expect(Object.keys(rollout.trace?.signals ?? {})).toEqual(['distance', 'received']);
  expect([...(rollout.trace?.signals.received ?? [])]).toEqual([1, 2, Number.NaN, 4, 5, 6]);
});

test('shards that are all there need no cluster', async () => {
  for (const chunk of chunks) make(chunk);
  expect(await collected()).toEqual(chunks);
  expect(stub.requests).toEqual([]);
});

test('shards are handed out while the job makes them, each once, and its events are heard', async () => {
  make('part-0');
  stub.onSubmit = (job) => {
    make('part-2');
    make('part-of-another-job');
    later(job, () => {
      job.log = 'PIVOTTRACE {"event":"lost","when":"at chunk part-1","reason":"OOM"}\nall good\n';
      make('part-1');
      job.status = 'SUCCEEDED';
    });
  };
  expect(await collected()).toEqual(['part-0', 'part-2', 'part-1']);
  expect(stub.jobs.size).toBe(1);
  expect(events).toEqual([{ event: 'lost', when: 'at chunk part-1', reason: 'OOM' }]);
  expect(notes).toContain('ray | all good');
});

test('a broken shard is reported, and made again by a next job', async () => {
  stub.onSubmit = (job) => {
    for (const chunk of chunks) if (!existsSync(join(shards(), `${chunk}.json`))) make(chunk);
    if (job.id === 'job-1') appendFileSync(join(shards(), 'part-1.parquet'), 'x');
    job.status = 'SUCCEEDED';
  };
  expect((await collected()).sort()).toEqual(chunks);
  expect([...stub.jobs.keys()]).toEqual(['job-1', 'job-2']);
  expect(notes.filter((note) => note.startsWith('Shard part-1 is broken'))).toHaveLength(1);
  expect(notes).toContain('1 broken shards are made again.');
});

test('a shard that is broken again and again is given up', async () => {
  stub.onSubmit = (job) => {
    for (const chunk of chunks) make(chunk);
    appendFileSync(join(shards(), 'part-1.parquet'), 'x');
    job.status = 'SUCCEEDED';
  };
  await expect(collected()).rejects.toThrow(UserError);
  expect(stub.jobs.size).toBe(3);
});

test('a job that went with its cluster, and one that was killed, are submitted again', async () => {
  stub.onSubmit = (job) => {
    if (notes.filter((note) => note.startsWith('Submitted')).length === 0) {
      make('part-0');
      later(job, () => stub.jobs.clear());
    } else if (!existsSync(join(shards(), 'part-1.json'))) {
      make('part-1');
      Object.assign(job, { status: 'FAILED', message: 'failed with exit code -9' });
    } else {
      make('part-2');
      job.status = 'SUCCEEDED';
    }
  };
  expect(await collected()).toEqual(chunks);
  expect(notes.filter((note) => note.includes('submitted again'))).toHaveLength(2);
});

test.each([
  ['error', 'PIVOTTRACE {"event":"error","reason":"no checkpoint"}\n', 'no checkpoint'],
  ['exit', "ModuleNotFoundError: No module named 'torch'\n", "No module named 'torch'"],
])('a job that fails by itself is not submitted again: %s', async (_, log, reason) => {
  stub.onSubmit = (job) =>
    Object.assign(job, { log, status: 'FAILED', message: 'failed with exit code 1' });
  const failed = collected();
  await expect(failed).rejects.toThrow(UserError);
  await expect(failed).rejects.toThrow(reason);
  expect(stub.jobs.size).toBe(1);
});

test('a job that succeeds without shards here has written them elsewhere', async () => {
  stub.onSubmit = (job) => Object.assign(job, { status: 'SUCCEEDED' });
  await expect(collected()).rejects.toThrow(/all nodes see under the same path/);
});

test('a job that was stopped is not submitted again', async () => {
  stub.onSubmit = (job) => Object.assign(job, { status: 'STOPPED' });
  await expect(collected()).rejects.toThrow(/it was stopped/);
  expect(stub.jobs.size).toBe(1);
});

test.each([
  ['another checksum', 'part-0.json', (text: string) => text.replace(/"sha256":"./, '"sha256":"x')],
  ['another chunk', 'part-0.json', (text: string) => text.replace('"part-0"', '"part-1"')],
  ['no manifest', 'part-0.json', () => '{'],
])('%s makes a shard that does not count', async (_, name, change) => {
  make('part-0');
  writeFileSync(join(shards(), name), change(readFileSync(join(shards(), name), 'utf8')));
  await expect(readShard(shards(), 'part-0')).rejects.toThrow(BrokenShard);
});

test('a shard whose numbers do not fit its tokens is refused by row', async () => {
  const row = { promptId: 'a', sample: 0, text: '', tokens: [1, 2], signals: { distance: [1, 2] } };
  writeShard(shards(), 'part-0', heads, [row]);
  await expect(readShard(shards(), 'part-0')).rejects.toThrow(
    /row 1.*2 numbers of distance for 2/s,
  );
});
