import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Group } from '../method/types.ts';
import { majorityReward } from '../reward/majority.ts';
import { response, said, seenOf } from '../reward/testing/seen.ts';
import type { Target } from '../reward/types.ts';
import { inlineVerifier } from '../verify/testing/inline.ts';
import { type RewardRules, rewardGroup, sequencesOf, weighed } from './groups.ts';

const verifier = await inlineVerifier({ kind: 'auto', extract: { unmarked: 'none' } });
const vote: Target = { kind: 'vote' };
const label = (answer: string): Target => ({ kind: 'label', answer });

function rules(over: Partial<RewardRules['methods']> = {}, minShare = 0): RewardRules {
  return {
    verifierOf: () => verifier,
    methods: {
      retarget: async (_step, _seen, target) => target,
      reward: async (_step, seen) => majorityReward(seen, { minShare }),
      ...over,
    },
    settings: { undecided: 'zero', selfWeight: 0.4, advantage: 'none' },
  };
}
const groupOf = async (answers: (string | undefined)[], target: Target, by = rules()) =>
  await rewardGroup(3, await seenOf(said(...answers), verifier), target, by);
const list = (group: Group) => group.reward.rewards && [...group.reward.rewards];

describe('rewardGroup', () => {
  it('verifies a labelled prompt at full weight, against the majority if need be', async () => {
    const group = await groupOf(['3', '0.5', '3', '3'], label('1/2'));
    expect(group.reward.kind).toBe('verified');
    expect(list(group)).toEqual([0, 1, 0, 0]);
    expect([...group.advantages]).toEqual([-0.25, 0.75, -0.25, -0.25]);
    expect(group).toMatchObject({ promptId: 'p', mean: 0.25, active: true, vote: { share: 0.75 } });
  });

  it('lets the others vote by equivalence class at the weight of self-training', async () => {
    const group = await groupOf(['1/2', '3', '0.5', '7'], vote);
    expect(group).toMatchObject({ reward: { kind: 'majority' }, vote: { answer: '1/2' } });
    expect(list(group)).toEqual([1, 0, 1, 0]);
    expect([...group.advantages]).toEqual([0.2, -0.2, 0.2, -0.2]);
  });

  it('gives no gradient to a tie, a small majority, a group of one mind or one without a target', async () => {
    expect((await groupOf(['1', '2'], vote)).active).toBe(false);
    expect((await groupOf(['1', '1'], vote)).active).toBe(false);
    expect((await groupOf(['1', '1', '2', '3'], vote)).active).toBe(true);
    expect((await groupOf(['1', '1', '2', '3'], vote, rules({}, 0.6))).active).toBe(false);
    const free = { ...rules(), settings: { ...rules().settings, selfWeight: 0 } };
    expect((await groupOf(['1', '1', '2'], vote, free)).active).toBe(false);
    expect((await groupOf(['1', '1', '2'], label('1'), free)).active).toBe(true);
    const none = await groupOf(['1', '1', '2'], { kind: 'none' });
    expect(none).toMatchObject({ active: false, reward: { rewards: null, reason: 'no target' } });
  });

  it('asks the methods for the reward of a vote alone, and holds a group against what they put in place', async () => {
    const asked: string[] = [];
    const own = rules({
      reward: async (step, { promptId }) => {
        asked.push(`${step} ${promptId}`);
        const rewards = Float64Array.of(0.5, -1);
        return { kind: 'intrinsic', rewards, reason: 'own', undecided: [] };
      },
    });
    expect((await groupOf(['1', '2'], vote, own)).reward.kind).toBe('intrinsic');
    expect((await groupOf(['1', '2'], label('1'), own)).reward.kind).toBe('verified');
    expect(asked).toEqual(['3 p']);
    const other = rules({ retarget: async (step) => label(String(step)) });
    const group = await groupOf(['3', '1'], label('1'), other);
    expect(list(group)).toEqual([1, 0]);
    expect(group.target).toEqual(label('3'));
    const dropped = rules({ retarget: async () => vote });
    expect((await groupOf(['3', '3', '1'], label('1'), dropped)).reward.kind).toBe('majority');
  });

  it('rewards what equals the label, whatever the majority says', async () => {
    const answer = fc.constantFrom('1', '2', '3');
    await fc.assert(
      fc.asyncProperty(
        answer,
        fc.array(answer, { minLength: 2, maxLength: 6 }),
        async (gold, answers) => {
          const group = await groupOf(answers, label(gold));
          expect(list(group)).toEqual(answers.map((one) => Number(one === gold)));
        },
      ),
      { seed: 5, numRuns: 30 },
    );
  });
});

describe('weighed', () => {
  it('multiplies advantages, and takes what weighs nothing out of the update', async () => {
    const group = await groupOf(['1', '1', '2'], label('2'));
    const [whole, half, none] = weighed([group, group, group], Float64Array.of(1, 0.5, 0));
    expect(whole).toBe(group);
    expect([...half.advantages]).toEqual([...group.advantages].map((value) => value / 2));
    expect([half.active, none.active]).toEqual([true, false]);
    expect(sequencesOf([none], 'token')).toEqual([]);
    const idle = await groupOf(['1', '1'], label('1'));
    expect(weighed([idle], [2])[0].active).toBe(false);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses the factor %s', async (factor) => {
    expect(() => weighed([rewarded], [factor])).toThrow(RangeError);
  });
});

const rewarded = await groupOf(['1', '2'], label('1'));

describe('sequencesOf', () => {
  const sized = (length: number) => ({
    ...response('1', { logprobs: Array.from({ length }, (_, i) => -1 - i) }),
  });
  const group = (advantages: number[], lengths: number[], active = true): Group => ({
    ...rewarded,
    responses: lengths.map(sized),
    advantages: Float64Array.from(advantages),
    active,
  });
  const groups = [group([1, -1], [2, 6]), group([0.5, -0.5], [4, 4]), group([1, 1], [9, 9], false)];

  it('puts prompt and response together, with what the loss needs of each', () => {
    const [first] = sequencesOf(groups, 'token');
    expect([...first.tokens]).toEqual([7, 8, 10, 11]);
    expect(first).toMatchObject({ from: 2, advantage: 1, old: groups[0].responses[0].logprobs });
  });

  it.each(['token', 'sequence'] as const)('weighs by %s, adding up to 1', (loss) => {
    const sequences = sequencesOf(groups, loss);
    const targets = sequences.map(({ tokens, from }) => tokens.length - from);
    expect(targets).toEqual([2, 6, 4, 4]);
    expect(sequences.reduce((sum, { weight }, i) => sum + weight * targets[i], 0)).toBeCloseTo(1);
    const perResponse = sequences.map(({ weight }, i) => weight * targets[i]);
    const expected =
      loss === 'token' ? [2, 6, 4, 4].map((n) => n / 16) : [1, 1, 1, 1].map((n) => n / 4);
    for (const [i, share] of perResponse.entries()) expect(share).toBeCloseTo(expected[i]);
  });

  it('leaves out what does not move the policy, without changing the weight of the rest', () => {
    const some = sequencesOf([group([1, 0, -1], [2, 2, 4])], 'token');
    expect(some.map(({ advantage }) => advantage)).toEqual([1, -1]);
    expect(some[0].weight).toBeCloseTo(1 / 8);
    expect(sequencesOf([group([1, -1], [2, 2], false)], 'token')).toEqual([]);
  });
});
