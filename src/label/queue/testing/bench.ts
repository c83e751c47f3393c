/** A queue to test on: an account of its own, a clock that is moved by hand, a judge that counts its work. */
import { promptRow } from '../../../store/testing/rows.ts';
import type { Store } from '../../../store/types.ts';
import { openQueue, type QueuePorts } from '../queue.ts';
import type { Judge, Next, Queue, QueueSettings, Submission, TaskOrder } from '../types.ts';

export const leaseMs = 60_000;

export interface Bench {
  queue: Queue;
  account: string;
  /** The same account opened again, on this or another store, with other settings. */
  again(settings?: Partial<QueueSettings>, store?: Store, judge?: Judge): Queue;
  /** The same account, and what is told of people's work. */
  recording(record: NonNullable<QueuePorts['record']>): Queue;
  /** Milliseconds. */
  now: number;
  /** Calls of the judge so far. */
  judged: number;
}

let accounts = 0;

/** Numbers are equal by value, anything else by its letters. */
export function sameAnswer(a: string, b: string): boolean {
  const [x, y] = [Number(a), Number(b)];
  return Number.isNaN(x) ? a.toLowerCase() === b.toLowerCase() : x === y;
}

export function benchOn(store: Store, settings: Partial<QueueSettings> = {}): Bench {
  const account = `account ${accounts++}`;
  const judge: Judge = {
    async equivalent(_promptId, a, b) {
      bench.judged++;
      return sameAnswer(a, b);
    },
  };
  const usual: QueueSettings = {
    ...{ account, budget: null, overlap: 1, leaseMs, goldEvery: 0, checkEvery: 0 },
    ...settings,
  };
  const ports = {
    nameOf: (id: string) => `${id[0].toUpperCase()}${id.slice(1)}`,
    clock: () => bench.now,
  };
  const again: Bench['again'] = (other = {}, on = store, by = judge) =>
    openQueue(on, { ...usual, ...other }, { ...ports, judge: by });
  const recording: Bench['recording'] = (record) =>
    openQueue(store, usual, { ...ports, judge, record });
  const bench: Bench = { account, again, recording, now: 1_000_000, judged: 0, queue: again() };
  return bench;
}

/** Prompts p0, p1, ... for the tests of one store. */
export async function addPrompts(store: Store, count: number): Promise<void> {
  await store.prompts.add(Array.from({ length: count }, (_, i) => promptRow(i)));
}

export function orderOf(index: number, utility = 100 - index): TaskOrder {
  return { promptId: `p${index}`, utility, run: 'run', step: index, reason: 'group_disagrees' };
}

export function ordersOf(count: number): TaskOrder[] {
  return Array.from({ length: count }, (_, i) => orderOf(i));
}

export function answerTo(promptId: string, answer: string): Submission {
  return { promptId, kind: 'answer', answer, note: '', revealed: false };
}

export function sayOf(promptId: string, kind: 'no_answer' | 'bad_question' | 'skip'): Submission {
  return { promptId, kind, answer: null, note: '', revealed: false };
}

/** Id of the question, or why there is none. */
export function idOf(next: Next): string {
  return 'nothing' in next ? next.nothing : next.task.promptId;
}

/** Takes a question; its id, or why there is none. */
export async function take(bench: Bench, annotator: string): Promise<string> {
  return idOf(await bench.queue.next(annotator));
}

/** Takes a question and answers it; its id. */
export async function answer(bench: Bench, annotator: string, text: string): Promise<string> {
  const id = await take(bench, annotator);
  await bench.queue.submit(annotator, answerTo(id, text));
  return id;
}
