/** Labels that come in their own time: from people by their queue, waited for or not, seen again after a stop. */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Interrupted, UserError } from '../core/errors.ts';
import { openStore } from '../store/store.ts';
import { promptRow } from '../store/testing/rows.ts';
import { freshWorkspace } from '../store/testing/workspace.ts';
import type { Store } from '../store/types.ts';
import { openHistory } from './history.ts';
import { type LiveSettings, openLiveDesk, plannedWishes, type Waiting } from './live.ts';
import { people } from './people.ts';
import { openQueue } from './queue/queue.ts';
import type { AnnotationKind, Queue } from './queue/types.ts';
import type { LiveDesk, Wish } from './types.ts';

const all = Array.from({ length: 12 }, (_, i) => `p${i}`);
const at = (step: number | null) => ({ run: 'r', step });
const wish = (promptId: string, utility = 0.2): Wish => ({
  ...{ promptId, utility, reason: 'group_disagrees' },
});
const idsOf = (labels: readonly { promptId: string }[]) => labels.map((one) => one.promptId);

let workspace: string;
let store: Store;
let stop: AbortController;
let told: { count: number; step: number | null; isOver: boolean }[];
beforeEach(async () => {
  workspace = await freshWorkspace();
  store = await openStore(workspace);
  await store.prompts.add(all.map((_, i) => promptRow(i)));
  stop = new AbortController();
  told = [];
});
afterEach(() => store.close());

const judge = { equivalent: async (_id: string, a: string, b: string) => a === b };

function queueOf(budget: number | null = null, overlap = 1): Queue {
  const settings = {
    account: 'arm',
    budget,
    overlap,
    leaseMs: 60_000,
    goldEvery: 0,
    checkEvery: 0,
  };
  return openQueue(store, settings, { judge, nameOf: (annotator) => annotator });
}

function waiting(minutes: number | null = null): Waiting {
  return {
    ...{ minutes, stop: stop.signal },
    told: (count, { step }, isOver) => told.push({ count, step, isOver }),
  };
}

interface More extends Partial<LiveSettings> {
  budget?: number | null;
}

/** A desk as a run opens it; each has a history in the same file, as a run that goes on has. */
function deskOf(more: More = {}): LiveDesk {
  const { budget = null } = more;
  return openLiveDesk({
    ...{ store, account: 'arm', budget, source: people(queueOf(budget)), whenMissing: 'wait' },
    history: openHistory(join(workspace, 'labels.jsonl')),
    waiting: waiting(),
    ...more,
  });
}

/** Somebody says this to the next question; returns its prompt. */
async function answer(
  queue: Queue,
  kind: AnnotationKind = 'answer',
  annotator = 'mara',
): Promise<string> {
  const next = await queue.next(annotator);
  if ('nothing' in next) throw new Error(`nothing to do: ${next.nothing}`);
  const { promptId } = next.task;
  const said = kind === 'answer' ? `answer to ${promptId}` : null;
  await queue.submit(annotator, { promptId, kind, answer: said, note: '', revealed: false });
  return promptId;
}

