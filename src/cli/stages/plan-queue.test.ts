/** What a plan wants is in the queue, and what people said is in the plan. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openQueue } from '../../label/queue/queue.ts';
import { PIXEL } from '../../pool/testing/images.ts';
import { openStore } from '../../store/store.ts';
import { promptRow } from '../../store/testing/rows.ts';
import { freshWorkspace } from '../../store/testing/workspace.ts';
import { planToJson } from '../../triage/disk.ts';
import { planTriage } from '../../triage/plan.ts';
import { replay, transitionsOf } from '../../triage/transitions.ts';
import { loadConfig } from '../config.ts';
import { planPath } from './plan-file.ts';
import { PlanQueue } from './plan-queue.ts';

vi.setConfig({ testTimeout: 300_000 });

const PROMPTS = 20;

/** A pool whose last prompts are the most uncertain, with a plan that annotates this share of it. */
async function openPlan() {
  const workspace = await freshWorkspace();
  const store = await openStore(workspace);
  onTestFinished(() => store.close());
  await store.prompts.add(Array.from({ length: PROMPTS }, (_, i) => promptRow(i)));
  const { config } = loadConfig({ cwd: workspace, overrides: [`workspace=${workspace}`] });
  const queue = openQueue(
    store,
    { account: 'main', budget: null, overlap: 1, leaseMs: 60_000, goldEvery: 0, checkEvery: 0 },
    { judge: { equivalent: async (_, a, b) => a === b }, nameOf: (id) => id },
  );
  const save = async (annotate: number) => {
    const plan = planTriage({
      name: 'main',
      scores: {
        estimator: 'length',
        scores: Array.from({ length: PROMPTS }, (_, i) => ({ promptId: `p${i}`, value: i })),
      },
      probes: [],
      settings: { quota: { discard: 0.5, self: 0.5 - annotate, annotate } },
    });
    const states = await store.transitions.routes('main');
    await store.plans.save('main', planToJson(plan));
    await store.transitions.append(transitionsOf(plan, states));
  };
  const plan = new PlanQueue({
    ...{ store, config, queue, account: 'main' },
    onFault: (error) => expect.unreachable(String(error)),
  });
  const give = async (who: string, answer: string) => {
    const next = await queue.next(who);
    if ('nothing' in next) throw new Error(next.nothing);
    const { promptId } = next.task;
    await queue.submit(who, { promptId, kind: 'answer', answer, note: '', revealed: false });
    return promptId;
  };
  const open = async () =>
    (await queue.tasks()).filter(({ state }) => state === 'open').map(({ promptId }) => promptId);
  return { workspace, store, config, queue, plan, save, give, open };
}

test('without a plan there is nothing to put up', async () => {
  const { plan, queue } = await openPlan();
  expect(await plan.sync()).toEqual({ ordered: 0, arrived: 0, withdrawn: 0 });
  expect((await queue.progress()).open).toBe(0);
});

test('what waits for a label is put up, the most uncertain first; labels are recorded as arrived', async () => {
  const { workspace, store, plan, save, give, open } = await openPlan();
  await save(0.2);
  expect(await plan.sync()).toEqual({ ordered: 4, arrived: 0, withdrawn: 0 });
  expect(await open()).toEqual(['p19', 'p18', 'p17', 'p16']);
  expect(await plan.sync()).toEqual({ ordered: 0, arrived: 0, withdrawn: 0 });
  expect(existsSync(planPath(workspace, 'main'))).toBe(false);

  expect(await give('ann', '20')).toBe('p19');
  expect(await plan.sync()).toMatchObject({ arrived: 1 });
  const states = await store.transitions.routes('main');
  expect([states.get('p19'), states.get('p18')]).toEqual(['annotated', 'annotate']);
  const written = JSON.parse(readFileSync(planPath(workspace, 'main'), 'utf8'));
  expect(written.revision).toBe(1);
  expect(written.transitions.at(-1)).toMatchObject({ to: 'annotated', rule: 'label_arrived' });
  expect(replay(await store.transitions.of('main')).get('p19')).toBe('annotated');
});

