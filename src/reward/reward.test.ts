// The contract of every reward, and what verified and majority rewards give.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inlineVerifier } from '../verify/testing/inline.ts';
import type { Verifier } from '../verify/types.ts';
import { advantagesOf } from './advantages.ts';
import { majorityReward } from './majority.ts';
import type { GroupReward, Reward, UndecidedPolicy } from './types.ts';
import { verifiedReward } from './verified.ts';

const verifier = await inlineVerifier({ kind: 'auto', extract: { unmarked: 'none' } });
const verifierOf = () => verifier;
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
const said = (...answers: string[]) => answers.map((answer) => `thinking\nanswer: ${answer}`);
const group = (responses: string[], weight = 1) => ({ promptId: 'p', responses, weight });

const rewards: [string, Reward][] = [
  ['verified', verifiedReward(() => '45', verifierOf)],
  [
    'verified, dropping the undecided',
    verifiedReward(() => '45', verifierOf, { undecided: 'drop' }),
  ],
  [
    'verified, asking about them',
    verifiedReward(
      () => '45',
      () => unsure,
      { undecided: 'ask' },
    ),
  ],
  ['verified, without a label', verifiedReward(() => undefined, verifierOf)],
  ['majority', majorityReward(verifierOf)],
  ['majority of a half', majorityReward(verifierOf, { minShare: 0.5 })],
];

describe.each(rewards)('the contract, by %s', (_name, reward) => {
  const response = fc.oneof(
    fc.constantFrom('answer: 45', 'answer: 45.0', 'answer: 46', 'answer: 45 cm', 'none', ''),
    fc.string({ unit: 'binary' }),
  );

  it('gives one reward in [0, 1] per rollout or none with a reason, whatever the order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(response, { maxLength: 9 }), async (responses) => {
        const forth = await reward.score(group(responses, 0.5));
        const back = await reward.score(group([...responses].reverse(), 0.5));
        expect(forth.kind).toBe(reward.kind);
        expect(forth.weight).toBe(0.5);
        expect(forth.reason).not.toBe('');
        expect(forth.voteShare).toBeGreaterThanOrEqual(0);
        expect(forth.voteShare).toBeLessThanOrEqual(1);
        expect((forth.majorityClass === null) === (forth.majorityAnswer === null)).toBe(true);
        const list = forth.rewards === null ? null : [...forth.rewards];
        expect(back.rewards === null ? null : [...back.rewards].reverse()).toEqual(list);
        if (list === null) return;
        expect(list).toHaveLength(responses.length);
        for (const value of list)
          expect(Number.isNaN(value) || (value >= 0 && value <= 1)).toBe(true);
      }),
    );
  });

  it('refuses a weight outside [0, 1]', async () => {
    for (const weight of [-0.1, 1.1, Number.NaN]) {
      await expect(reward.score(group(said('45'), weight))).rejects.toThrow(RangeError);
    }
  });
});

describe('verified', () => {
  it('rewards what the verifier calls right, by value and not by string', async () => {
    const scored = await verifiedReward(() => '1/2', verifierOf).score(
      group([...said('0.5', '2'), 'no']),
    );
    expect(scored.rewards).toEqual(Float64Array.of(1, 0, 0));
    expect(scored.reason).toBe('1 right, 2 wrong, 0 undecided');
  });

  it('never rewards the undecided: 0 or out of the group', async () => {
    const responses = said('45', 'unsure');
    const score = (undecided: UndecidedPolicy, list = responses) =>
      verifiedReward(
        () => '45',
        () => unsure,
        { undecided },
      ).score(group(list));
    const doubt = { rollout: 1, reason: 'who knows', rung: 'test' };
    const zero = { rewards: Float64Array.of(1, 0), undecided: [doubt] };
    expect(await score('zero')).toMatchObject(zero);
    const left = { rewards: Float64Array.of(1, Number.NaN), undecided: [doubt] };
    expect(await score('drop')).toMatchObject(left);
    expect(await score('ask')).toMatchObject(left);
    expect((await score('drop', said('unsure'))).rewards).toBeNull();
    expect((await score('ask', said('unsure'))).undecided).toHaveLength(1);
  });

  it('gives no gradient without a label', async () => {
    expect(await verifiedReward(() => undefined, verifierOf).score(group(said('1')))).toMatchObject(
      {
        rewards: null,
        reason: 'no label was bought',
      },
    );
  });
});

describe('majority', () => {
  const reward = majorityReward(verifierOf);

  it('groups by equivalence class and counts the unreadable in the share', async () => {
    const scored = await reward.score(group([...said('1/2', '7', '0.5'), 'no answer']));
    expect(scored).toMatchObject({ voteShare: 0.5, majorityClass: 0, majorityAnswer: '1/2' });
    expect(scored.rewards).toEqual(Float64Array.of(1, 0, 1, 0));
  });

  it.each([
    ['a tie', said('1', '2', '1', '2'), 'a tie at 2 votes each'],
    ['all different', said('1', '2', '3'), 'a tie at 1 votes each'],
    ['one voter', [...said('1'), 'none'], 'only 1 votes, wanted 2'],
    ['nobody', ['none', 'none'], 'no rollout gives an answer that can be read'],
    ['an empty group', [], 'no rollout gives an answer that can be read'],
  ])('gives no gradient on %s', async (_name, responses, reason) => {
    expect(await reward.score(group(responses))).toMatchObject({ rewards: null, reason });
  });

  it('wants its minimum share', async () => {
    const half = majorityReward(verifierOf, { minShare: 0.6 });
    expect((await half.score(group(said('1', '1', '2', '3')))).rewards).toBeNull();
    expect((await half.score(group(said('1', '1', '1', '3')))).rewards).not.toBeNull();
  });
});

describe('advantages', () => {
  const of = (rewardList: number[] | null, weight = 1): GroupReward => ({
    rewards: rewardList === null ? null : Float64Array.from(rewardList),
    kind: 'verified',
    weight,
    voteShare: 1,
    majorityClass: 0,
    majorityAnswer: '1',
    reason: 'test',
    undecided: [],
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
    const whole = advantagesOf(of([1, 0]), 2, { scale: 'std' }).values;
    const half = advantagesOf(of([1, 0], 0.5), 2, { scale: 'std' }).values;
    expect([...half]).toEqual([...whole].map((value) => value / 2));
    expect(advantagesOf(of([1, 0], 0), 2, { scale: 'std' }).gradient).toBe(false);
  });

  it.each([[[0.1, 0.1, 0.1]], [[1]], [[1, Number.NaN]], [null]])(
    'gives no gradient for %j',
    (list) => {
      const size = list?.length ?? 4;
      const { values, zeroVariance, gradient } = advantagesOf(of(list), size, { scale: 'std' });
      expect({ zeroVariance, gradient }).toEqual({ zeroVariance: true, gradient: false });
      expect(values).toEqual(new Float64Array(size));
    },
  );

  it('sums to nothing over a group', () => {
    const unit = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(unit, { minLength: 1, maxLength: 16 }), (list) => {
        const { values } = advantagesOf(of(list), list.length, { scale: 'none' });
        expect(Math.abs(values.reduce((sum, value) => sum + value, 0))).toBeLessThan(1e-9);
      }),
    );
  });
});
