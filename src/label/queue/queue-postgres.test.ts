import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RandomStream, stream } from '../../core/random.ts';
import { openPostgres } from '../../store/postgres.ts';
import { storeOn } from '../../store/store.ts';
import { hasPostgres, startPostgres, type TestPostgres } from '../../store/testing/postgres.ts';
import type { Store } from '../../store/types.ts';
import { openQueue } from './queue.ts';
import { addPrompts, answerTo, orderOf, ordersOf, sameAnswer, sayOf } from './testing/bench.ts';
import { queueContract } from './testing/contract.ts';
import type { Lease, Queue, QueueSettings } from './types.ts';

let server: TestPostgres;
const openAt = async (url: string) => storeOn(await openPostgres(url), () => undefined);

describe.skipIf(!hasPostgres)('on a server', () => {
  beforeAll(async () => {
    server = await startPostgres();
  }, 120_000);
  afterAll(() => server.stop());

  queueContract('PostgreSQL', () => openAt(server.url));
  crowds();
});

/** Somebody had a question in hand from `from` until before `until`. */
interface Holding {
  promptId: string;
  from: number;
  until: number;
}

/** Many people on several servers: queues on stores of their own, one clock that moves on at every look. */
class Crowd {
  /** By who and since when: the same lease may be seen several times, and the last time tells how it ended. */
  readonly holdings = new Map<string, Holding>();
  readonly budget: number;
  now = 1;
  stores: Store[] = [];
  queues: Queue[] = [];
  private readonly settings: QueueSettings;

  constructor(overlap: number, budget: number, goldEvery: number) {
    this.budget = budget;
    // Short against what happens meanwhile, so that many are late.
    this.settings = { account: 'crowd', budget, overlap, leaseMs: 150, goldEvery, checkEvery: 0 };
  }