test('a label that is taken back is recorded as gone, and as arrived when it comes again', async () => {
  const { store, queue, plan, save, give } = await openPlan();
  await save(0.1);
  await plan.sync();
  for (const answer of ['20', '21']) {
    expect(await give('ann', answer)).toBe('p19');
    await plan.sync();
    expect((await store.transitions.routes('main')).get('p19')).toBe('annotated');
    await queue.undo('ann');
    await plan.sync();
    expect((await store.transitions.routes('main')).get('p19')).toBe('annotate');
  }
  await give('ann', '22');
  await plan.sync();
  const log = (await store.transitions.of('main')).filter(({ promptId }) => promptId === 'p19');
  expect(log.map(({ rule }) => rule).slice(1)).toEqual([
    ...['label_arrived', 'label_withdrawn', 'label_arrived', 'label_withdrawn', 'label_arrived'],
  ]);
  expect(replay(await store.transitions.of('main')).get('p19')).toBe('annotated');
  // What is recorded is recorded once.
  expect(await store.transitions.move(log.slice(-1))).toBe(0);
});

test('prompts with images come last, and only where people are to label them', async () => {
  const { store, queue, config } = await openPlan();
  const content = [{ type: 'image_url', image_url: { url: PIXEL } }] as const;
  await store.prompts.add([
    { ...promptRow(98), prompt: [{ role: 'user', content: [...content] }] },
    { ...promptRow(99), prompt: [{ role: 'user', content: [...content, ...content] }] },
  ]);
  const needs = { store, queue, account: 'main', onFault: () => expect.unreachable() };
  expect(await new PlanQueue({ ...needs, config }).sync()).toMatchObject({ ordered: 0 });
  const label = { ...config.label, images: true };
  const plan = new PlanQueue({ ...needs, config: { ...config, label } });
  expect(await plan.sync()).toMatchObject({ ordered: 2 });
  expect(await plan.sync()).toMatchObject({ ordered: 0 });
  expect((await queue.tasks()).map(({ promptId }) => promptId)).toEqual(['p98', 'p99']);
});

test('a new plan puts up what it wants and takes down what it does not', async () => {
  const { store, queue, plan, save, give, open } = await openPlan();
  await save(0.1);
  await plan.sync();
  await queue.order([{ promptId: 'p3', utility: 9, run: 'arm', step: 4, reason: 'planned' }]);
  await save(0.2);
  expect(await plan.sync()).toEqual({ ordered: 2, arrived: 0, withdrawn: 0 });
  expect(new Set(await open())).toEqual(new Set(['p3', 'p19', 'p18', 'p17', 'p16']));
  expect(await give('ann', 'x')).toBe('p3');
  await save(0.05);
  expect(await plan.sync()).toMatchObject({ ordered: 0, withdrawn: 3 });
  // What a run asked for is not the plan's to take down.
  await queue.order([{ promptId: 'p4', utility: 9, run: 'arm', step: 5, reason: 'planned' }]);
  await save(0.1);
  expect(await plan.sync()).toMatchObject({ withdrawn: 0 });
  expect(await open()).toEqual(['p4', 'p19', 'p18']);
  expect(await store.labels.count('main')).toBe(1);
});

test('while a run trains by the plan, the run records what arrives', async () => {
  const { store, plan, save, give } = await openPlan();
  await save(0.1);
  await plan.sync();
  const run = {
    name: 'a',
    kind: 'train',
    plan: 'main',
    account: 'main',
    config: {},
    summary: null,
  };
  await store.runs.put({ ...run, status: 'running' });
  await give('ann', '20');
  expect(await plan.sync()).toMatchObject({ arrived: 0 });
  await store.runs.put({ ...run, status: 'done' });
  expect(await plan.sync()).toMatchObject({ arrived: 1 });
});

test('an open plan queue looks by itself, and records the last labels when it closes', async () => {
  const { store, plan, save, give } = await openPlan();
  await save(0.1);
  expect((await plan.open()).ordered).toBe(2);
  await give('ann', '20');
  plan.poke();
  const annotated = async () =>
    [...(await store.transitions.routes('main')).values()].filter((state) => state === 'annotated');
  await vi.waitFor(async () => expect(await annotated()).toHaveLength(1), { timeout: 60_000 });
  await give('ann', '19');
  await plan.close();
  expect(await annotated()).toHaveLength(2);
});