describe('people', () => {
  test('find what training asks for in their queue at once, the most useful first', async () => {
    const desk = deskOf({ whenMissing: 'self' });
    expect(await desk.ask([wish('p3', 0.1), wish('p5', 0.24)], at(4))).toEqual([]);
    const tasks = await queueOf().tasks();
    expect(
      tasks
        .map(({ promptId, utility, run, step, reason, state }) => [
          ...[promptId, utility, run, step, reason, state],
        ])
        .sort(),
    ).toEqual([
      ['p3', 0.1, 'r', 4, 'group_disagrees', 'open'],
      ['p5', 0.24, 'r', 4, 'group_disagrees', 'open'],
    ]);
    expect(await answer(queueOf())).toBe('p5');
    // Seen at the next step, under the name of who gave it, and paid once.
    expect(await desk.arrived(at(4))).toEqual([
      { promptId: 'p5', answer: 'answer to p5', source: 'mara', cost: 1 },
    ]);
    expect([await desk.spent(at(4)), await desk.spent()]).toEqual([1, 1]);
    expect(told).toEqual([]);
  });

  test('are waited for, and what they give goes to those who wait', async () => {
    const asked = deskOf().ask([wish('p1'), wish('p2')], at(3));
    const queue = queueOf();
    await until(() => told.length > 0);
    expect(told[0]).toEqual({ count: 2, step: 3, isOver: false });
    await answer(queue);
    await until(() => told.at(-1)?.count === 1);
    await answer(queue);
    expect(idsOf(await asked)).toEqual(['p1', 'p2']);
    expect(told.at(-1)).toEqual({ count: 0, step: 3, isOver: false });
  });

  test('may say that there is no answer: then nobody waits, and it is never asked again', async () => {
    const desk = deskOf();
    const asked = desk.ask([wish('p1', 0.2), wish('p2', 0.1)], at(3));
    const queue = queueOf();
    await until(() => told.length > 0);
    await answer(queue, 'no_answer');
    await answer(queue, 'bad_question');
    expect(await asked).toEqual([]);
    expect(desk.refused()).toEqual(['p1', 'p2']);
    expect(await desk.ask([wish('p1')], at(4))).toEqual([]);
    expect(await queue.next('mara')).toEqual({ nothing: 'empty' });
  });

  test('who take back that there is no answer are believed', async () => {
    const desk = deskOf({ whenMissing: 'self' });
    await desk.ask([wish('p1')], at(1));
    const queue = queueOf();
    await answer(queue, 'no_answer');
    await desk.arrived(at(1));
    expect(desk.refused()).toEqual(['p1']);
    await queue.undo('mara');
    await answer(queue);
    expect(idsOf(await desk.arrived(at(2)))).toEqual(['p1']);
    expect(desk.refused()).toEqual([]);
  });

  test('who take a label back are believed too, and it counts no more', async () => {
    const desk = deskOf({ whenMissing: 'self' });
    await desk.ask([wish('p1')], at(1));
    const queue = queueOf();
    await answer(queue);
    expect(idsOf(await desk.arrived(at(1)))).toEqual(['p1']);
    await queue.undo('mara');
    expect(await desk.arrived(at(2))).toEqual([]);
    expect(await desk.spent(at(2))).toBe(0);
  });

  test('who give more labels than the budget cannot: the rest is not waited for', async () => {
    const desk = deskOf({ budget: 1 });
    const asked = desk.ask([wish('p1', 0.2), wish('p2', 0.1)], at(3));
    await until(() => told.length > 0);
    expect(await answer(queueOf(1))).toBe('p1');
    expect(idsOf(await asked)).toEqual(['p1']);
    expect(desk.refused()).toEqual(['p2']);
    expect(await store.labels.count('arm')).toBe(1);
  });
});

describe('a wait', () => {
  test('ends at once when the run is to stop', async () => {
    const asked = deskOf().ask([wish('p1')], at(3));
    await until(() => told.length > 0);
    stop.abort();
    await expect(asked).rejects.toThrow(Interrupted);
  });

  test('ends when its time is over; nobody waits for that label again', async () => {
    let now = 0;
    const desk = deskOf({ waiting: waiting(2), clock: () => now });
    const asked = desk.ask([wish('p1')], at(3));
    await until(() => told.length > 0);
    now = 120_001;
    expect(await asked).toEqual([]);
    expect(told.at(-1)).toEqual({ count: 1, step: 3, isOver: true });
    const before = told.length;
    expect(await desk.ask([wish('p1')], at(4))).toEqual([]);
    expect(told.slice(before).every(({ count }) => count === 0)).toBe(true);
    // It is still up, and comes in when somebody gives it.
    await answer(queueOf());
    expect(idsOf(await desk.arrived(at(4)))).toEqual(['p1']);
  });

  test('is for one label where a run has nothing else to train on', async () => {
    const desk = deskOf({ whenMissing: 'leave' });
    expect(await desk.ask([wish('p1'), wish('p2')], at(1))).toEqual([]);
    expect([...desk.left()]).toEqual(['p1', 'p2']);
    const changed = desk.change(at(2));
    await until(() => told.length > 0);
    const given = await answer(queueOf());
    expect(idsOf(await changed)).toEqual([given]);
    expect([...desk.left()]).toEqual(['p1', 'p2'].filter((id) => id !== given));
  });

  test('is not for those who only put questions up', async () => {
    const desk = openLiveDesk({
      ...{ store, account: 'arm', budget: null, source: people(queueOf()), whenMissing: 'wait' },
      ...{ history: openHistory(join(workspace, 'labels.jsonl')), waiting: null },
    });
    expect(await desk.request(['p4', 'p2'], at(null))).toEqual([]);
    expect(desk.waits).toBe(false);
    expect(await answer(queueOf())).toBe('p4');
  });
});

