/** Training on the bundled model with labels of people who answer while it runs, as the stages of `train` see it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Interrupted } from '../../core/errors.ts';
import { type Progress, silent } from '../../core/progress.ts';
import { openQueue } from '../../label/queue/queue.ts';
import type { AnnotationKind, Queue } from '../../label/queue/types.ts';
import { openStore } from '../../store/store.ts';
import { freshWorkspace } from '../../store/testing/workspace.ts';
import type { Store } from '../../store/types.ts';
import { labelTransitions, replay } from '../../triage/transitions.ts';
import { inlineVerifier } from '../../verify/testing/inline.ts';
import { type Config, loadConfig, packageRoot } from '../config.ts';
import { ingestFiles } from './pool.ts';
import { trainRun } from './train.ts';

const PROMPTS = 10;
const lineSchema = z.object({ id: z.string(), answer: z.string() });
const metricsSchema = z.object({
  step: z.number(),
  labels_used: z.number(),
  rollouts: z.number(),
  groups: z.number(),
  groups_verified: z.number(),
  groups_without_reward: z.number(),
});

let folder: string;
let workspace: string;
let store: Store;
let answers: Map<string, string>;
let runs = 0;
let run = 'run-0';
let notes: string[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-live-'));
  const few = join(folder, 'few.jsonl');
  const pool = readFileSync(join(packageRoot, 'data/pool.jsonl'), 'utf8').split('\n');
  writeFileSync(few, pool.slice(0, PROMPTS).join('\n'));
  const lines = readFileSync(join(packageRoot, 'data/answers.jsonl'), 'utf8').trim().split('\n');
  answers = new Map(
    lines.map((line) => lineSchema.parse(JSON.parse(line))).map(({ id, answer }) => [id, answer]),
  );
  workspace = await freshWorkspace();
  store = await openStore(workspace);
  const { signal } = new AbortController();
  await ingestFiles({ store, config: configOf(), files: [few], progress: silent, stop: signal });
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  runs += 1;
  run = `run-${runs}`;
  notes = [];
});

/** Two steps of three groups; every group that disagrees wants a label. */
function configOf(...overrides: string[]): Config {
  return loadConfig({
    cwd: workspace,
    overrides: [
      ...[`workspace=${workspace}`, 'engine.threads=1', 'rollout.max_tokens=48'],
      ...[`train.run=${run}`, `label.account=${run}`, 'label.source=people', 'label.budget=9'],
      ...['train.dynamic.start=pool', 'train.dynamic.features=0', 'train.dynamic.trace=false'],
      ...['train.steps=2', 'train.prompts_per_step=3', 'train.group_size=4'],
      ...['train.dynamic.warmup_groups=100', 'train.lr=1e-3', 'verify.extract.unmarked=none'],
      ...overrides,
    ],
  }).config;
}

const verifier = await inlineVerifier({ kind: 'auto' });

async function train(config: Config, stop = new AbortController(), progress: Progress = silent) {
  return await trainRun({
    ...{ store, config, progress, stop: stop.signal, sharing: 1 },
    verifiers: { of: () => verifier },
    note: (sentence) => notes.push(sentence),
  });
}

function queueOf(): Queue {
  const settings = {
    account: run,
    budget: 9,
    overlap: 1,
    leaseMs: 60_000,
    goldEvery: 0,
    checkEvery: 0,
  };
  const judge = { equivalent: async () => true };
  return openQueue(store, settings, { judge, nameOf: (annotator) => annotator });
}

/** Somebody who answers whatever comes until the run is over; returns the prompts that were answered. */
async function annotate(over: Promise<unknown>, kind: AnnotationKind = 'answer') {
  const queue = queueOf();
  const done: string[] = [];
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  void over.then(end, end);
  while (!isOver) {
    const next = await queue.next('mara');
    if ('nothing' in next) {
      await pause(20);
      continue;
    }
    const { promptId } = next.task;
    const answer = kind === 'answer' ? (answers.get(promptId) ?? null) : null;
    await queue.submit('mara', { promptId, kind, answer, note: '', revealed: false });
    done.push(promptId);
  }
  return done;
}

