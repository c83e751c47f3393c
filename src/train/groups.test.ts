import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inlineVerifier } from '../verify/testing/inline.ts';
import { type Group, type RewardRules, rewardGroup, sequencesOf } from './groups.ts';
import type { Response } from './policy.ts';

const verifier = await inlineVerifier({ kind: 'auto', extract: { unmarked: 'none' } });

/** A response with `length` tokens to a prompt of two. */
function response(answer: string, length = 3): Response {
  const column = () => Float32Array.from({ length }, (_, i) => -1 - i);
  return {
    promptId: 'p',
    sample: 0,
    promptLength: 2,
    promptTokens: [7, 8],
    tokens: Int32Array.from({ length }, (_, i) => 10 + i),
    text: `so\nanswer: ${answer}`,
    logprobs: column(),
    entropies: column(),
    selfCertainty: column(),
    finish: 'stop',
  };
}
const said = (...answers: string[]) => answers.map((answer) => response(answer));

function rules(over: Partial<RewardRules> = {}): RewardRules {
  return {
    labels: new Map(),
    targetOf: () => 'vote',
    verifierOf: () => verifier,
    settings: { undecided: 'zero', minVoteShare: 0, selfWeight: 0.4, advantage: 'none' },
    ...over,
  };
}
const list = (group: Group) => group.reward.rewards && [...group.reward.rewards];

describe('rewardGroup', () => {
  it('verifies a labelled prompt at full weight, against the majority if need be', async () => {
    const labelled = rules({ labels: new Map([['p', '1/2']]), targetOf: () => 'label' });
    const group = await rewardGroup('p', said('3', '0.5', '3', '3'), labelled);
    expect(group.reward).toMatchObject({ kind: 'verified', weight: 1, voteShare: 0.75 });
    expect(list(group)).toEqual([0, 1, 0, 0]);
    expect([...group.advantages]).toEqual([-0.25, 0.75, -0.25, -0.25]);
    expect(group).toMatchObject({ mean: 0.25, active: true });
  });

  it('lets the others vote by equivalence class at the weight of self-training', async () => {
    const group = await rewardGroup('p', said('1/2', '3', '0.5', '7'), rules());
    expect(group.reward).toMatchObject({ kind: 'majority', weight: 0.4, majorityAnswer: '1/2' });
    expect(list(group)).toEqual([1, 0, 1, 0]);
    expect([...group.advantages]).toEqual([0.2, -0.2, 0.2, -0.2]);
  });

  it('gives no gradient to a tie, a small majority or a group of one mind', async () => {
    expect((await rewardGroup('p', said('1', '2'), rules())).active).toBe(false);
    expect((await rewardGroup('p', said('1', '1'), rules())).active).toBe(false);
    const strict = rules({ settings: { ...rules().settings, minVoteShare: 0.6 } });
    expect((await rewardGroup('p', said('1', '1', '2', '3'), strict)).active).toBe(false);
    const free = rules({ settings: { ...rules().settings, selfWeight: 0 } });
    expect((await rewardGroup('p', said('1', '1', '2'), free)).active).toBe(false);
  });

  it('never uses a label that was not bought, or one whose prompt is to vote', async () => {
    const ids = ['a', 'b', 'c', 'd'];
    const target = fc.constantFrom('label', 'vote', 'none' as const);
    const answer = fc.constantFrom('1', '2', '3');
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.constantFrom(...ids), answer),
        fc.dictionary(fc.constantFrom(...ids), answer),
        fc.array(target, { minLength: 4, maxLength: 4 }),
        fc.array(answer, { minLength: 4, maxLength: 4 }),
        async (bought, others, targets, answers) => {
          const of = (labels: Record<string, string>) =>
            Promise.all(
              ids.map((id, i) =>
                rewardGroup(id, said(...answers), {
                  ...rules({ labels: new Map(Object.entries(labels)) }),
                  targetOf: () => targets[i] as 'label' | 'vote' | 'none',
                }),
              ),
            );
          // Labels of prompts that are not to be verified may be anything: nothing changes.
          const used = (id: string, i: number) => id in bought && targets[i] === 'label';
          const noise = ids.filter((_, i) => targets[i] !== 'label');
          const noisy = Object.fromEntries(noise.map((id) => [id, others[id] ?? '2']));
          const groups = await of(bought);
          expect(await of({ ...bought, ...noisy })).toEqual(groups);
          for (const [i, { promptId, reward }] of groups.entries()) {
            expect(reward.kind).toBe(used(promptId, i) ? 'verified' : 'majority');
            if (!used(promptId, i)) continue;
            expect([...(reward.rewards ?? [])]).toEqual(
              answers.map((one) => Number(one === bought[promptId])),
            );
          }
        },
      ),
      { seed: 5 },
    );
  });
});

const rewarded = await rewardGroup('p', said('1', '2'), rules());

describe('sequencesOf', () => {
  const group = (advantages: number[], lengths: number[], active = true): Group => ({
    ...rewarded,
    responses: lengths.map((length) => response('1', length)),
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
