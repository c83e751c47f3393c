// The contract of every reward, what verified and majority rewards give, and the advantages made of them.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inlineVerifier } from '../verify/testing/inline.ts';
import type { Verifier } from '../verify/types.ts';
import { advantagesOf } from './advantages.ts';
import { majorityReward } from './majority.ts';
import { response, said, seenOf } from './testing/seen.ts';
import type { GroupReward, Seen, UndecidedPolicy } from './types.ts';
import { verifiedReward } from './verified.ts';

const verifier = await inlineVerifier({ kind: 'auto', extract: { unmarked: 'none' } });
/** The same, but for one answer that it cannot judge. */
const unsure: Verifier = {
  ...verifier,
  verify: async (gold, responses) => {
    const verdicts = await verifier.verify(gold, responses);
    return verdicts.map((verdict, i) =>
      responses[i].endsWith('unsure')
        ? { verdict: 'undecided', reason: 'who knows', rung: 'test' }
        : verdict,
    );
  },
};

type Reward = (seen: Seen) => Promise<GroupReward>;

const rewards: [string, Reward][] = [
  ['verified', async (seen) => await verifiedReward(seen, '45', verifier)],
  ['verified, dropping the undecided', (seen) => verifiedReward(seen, '45', verifier, 'drop')],
  ['verified, asking about them', (seen) => verifiedReward(seen, '45', unsure, 'ask')],
  ['majority', async (seen) => majorityReward(seen)],
  ['majority of a half', async (seen) => majorityReward(seen, { minShare: 0.5 })],
];

describe.each(rewards)('the contract, by %s', (_name, reward) => {
  const text = fc.oneof(
    fc.constantFrom('answer: 45', 'answer: 45.0', 'answer: 46', 'answer: 45 cm', 'none', ''),
    fc.string({ unit: 'binary' }),
  );

  it('gives one reward in [0, 1] per rollout or none with a reason, whatever the order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 9 }), async (texts) => {
        const responses = texts.map((one) => response(one));
        const forth = await reward(await seenOf(responses, verifier));
        const back = await reward(await seenOf(responses.toReversed(), verifier));
        expect(forth.reason).not.toBe('');
        const list = forth.rewards === null ? null : [...forth.rewards];
        expect(back.rewards === null ? null : [...back.rewards].reverse()).toEqual(list);
        if (list === null) return;
        expect(list).toHaveLength(texts.length);
        for (const value of list)
          expect(Number.isNaN(value) || (value >= 0 && value <= 1)).toBe(true);
      }),
    );
  });
});

describe('verified', () => {
  const texts = (...list: string[]) => ({ responses: list.map((one) => response(one)) });

  it('rewards what the verifier calls right, by value and not by string', async () => {
    const group = texts('answer: 0.5', 'answer: 2', 'no');
    const scored = await verifiedReward(group, '1/2', verifier);
    expect(scored).toMatchObject({ kind: 'verified', rewards: Float64Array.of(1, 0, 0) });
    expect(scored.reason).toBe('1 right, 2 wrong, 0 undecided');
  });

  it('never rewards the undecided: 0 or out of the group', async () => {
    const both = texts('answer: 45', 'answer: unsure');
    const score = (policy: UndecidedPolicy, group = both) =>
      verifiedReward(group, '45', unsure, policy);
    const doubt = { rollout: 1, reason: 'who knows', rung: 'test' };
    const zero = { rewards: Float64Array.of(1, 0), undecided: [doubt] };
    expect(await score('zero')).toMatchObject(zero);
    const left = { rewards: Float64Array.of(1, Number.NaN), undecided: [doubt] };
    expect(await score('drop')).toMatchObject(left);
    expect(await score('ask')).toMatchObject(left);
    const alone = texts('answer: unsure');
    expect((await score('drop', alone)).rewards).toBeNull();
    expect((await score('ask', alone)).undecided).toHaveLength(1);
  });
});