const metrics = () =>
  readFileSync(join(workspace, 'runs', run, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => metricsSchema.parse(JSON.parse(line)));
const routes = async () => replay(await store.transitions.of(`run ${run}`));

describe('training with people', () => {
  test('waits for their labels and ends with them used', async () => {
    const trained = train(configOf());
    const done = await annotate(trained);
    const { state } = await trained;
    expect(done.length).toBeGreaterThan(0);
    const owned = await store.labels.owned(run);
    expect(owned.map(({ promptId }) => promptId).sort()).toEqual([...done].sort());
    expect(new Set(owned.map(({ source }) => source))).toEqual(new Set(['mara']));
    expect(state.labels).toBe(done.length);
    // Asked for in a step, given in the same one.
    expect(metrics()[0]).toMatchObject({ labels_used: metrics()[0].groups_verified });
    expect(metrics()[0].groups_verified).toBeGreaterThan(0);
    const states = await routes();
    for (const id of done) expect(states.get(id)).toBe('annotated');
    expect(notes[0]).toMatch(/^Training waits for \d+ labels? at step 1\. .*pivottrace serve/);
  });

  test('hears from them that there is no answer: the prompt trains on its vote', async () => {
    const trained = train(configOf());
    const done = await annotate(trained, 'no_answer');
    expect((await trained).state.labels).toBe(0);
    expect(new Set(done).size).toBe(done.length);
    expect(metrics().map((one) => one.groups_verified)).toEqual([0, 0]);
    const states = await routes();
    for (const id of done) expect(states.get(id)).toBe('self');
  });

  test('goes on without them by its settings, and their questions stay up', async () => {
    await train(configOf('label.when_missing=self'));
    const [, last] = metrics();
    expect(last).toMatchObject({ labels_used: 0, groups_verified: 0 });
    const open = (await queueOf().tasks()).filter(({ state }) => state === 'open');
    expect(open.length).toBeGreaterThan(0);
    expect([...(await routes())].filter(([, state]) => state === 'annotate').sort()).toEqual(
      open.map(({ promptId }) => [promptId, 'annotate']).sort(),
    );
    expect(open.every((task) => task.run === run && task.reason === 'group_disagrees')).toBe(true);
    expect(notes).toEqual([]);
  });

  test('leaves out what they have not answered', async () => {
    await train(configOf('label.when_missing=leave'));
    const open = (await queueOf().tasks()).length;
    const left = metrics().reduce((sum, one) => sum + one.groups_without_reward, 0);
    expect(left).toBeGreaterThanOrEqual(open);
    expect(metrics().map((one) => one.groups_verified)).toEqual([0, 0]);
  });

  test('waits no longer than it should', async () => {
    await train(configOf('label.wait_minutes=0'));
    expect(metrics()).toHaveLength(2);
    expect(notes.at(-1)).toMatch(/did not come in 0 minutes: training goes on with votes instead/);
  });
});

test('a run that is stopped while it waits goes on by the same command, and pays nothing twice', async () => {
  const stop = new AbortController();
  const config = configOf('train.steps=3');
  // The first step gets its labels; in the second somebody stops the run.
  const queue = queueOf();
  const stopped = train(config, stop);
  const given: string[] = [];
  const ended = stopped.catch((error: unknown) => error);
  while (!stop.signal.aborted) {
    const next = await queue.next('mara');
    if ('nothing' in next) {
      await pause(20);
      continue;
    }
    if ((next.task.step ?? 0) > 1) stop.abort();
    else {
      const { promptId } = next.task;
      const answer = answers.get(promptId) ?? '';
      await queue.submit('mara', { promptId, kind: 'answer', answer, note: '', revealed: false });
      given.push(promptId);
    }
  }
  expect(await ended).toBeInstanceOf(Interrupted);
  expect((await store.runs.get(run))?.status).toBe('stopped');
  const before = metrics();
  expect(before).toHaveLength(1);
  const asked = (await queue.tasks()).length;
  const late = await answerWhileStopped(queue);
  const going = train(config);
  const more = await annotate(going);
  const { state } = await going;
  const all = [...given, late, ...more];
  expect(new Set(all).size).toBe(all.length);
  expect(more.length).toBeGreaterThanOrEqual(asked - given.length - 1);
  expect(metrics()[0]).toEqual(before[0]);
  expect(metrics().map(({ step, rollouts }) => [step, rollouts])).toEqual([
    [1, 12],
    [2, 24],
    [3, 36],
  ]);
  expect([state.labels, await store.labels.count(run)]).toEqual([all.length, all.length]);
  const states = await routes();
  for (const id of all) expect(states.get(id)).toBe('annotated');
});

/** One label comes while the run stands still, and an open desk records that it did, as it does for plans. */
async function answerWhileStopped(queue: Queue): Promise<string> {
  const next = await queue.next('mara');
  if ('nothing' in next) throw new Error(next.nothing);
  const { promptId } = next.task;
  const answer = answers.get(promptId) ?? '';
  await queue.submit('mara', { promptId, kind: 'answer', answer, note: '', revealed: false });
  const occasion = { plan: `run ${run}`, round: 0, step: null };
  const states = await store.transitions.routes(occasion.plan);
  await store.transitions.append(labelTransitions([promptId], states, occasion));
  return promptId;
}

test('a run that died goes on as it began, with labels that came meanwhile from the step on at which it died', async () => {
  const config = configOf('label.when_missing=self', 'train.steps=3', 'train.prompts_per_step=5');
  const dying: Progress = {
    ...silent,
    update: (done) => {
      if (done === 2) throw new Error('the power is gone');
    },
  };
  await expect(train(config, undefined, dying)).rejects.toThrow('the power is gone');
  const before = metrics();
  expect(before.map(({ step, labels_used: used }) => [step, used])).toEqual([
    [1, 0],
    [2, 0],
  ]);
  const queue = queueOf();
  const waiting = (await queue.tasks()).length;
  expect(waiting).toBeGreaterThan(0);
  const isDone = async () => {
    while ((await queue.progress()).labels < waiting) await pause(20);
  };
  const given = await annotate(isDone());
  expect(new Set(given).size).toBe(waiting);
  const { state } = await train(config);
  // There was no checkpoint: all steps are made again, the first two without the labels.
  const figures = ({ seconds: _, ...rest }: Record<string, unknown>) => rest;
  expect(metrics().slice(0, 2).map(figures)).toEqual(before.map(figures));
  expect(metrics()[2].labels_used).toBe(waiting);
  expect(state.labels).toBe(waiting);
  expect(await store.labels.count(run)).toBe(waiting);
  const states = await routes();
  for (const id of given) expect(states.get(id)).toBe('annotated');
});

test('a teacher gives the labels that a run wants, under its name', async () => {
  const bodySchema = z.object({ messages: z.array(z.object({ content: z.string() })) });
  const prompts = await store.prompts.list();
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      const asked = bodySchema.parse(JSON.parse(text)).messages[0].content;
      const prompt = prompts.find((one) => asked.startsWith(String(one.prompt)));
      const content = `\\boxed{${answers.get(prompt?.id ?? '')}}`;
      const choices = [{ message: { content }, finish_reason: 'stop' }];
      response.end(JSON.stringify({ choices }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  try {
    const config = configOf(
      ...['label.source=teacher', `teacher.url=http://127.0.0.1:${address.port}`],
      ...['teacher.model=any', 'teacher.name=oracle', 'teacher.price=0.25'],
    );
    const { state } = await train(config);
    const owned = await store.labels.owned(run);
    expect(state.labels).toBeGreaterThan(0);
    expect(owned).toHaveLength(state.labels);
    expect(owned.every(({ source, cost }) => source === 'oracle' && cost === 0.25)).toBe(true);
    expect(owned.map(({ answer }) => answer)).toEqual(
      owned.map(({ promptId }) => answers.get(promptId)),
    );
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