describe('a run that goes on', () => {
  const file = () => join(workspace, 'labels.jsonl');
  /** What a run does from the step after `step` to the end of `last`. */
  async function steps(desk: LiveDesk, step: number, last: number, seen: string[][] = []) {
    await desk.arrived({ run: null, step: null });
    for (let i = step; i < last; i++) {
      seen.push(idsOf(await desk.arrived(at(i))));
      seen.push(idsOf(await desk.ask([wish(`p${i}`)], at(i + 1))));
      seen.push([...desk.refused(), String(await desk.spent(at(i + 1)))]);
    }
    return seen;
  }

  test('sees at every step what it saw there the first time, and then what is there now', async () => {
    const queue = queueOf();
    const first = deskOf({ whenMissing: 'self' });
    const seen = await steps(first, 0, 2);
    await answer(queue);
    await steps(first, 2, 3);
    const more = await steps(deskOf({ whenMissing: 'self' }), 0, 3);
    await answer(queue, 'no_answer');
    const again = await steps(deskOf({ whenMissing: 'self' }), 0, 3);
    expect(again).toEqual(more);
    expect(again.slice(0, 6)).toEqual(seen);
    // From a checkpoint after step 2, and on beyond what was seen.
    const late = deskOf({ whenMissing: 'self' });
    expect(await steps(late, 2, 3)).toEqual(again.slice(6));
    const beyond = await late.arrived(at(3));
    expect([idsOf(beyond).length, late.refused().length]).toEqual([1, 1]);
  });

  test('that was stopped while it waited asks for nothing twice and counts nothing twice', async () => {
    const waits = deskOf()
      .ask([wish('p1')], at(1))
      .catch(() => 'stopped');
    await until(() => told.length > 0);
    stop.abort();
    expect(await waits).toBe('stopped');
    stop = new AbortController();
    // The label comes while the run is dead.
    const queue = queueOf();
    await answer(queue);
    const desk = deskOf();
    expect(idsOf(await desk.ask([wish('p1')], at(1)))).toEqual(['p1']);
    expect([await desk.spent(at(1)), (await queue.tasks()).length]).toEqual([1, 1]);
  });

  test('that takes another way than before goes on with what is there', async () => {
    await steps(deskOf({ whenMissing: 'self' }), 0, 3);
    const other = deskOf({ whenMissing: 'self' });
    await other.arrived({ run: null, step: null });
    await other.arrived(at(0));
    await answer(queueOf());
    expect(await other.ask([wish('p9')], at(1))).toEqual([]);
    expect(await other.arrived(at(1))).toHaveLength(1);
    const lines = readFileSync(file(), 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(4);
  });

  test('drops a line that was cut short, and refuses one that is broken', async () => {
    await steps(deskOf({ whenMissing: 'self' }), 0, 1);
    const whole = readFileSync(file(), 'utf8');
    appendFileSync(file(), whole.slice(0, 20));
    await steps(deskOf({ whenMissing: 'self' }), 0, 1);
    expect(readFileSync(file(), 'utf8')).toBe(whole);
    appendFileSync(file(), '{}\n');
    expect(() => deskOf()).toThrow(UserError);
    expect(() => deskOf()).toThrow(/labels\.jsonl:4/);
  });
});

test('a plan puts its most uncertain prompts up first', () => {
  const wishes = plannedWishes(['a', 'b', 'c']);
  expect(wishes.map(({ reason }) => reason)).toEqual(Array(3).fill('planned'));
  const utilities = wishes.map(({ utility }) => utility);
  expect(utilities).toEqual([...utilities].sort((x, y) => y - x));
  expect(Math.max(...utilities)).toBeLessThanOrEqual(0.25);
});

/** Looks again until it is so; the test's own time is the limit. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(5);
}