describe('majority', () => {
  const majority = async (answers: (string | undefined)[], minShare?: number) =>
    majorityReward(await seenOf(said(...answers), verifier), { minShare });

  it('groups by equivalence class', async () => {
    const scored = await majority(['1/2', '7', '0.5', undefined]);
    expect(scored).toMatchObject({ kind: 'majority', rewards: Float64Array.of(1, 0, 1, 0) });
    expect(scored.reason).toBe('majority of 2 of 4 rollouts');
  });

  it.each([
    ['a tie', ['1', '2', '1', '2'], 'a tie at 2 votes each'],
    ['all different', ['1', '2', '3'], 'a tie at 1 votes each'],
    ['one voter', ['1', undefined], 'only 1 votes, wanted 2'],
    ['nobody', [undefined, undefined], 'no rollout gives an answer that can be read'],
    ['an empty group', [], 'no rollout gives an answer that can be read'],
  ])('gives no gradient on %s', async (_name, answers, reason) => {
    expect(await majority(answers)).toMatchObject({ rewards: null, reason });
  });

  it('wants its minimum share of all rollouts, the unreadable included', async () => {
    expect((await majority(['1', '1', undefined, '3'], 0.6)).rewards).toBeNull();
    expect((await majority(['1', '1', '1', undefined], 0.6)).rewards).not.toBeNull();
  });
});

describe('advantages', () => {
  const of = (list: number[] | null) => ({
    rewards: list === null ? null : Float64Array.from(list),
  });

  it('subtracts the mean and divides by the sample deviation', () => {
    const { values, mean, std, gradient } = advantagesOf(of([1, 0, 0, 1]), 4, { scale: 'std' });
    expect(mean).toBe(0.5);
    expect(std).toBeCloseTo(Math.sqrt(1 / 3), 12);
    expect(values[0]).toBeCloseTo(0.5 / (Math.sqrt(1 / 3) + 1e-6), 12);
    expect(gradient).toBe(true);
    expect([...advantagesOf(of([1, 0]), 2, { scale: 'none' }).values]).toEqual([0.5, -0.5]);
  });

  it('leaves dropped rollouts out of mean and deviation', () => {
    const all = advantagesOf(of([1, Number.NaN, 0]), 3, { scale: 'std' });
    const two = advantagesOf(of([1, 0]), 2, { scale: 'std' });
    expect([...all.values]).toEqual([two.values[0], 0, two.values[1]]);
  });

  it('weighs the prompt', () => {
    const by = (weight: number) => advantagesOf(of([1, 0]), 2, { scale: 'std', weight });
    expect([...by(0.5).values]).toEqual([...by(1).values].map((value) => value / 2));
    expect(by(0).gradient).toBe(false);
    for (const weight of [-0.1, 1.1, Number.NaN]) expect(() => by(weight)).toThrow(RangeError);
  });

  it.each([[[0.1, 0.1, 0.1]], [[-812.3, -812.3, -812.3]], [[1]], [[1, Number.NaN]], [null]])(
    'gives no gradient for %j',
    (list) => {
      const size = list?.length ?? 4;
      const given = advantagesOf(of(list), size, { scale: 'std' });
      expect(given).toMatchObject({ zeroVariance: true, gradient: false, std: 0 });
      expect(given.values).toEqual(new Float64Array(size));
    },
  );

  it('makes next to nothing of rewards that differ by rounding alone', () => {
    const { values } = advantagesOf(of([-812.3, -812.3 + 1e-12]), 2, { scale: 'std' });
    for (const value of values) expect(Math.abs(value)).toBeLessThan(1e-5);
  });

  const reals = fc.array(fc.double({ min: -1000, max: 1000, noNaN: true }), {
    minLength: 2,
    maxLength: 16,
  });

  it('sums to nothing over a group, whatever the rewards', () => {
    fc.assert(
      fc.property(reals, (list) => {
        const { values } = advantagesOf(of(list), list.length, { scale: 'none' });
        expect(Math.abs(values.reduce((sum, value) => sum + value, 0))).toBeLessThan(1e-8);
      }),
    );
  });

  it('minds neither an offset nor a factor of the rewards', () => {
    const factor = fc.double({ min: 0.1, max: 10, noNaN: true });
    const offset = fc.double({ min: -1000, max: 1000, noNaN: true });
    fc.assert(
      fc.property(reals, factor, offset, (list, a, b) => {
        const plain = advantagesOf(of(list), list.length, { scale: 'std' });
        fc.pre(plain.std > 1);
        const moved = advantagesOf(of(list.map((x) => a * x + b)), list.length, { scale: 'std' });
        for (const [i, value] of plain.values.entries())
          expect(moved.values[i]).toBeCloseTo(value, 4);
      }),
    );
  });
});
