/** The queue against its rules: whatever people do in whatever order, they hold. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UserError } from '../../core/errors.ts';
import { openStore } from '../../store/store.ts';
import { freshWorkspace } from '../../store/testing/workspace.ts';
import type { Store } from '../../store/types.ts';
import {
  addPrompts,
  answerTo,
  type Bench,
  benchOn,
  idOf,
  leaseMs,
  sayOf,
} from './testing/bench.ts';
import { expectedNext, expectOrder, situationOf } from './testing/rules.ts';
import type { Submission } from './types.ts';

let store: Store;
beforeAll(async () => {
  store = await openStore(await freshWorkspace());
  await addPrompts(store, 10);
}, 300_000);
afterAll(() => store.close());

const who = fc.constantFrom('ada', 'bob', 'eve');
const prompt = fc.nat({ max: 5 }).map((i) => `p${i}`);
const said = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('1', '1.0', '2').map((text) => answerTo('', text)) },
  { weight: 1, arbitrary: fc.constantFrom(sayOf('', 'no_answer'), sayOf('', 'bad_question')) },
  { weight: 1, arbitrary: fc.constant(sayOf('', 'skip')) },
);

type Step =
  | { do: 'work'; who: string; said: Submission }
  | { do: 'next' | 'undo' | 'release'; who: string }
  | { do: 'submit'; who: string; promptId: string; said: Submission }
  | { do: 'order'; promptId: string; utility: number }
  | { do: 'withdraw'; promptId: string }
  | { do: 'rule'; who: string; said: Submission }
  | { do: 'wait'; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('work' as const), who, said }) },
  {
    weight: 7,
    arbitrary: fc.record({ do: fc.constantFrom('next', 'undo', 'undo', 'release'), who }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('submit' as const), who, promptId: prompt, said }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('order' as const),
      promptId: prompt,
      utility: fc.nat({ max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('withdraw' as const), promptId: prompt }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rule' as const), who, said }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, leaseMs / 2, leaseMs),
    }),
  },
);

/** What is against the rules is refused, and changes nothing: the rules are checked after it all the same. */
function refused(error: unknown): void {
  expect(error).toBeInstanceOf(UserError);
}

/** What came of everything, to see that the steps go everywhere. */
const seen = new Set<string>();

async function take(bench: Bench, annotator: string): Promise<string> {
  const expected = expectedNext(await situationOf(store, bench.queue, bench.now), annotator);
  const id = idOf(await bench.queue.next(annotator));
  expect(id).toBe(expected);
  seen.add(id.startsWith('p') ? 'question' : id);
  return id;
}

async function perform(bench: Bench, one: Step): Promise<void> {
  const { queue } = bench;
  switch (one.do) {
    case 'next':
      return void (await take(bench, one.who));
    case 'work': {
      const promptId = await take(bench, one.who);
      if (promptId.startsWith('p'))
        seen.add(await queue.submit(one.who, { ...one.said, promptId }));
      return;
    }
    case 'submit': {
      const { promptId } = one;
      const verdict = await queue.submit(one.who, { ...one.said, promptId }).catch(refused);
      return void seen.add(verdict === undefined ? 'refused' : `again ${verdict}`);
    }
    case 'undo': {
      const undone = await queue.undo(one.who).catch(refused);
      return void seen.add(undone ? `undone ${undone.kind}` : `undone ${undone}`);
    }
    case 'release':
      return await queue.release(one.who);
    case 'order': {
      const { promptId, utility } = one;
      return void (await queue.order([
        { promptId, utility, run: null, step: null, reason: 'planned' },
      ]));
    }
    case 'withdraw':
      return void (await queue.withdraw([one.promptId]));
    case 'rule': {
      const [dispute] = (await queue.disputes(1)).disputes;
      const promptId = dispute?.task.promptId ?? 'p0';
      return void seen.add(
        `ruled ${await queue.rule(one.who, { ...one.said, promptId }).catch(refused)}`,
      );
    }
    case 'wait':
      bench.now += one.ms;
  }
}

/** Labels of a teacher that people check. They are there before any question is begun. */
const bought = { source: 'oracle', answer: '1', cost: 1, noisy: false, run: null, step: null };

const settings = fc.record({
  overlap: fc.constantFrom(1, 2, 2, 3),
  budget: fc.constantFrom(null, 3, 4, 6),
  goldEvery: fc.constantFrom(0, 2, 3),
  checkEvery: fc.constantFrom(0, 2, 4),
});

test('whatever people do, the rules hold after every step', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      settings,
      fc.array(step, { minLength: 15, maxLength: 30 }),
      async (s, steps) => {
        const bench = benchOn(store, s);
        const first = ['p0', 'p1', 'p2'].map((promptId, i) => ({ promptId, utility: i % 2 }));
        await bench.queue.order(
          first.map((one) => ({ ...one, run: null, step: null, reason: 'planned' })),
        );
        await bench.queue.orderChecks(['p8', 'p9'], 'oracle');
        await store.labels.add(
          bench.account,
          ['p8', 'p9'].map((promptId) => ({ ...bought, promptId })),
        );
        await bench.queue.orderGold(['p6', 'p7'].map((promptId) => ({ promptId, answer: '1' })));
        for (const one of steps) {
          bench.now += 1;
          await perform(bench, one);
          expectOrder(await situationOf(store, bench.queue, bench.now));
        }
      },
    ),
    { seed: 41, numRuns: 40 },
  );
  for (const what of [
    ...['question', 'empty', 'taken', 'budget'],
    ...['decided', 'waiting', 'disagree', 'skipped', 'gold', 'check', 'refused'],
    ...['undone null', 'undone undefined', 'undone answer', 'undone no_answer', 'undone skip'],
    ...['ruled decided', 'ruled undefined'],
  ]) {
    expect(seen).toContain(what);
  }
});
