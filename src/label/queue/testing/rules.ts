/**
 * The rules of the queue a second time, from what it shows of itself: what must hold at any moment, and who must get
 * what next. Written over lists in memory, with nothing of the queue's own code.
 */
import { expect } from 'vitest';
import type { LeaseRecord } from '../../../store/desk.ts';
import type { OwnedLabel, Store } from '../../../store/types.ts';
import type { Annotation, Queue, QueueSettings, Task } from '../types.ts';
import { sameAnswer } from './bench.ts';

export interface Situation {
  settings: QueueSettings;
  now: number;
  tasks: Task[];
  /** In force. */
  leases: LeaseRecord[];
  /** Not undone. */
  standing: Annotation[];
  labels: OwnedLabel[];
}

export async function situationOf(store: Store, queue: Queue, now: number): Promise<Situation> {
  const { account } = queue.settings;
  return {
    settings: queue.settings,
    now,
    tasks: await queue.tasks(),
    leases: (await store.desk.leases(account)).filter(({ expiresAt }) => expiresAt > now),
    standing: (await queue.annotations()).filter(({ undone }) => !undone),
    labels: await store.labels.owned(account),
  };
}

const answersTo = ({ standing }: Situation, { promptId }: Task) =>
  standing.filter((a) => a.promptId === promptId && a.kind !== 'skip' && !a.adjudicates);

const handsOn = ({ leases }: Situation, { promptId }: Task, but = '') =>
  leases.filter((lease) => lease.promptId === promptId && lease.annotator !== but).length;

/** Prompts that have their part of the budget. */
function spokenFor(situation: Situation): Set<string> {
  const begun = situation.tasks.filter(
    (task) =>
      !task.gold &&
      task.checks === null &&
      (handsOn(situation, task) > 0 ||
        task.state === 'adjudicate' ||
        (task.state === 'open' && answersTo(situation, task).length > 0)),
  );
  return new Set([...begun, ...situation.labels].map(({ promptId }) => promptId));
}

/** Fails where a rule is broken. */
export function expectOrder(situation: Situation): void {
  const { settings, tasks, leases, standing, labels } = situation;
  expect(spokenFor(situation).size).toBeLessThanOrEqual(
    settings.budget ?? Number.POSITIVE_INFINITY,
  );
  expect(new Set(labels.map(({ promptId }) => promptId)).size).toBe(labels.length);
  expect(new Set(leases.map(({ annotator }) => annotator)).size).toBe(leases.length);
  for (const { promptId, annotator } of leases) {
    const before = standing.filter((a) => a.annotator === annotator && a.promptId === promptId);
    expect(before.filter(({ adjudicates }) => !adjudicates)).toEqual([]);
  }
  for (const task of tasks) expectTask(situation, task);
}

function expectTask(situation: Situation, task: Task): void {
  const answers = answersTo(situation, task);
  const label = situation.labels.find(({ promptId }) => promptId === task.promptId);
  const people = new Set(answers.map(({ annotator }) => annotator));
  expect(people.size).toBe(answers.length);
  if (task.gold) {
    expect(handsOn(situation, task)).toBeLessThanOrEqual(task.overlap);
    expect([task.state, label]).toEqual(['open', undefined]);
    return;
  }
  expect(answers.length + handsOn(situation, task)).toBeLessThanOrEqual(task.overlap);
  const ruling = situation.standing.find((a) => a.promptId === task.promptId && a.adjudicates);
  if (task.checks !== null) {
    expectCheck(task, label, answers[0], ruling);
    return;
  }
  const [first] = answers;
  const agree = answers.every(
    ({ kind, answer }) =>
      kind === first.kind && (answer === null || sameAnswer(answer, first.answer ?? '')),
  );
  const full = answers.length === task.overlap;
  const last = ruling ?? (full && agree ? first : undefined);
  expect(task.state === 'done').toBe(last !== undefined);
  if (task.state !== 'withdrawn' && last === undefined) {
    expect(task.state).toBe(full ? 'adjudicate' : 'open');
  }
  const outcome = last?.kind === 'answer' ? 'labelled' : last?.kind;
  expect(task.outcome).toBe(outcome ?? null);
  expect(label?.answer).toBe(last?.answer ?? undefined);
}

/** The label that is checked is `1`, and stays unless a ruling says otherwise. */
function expectCheck(
  task: Task,
  label: OwnedLabel | undefined,
  said: Annotation | undefined,
  ruling: Annotation | undefined,
): void {
  const agrees = (one: Annotation | undefined) =>
    one?.kind === 'answer' && sameAnswer(one.answer ?? '', '1');
  if (ruling !== undefined) {
    expect(task.state).toBe('done');
    const stays = agrees(ruling) ? { source: 'oracle', answer: '1' } : { answer: ruling.answer };
    expect(label ?? { answer: null }).toMatchObject(stays);
    return;
  }
  expect(label).toMatchObject({ source: 'oracle', answer: '1' });
  if (task.state === 'withdrawn') return;
  const answered = agrees(said) ? 'done' : 'adjudicate';
  expect(task.state).toBe(said === undefined ? 'open' : answered);
}

/** What the annotator must get next: the id of a question, or why there is none. */
export function expectedNext(situation: Situation, annotator: string): string {
  const { settings, tasks, leases, standing } = situation;
  const held = leases.find((lease) => lease.annotator === annotator);
  if (held !== undefined) return held.promptId;
  const mine = standing.filter((a) => a.annotator === annotator && !a.adjudicates);
  const isFree = (task: Task) =>
    task.state === 'open' &&
    !mine.some(({ promptId }) => promptId === task.promptId) &&
    (task.gold ? 0 : answersTo(situation, task).length) + handsOn(situation, task, annotator) <
      task.overlap;
  const free = tasks.filter(isFree).sort(byUtility);
  const isWork = ({ gold, checks }: Task) => !gold && checks === null;
  const work = free.filter(isWork);
  const check = free.find(({ checks }) => checks !== null);
  if (work.length === 0) {
    const waits = tasks.some((task) => isWork(task) && task.state === 'open');
    return check?.promptId ?? (waits ? 'taken' : 'empty');
  }
  const spoken = spokenFor(situation);
  const hasRoom = spoken.size < (settings.budget ?? Number.POSITIVE_INFINITY);
  const [found] = hasRoom ? work : work.filter(({ promptId }) => spoken.has(promptId));
  if (found === undefined) return check?.promptId ?? 'budget';
  const were = mine.map(({ promptId }) => tasks.find((t) => t.promptId === promptId));
  const isDue = (every: number, isOne: (task: Task | undefined) => boolean) => {
    const recent = every > 1 ? were.slice(1 - every) : [];
    return every > 0 && recent.length === every - 1 && !recent.some(isOne);
  };
  const gold = free.find((task) => task.gold);
  if (gold !== undefined && isDue(settings.goldEvery, (task) => task?.gold === true)) {
    return gold.promptId;
  }
  const isCheck = (task: Task | undefined) => task !== undefined && task.checks !== null;
  return check !== undefined && isDue(settings.checkEvery, isCheck)
    ? check.promptId
    : found.promptId;
}

function byUtility(a: Task, b: Task): number {
  return b.utility - a.utility || a.createdAt - b.createdAt || (a.promptId < b.promptId ? -1 : 1);
}