  async open(url: string, servers: number): Promise<void> {
    this.stores = await Promise.all(Array.from({ length: servers }, () => openAt(url)));
    const judge = {
      async equivalent(_id: string, a: string, b: string) {
        await pause(1);
        return sameAnswer(a, b);
      },
    };
    this.queues = this.stores.map((store) =>
      openQueue(store, this.settings, { judge, nameOf: (id) => id, clock: () => this.now++ }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.stores.map((store) => store.close()));
  }

  /** What one person does with one question; late submissions and undoing others' decisions may be refused. */
  async turn(who: string, random: RandomStream): Promise<void> {
    const queue = pick(this.queues, random);
    const next = await queue.next(who);
    if ('nothing' in next) return;
    const { promptId } = next.task;
    const choice = random.uniform();
    // Left alone: late, if ever.
    const leaves = choice >= 0.8;
    const until = leaves ? next.lease.expiresAt : this.now;
    if (!next.task.gold) this.hold({ ...next.lease, until });
    if (leaves) return;
    if (choice < 0.6) await this.answer(who, promptId, random);
    else if (choice < 0.7) await queue.submit(who, sayOf(promptId, 'skip')).catch(refused);
    else await queue.release(who);
    if (random.uniform() < 0.15) await pick(this.queues, random).undo(who).catch(refused);
  }

  private async answer(who: string, promptId: string, random: RandomStream): Promise<void> {
    const submission = answerTo(promptId, pick(['1', '1.0', '1.00', '2'], random));
    // Twice at once, as by an impatient finger; both say the same or are refused.
    const twice = [pick(this.queues, random), pick(this.queues, random)];
    await Promise.all(twice.map((queue) => queue.submit(who, submission).catch(refused)));
  }

  private hold({
    annotator,
    promptId,
    takenAt,
    expiresAt,
    until,
  }: Lease & { until: number }): void {
    const holding = { promptId, from: takenAt, until: Math.min(expiresAt, until) };
    this.holdings.set(`${annotator} ${takenAt}`, holding);
  }
}

function pick<T>(from: readonly T[], random: RandomStream): T {
  return from[random.below(from.length)];
}

function refused(error: unknown): void {
  expect(error).toMatchObject({ name: 'UserError' });
}

function mostAtOnce(holdings: readonly Holding[]): number {
  return Math.max(
    ...holdings.map(
      ({ promptId, from }) =>
        holdings.filter((h) => h.promptId === promptId && h.from <= from && from < h.until).length,
    ),
  );
}

function crowds(): void {
  const sizes = [
    { overlap: 1, people: 40, questions: 60, budget: 35 },
    { overlap: 2, people: 20, questions: 30, budget: 20 },
  ];
  test.each(sizes)(
    'a crowd on four servers with overlap $overlap overruns nothing',
    {
      timeout: 400_000,
    },
    async ({ overlap, people, questions, budget }) => {
      const crowd = new Crowd(overlap, budget, 4);
      await crowd.open(await server.freshDatabase(), 4);
      const [store] = crowd.stores;
      const [queue] = crowd.queues;
      await addPrompts(store, questions + 3);
      await Promise.all(crowd.queues.map((one) => one.order(ordersOf(questions))));
      await queue.orderGold(
        [1, 2, 3].map((i) => ({ promptId: orderOf(questions + i - 1).promptId, answer: '1' })),
      );
      expect(await queue.tasks()).toHaveLength(questions + 3);

      let working = true;
      let [looks, most] = [0, 0];
      const watch = async () => {
        for (; working; looks++) {
          most = Math.max(most, await store.desk.spoken('crowd', crowd.now));
          await pause(5);
        }
      };
      const work = async (person: number) => {
        const random = stream(7, 'crowd', overlap, person);
        for (let turn = 0; turn < 10; turn++) await crowd.turn(`person${person}`, random);
      };
      const watching = watch();
      const all = Promise.all(Array.from({ length: people }, (_, person) => work(person)));
      await all.finally(() => {
        working = false;
      });
      await watching;

      expect(looks).toBeGreaterThan(10);
      expect(most).toBeLessThanOrEqual(budget);
      expect(most).toBeGreaterThan(budget / 2);
      expect(mostAtOnce([...crowd.holdings.values()])).toBeLessThanOrEqual(overlap);
      const labels = await store.labels.owned('crowd');
      expect(new Set(labels.map(({ promptId }) => promptId)).size).toBe(labels.length);
      expect(labels.length).toBeGreaterThan(5);
      expect(labels.length).toBeLessThanOrEqual(budget);
      const tasks = await queue.tasks();
      const done = tasks.filter(({ outcome }) => outcome === 'labelled');
      expect(done.map(({ promptId }) => promptId).sort()).toEqual(
        labels.map(({ promptId }) => promptId).sort(),
      );
      const standing = (await queue.annotations()).filter(({ undone }) => !undone);
      const said = standing.map(({ annotator, promptId }) => `${annotator} ${promptId}`);
      expect(new Set(said).size).toBe(said.length);
      for (const { promptId, gold } of tasks) {
        const answers = standing.filter((a) => a.promptId === promptId && a.kind !== 'skip');
        if (!gold) expect(answers.length).toBeLessThanOrEqual(overlap);
      }
      await crowd.close();
    },
  );

  test('several servers that find the last place in the budget fill it once', async () => {
    const crowd = new Crowd(1, 3, 0);
    await crowd.open(await server.freshDatabase(), 3);
    await addPrompts(crowd.stores[0], 20);
    await crowd.queues[0].order(ordersOf(20));
    const nexts = await Promise.all(
      Array.from({ length: 15 }, (_, i) => crowd.queues[i % 3].next(`person${i}`)),
    );
    expect(nexts.filter((next) => 'lease' in next)).toHaveLength(3);
    expect(nexts.filter((next) => 'nothing' in next && next.nothing === 'budget')).toHaveLength(12);
    await crowd.close();
  });
}
