// What every reward for unlabelled prompts owes, and what sets each apart.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Prompt } from '../../pool/types.ts';
import { advantagesOf } from '../../reward/advantages.ts';
import { majorityReward } from '../../reward/majority.ts';
import { response, said, seenOf } from '../../reward/testing/seen.ts';
import type { GroupReward, Seen } from '../../reward/types.ts';
import type { Response } from '../../rollout/types.ts';
import { inlineVerifier } from '../../verify/testing/inline.ts';
import type { Verifier } from '../../verify/types.ts';
import { methodByName, methods } from '../registry.ts';
import type { Method, MethodContext } from '../types.ts';

const verifier = await inlineVerifier({ kind: 'auto', extract: { unmarked: 'none' } });
const prompts: Prompt[] = [{ id: 'p', prompt: '1 + 1', source: 'test', metadata: {} }];

function make(name: string, settings: object = {}, over: Partial<MethodContext> = {}): Method {
  const context: MethodContext = {
    ...{ seed: 1, groupSize: 4, minVoteShare: 0, verifierOf: () => verifier },
    prompts: new Map(prompts.map((prompt) => [prompt.id, prompt])),
    represent: async () => [],
    ...over,
  };
  return methodByName(name).create(settings, context, undefined);
}

async function rewardOf(method: Method, seen: Seen): Promise<GroupReward> {
  const given = await method.reward?.(1, seen);
  if (given === undefined) throw new Error('the method gives no reward');
  return given;
}
const score = async (method: Method, responses: readonly Response[]) =>
  await rewardOf(method, await seenOf(responses, verifier));
const listOf = ({ rewards }: GroupReward) => rewards && [...rewards];
const around = (values: number[]) => values.map((value) => expect.closeTo(value, 6));

const statistic = fc.double({ min: 0, max: 20, noNaN: true });
const anyTokens = fc
  .array(fc.tuple(statistic, statistic, statistic), { maxLength: 6 })
  .map((rows) => ({
    logprobs: rows.map(([x]) => -x),
    entropies: rows.map(([, x]) => x),
    selfCertainty: rows.map(([, , x]) => x),
  }));
const anyText = fc.constantFrom('answer: 1', 'answer: 1.0', 'answer: 2', 'answer: 3', 'none', '');
const anyResponse = fc
  .tuple(anyText, anyTokens)
  .map(([text, tokens]): Response => response(text, tokens));
const anyGroup = fc.array(anyResponse, { maxLength: 8 });

const offered = methods.filter(({ surface }) => surface === 'reward').map(({ name }) => name);

it('offers the rewards of the field', () => {
  expect(offered).toEqual(
    expect.arrayContaining([
      ...['weighted_vote', 'self_certainty', 'token_entropy', 'sequence_entropy'],
      ...['sequence_probability', 'co_rewarding'],
    ]),
  );
});

describe.each(offered)('the contract, by %s', (name) => {
  const method = make(name);
  const second = said('1', '2', '1', undefined);

  it('gives a finite reward per rollout, NaN or none with a reason, and follows the rollouts', async () => {
    const cases = anyGroup.chain((group) =>
      fc.tuple(
        fc.constant(group),
        fc.shuffledSubarray([...group.keys()], { minLength: group.length }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ([group, order]) => {
        const given = await rewardOf(method, await seenOf(group, verifier, second));
        const shuffled = order.map((i) => group[i]);
        const moved = await rewardOf(method, await seenOf(shuffled, verifier, second));
        expect(given.reason).not.toBe('');
        expect(given.kind).not.toBe('verified');
        const rewards = listOf(given);
        expect(listOf(moved)).toEqual(rewards && order.map((i) => rewards[i]));
        if (rewards === null) return;
        expect(rewards).toHaveLength(group.length);
        expect(rewards).not.toContain(Number.POSITIVE_INFINITY);
        expect(rewards).not.toContain(Number.NEGATIVE_INFINITY);
        const { values } = advantagesOf(given, group.length, { scale: 'std' });
        expect(values.every(Number.isFinite)).toBe(true);
      }),
      { seed: 7 },
    );
  });
});

describe('rewards of token statistics', () => {
  const sure = response('a', {
    ...{ logprobs: [-0.1, -0.3], entropies: [0.2, 0.4], selfCertainty: [5, 7] },
  });
  const torn = response('b', {
    ...{ logprobs: [-1, -3, -2, -2], entropies: [1, 3, 2, 2], selfCertainty: [1, 2, 3, 2] },
  });
  const p = Math.exp;

  it.each<[string, object, number[]]>([
    ['self_certainty', {}, [6, 2]],
    ['token_entropy', {}, [-0.3, -2]],
    ['token_entropy', { tokens: 'sum' }, [-0.6, -8]],
    ['sequence_entropy', {}, [-0.2, -2]],
    ['sequence_entropy', { tokens: 'sum' }, [-0.4, -8]],
    ['sequence_probability', {}, [p(-0.2), p(-2)]],
    ['sequence_probability', { tokens: 'sum' }, [p(-0.4), p(-8)]],
  ])('%s %j is what its formula says', async (name, settings, wanted) => {
    const given = await score(make(name, settings), [sure, torn]);
    expect(given.kind).toBe('intrinsic');
    expect(listOf(given)).toEqual(around(wanted));
    const { values } = advantagesOf(given, 2, { scale: 'std' });
    expect(values[0]).toBeGreaterThan(0);
    expect(values[1]).toBeLessThan(0);
  });

  it.each([...['self_certainty', 'token_entropy', 'sequence_entropy', 'sequence_probability']])(
    '%s pays nothing for saying the same twice, and a sum pays for brevity',
    async (name) => {
      const twice = (of: Response, times: number) =>
        response('again', {
          logprobs: Array.from({ length: times }, () => [...of.logprobs]).flat(),
          entropies: Array.from({ length: times }, () => [...of.entropies]).flat(),
          selfCertainty: Array.from({ length: times }, () => [...of.selfCertainty]).flat(),
        });
      const group = [1, 2, 3].map((times) => twice(torn, times));
      const [once, ...more] = listOf(await score(make(name), group)) ?? [];
      expect(more).toEqual(around([once, once]));
      if (name === 'self_certainty') return;
      const [short, , long] = listOf(await score(make(name, { tokens: 'sum' }), group)) ?? [];
      expect(short).toBeGreaterThan(long);
    },
  );

  it.each([...['self_certainty', 'token_entropy', 'sequence_entropy', 'sequence_probability']])(
    '%s leaves out what has no token, and reads no answer',
    async (name) => {
      const none = response('', { logprobs: [] });
      const one = response('answer: 4', { logprobs: [-2], entropies: [2], selfCertainty: [2] });
      const given = listOf(await score(make(name), [none, sure, one]));
      expect(given?.map(Number.isNaN)).toEqual([true, false, false]);
      const settings = name === 'self_certainty' ? {} : { tokens: 'sum' };
      const summed = listOf(await score(make(name, settings), [none, sure, one]));
      expect(summed?.map(Number.isNaN)).toEqual([true, false, false]);
      expect(await score(make(name), [none, none])).toMatchObject({ rewards: null });
      expect(await score(make(name), [])).toMatchObject({ rewards: null });
      const { gradient } = advantagesOf(await score(make(name), [sure, sure]), 2, { scale: 'std' });
      expect(gradient).toBe(false);
    },
  );

  it('keeps apart what looks alike: all likely tokens, yet one much in doubt', async () => {
    const group = [
      response('a', { logprobs: [-0.5], entropies: [0.2], selfCertainty: [3] }),
      response('b', { logprobs: [-0.4], entropies: [1.5], selfCertainty: [1] }),
    ];
    const best = async (name: string) => {
      const [a, b] = listOf(await score(make(name), group)) ?? [];
      return a > b ? 'a' : 'b';
    };
    expect(await best('token_entropy')).toBe('a');
    expect(await best('self_certainty')).toBe('a');
    expect(await best('sequence_entropy')).toBe('b');
    expect(await best('sequence_probability')).toBe('b');
  });

  it('leaves out what is not finite', async () => {
    const lost = response('x', { logprobs: [-1, Number.NEGATIVE_INFINITY] });
    const given = await score(make('sequence_entropy'), [sure, lost]);
    expect(listOf(given)?.map(Number.isNaN)).toEqual([false, true]);
  });

  it('gives no gradient where every probability is 0 in floating point', async () => {
    const lost = [-800, -900].map((x) => response('x', { logprobs: [x] }));
    const given = await score(make('sequence_probability', { tokens: 'sum' }), lost);
    expect(advantagesOf(given, 2, { scale: 'std' }).gradient).toBe(false);
  });
});

describe('weighted_vote', () => {
  const vote = (answer: string, logprob: number, selfCertainty = 1): Response =>
    response(`answer: ${answer}`, {
      logprobs: [logprob, logprob],
      selfCertainty: [selfCertainty, selfCertainty],
    });

  it('lets sure rollouts outweigh many unsure ones', async () => {
    const group = [vote('1', -2), vote('1', -2), vote('1', -2), vote('2', -0.1), vote('2.0', -0.1)];
    expect(listOf(await score(make('weighted_vote'), group))).toEqual([0, 0, 0, 1, 1]);
    expect(listOf(majorityReward(await seenOf(group, verifier)))).toEqual([1, 1, 1, 0, 0]);
  });

  it('weighs by the geometric mean, so that length is no doubt', async () => {
    const long = response('answer: 1', { logprobs: Array.from({ length: 40 }, () => -0.2) });
    const group = [long, long, vote('2', -1), vote('2', -1)];
    expect(listOf(await score(make('weighted_vote'), group))).toEqual([1, 1, 0, 0]);
  });

  it('weighs by self-certainty where that is set', async () => {
    const group = [vote('1', -0.1, 1), vote('1', -0.1, 1), vote('2', -3, 4), vote('2', -3, 4)];
    expect(listOf(await score(make('weighted_vote'), group))).toEqual([1, 1, 0, 0]);
    const certain = make('weighted_vote', { weight: 'self_certainty' });
    expect(listOf(await score(certain, group))).toEqual([0, 0, 1, 1]);
  });

  it('wants its share of all weight, that of the unreadable included', async () => {
    const group = [vote('1', -0.1), vote('1', -0.1), response('hm', { logprobs: [-0.1] })];
    const at = (minVoteShare: number) =>
      score(make('weighted_vote', {}, { minVoteShare }), [...group, vote('2', -4)]);
    expect((await at(0.6)).rewards).not.toBeNull();
    expect((await at(0.7)).rewards).toBeNull();
  });

  it.each<[string, Response[]]>([
    ['nobody can be read', [response('hm', { logprobs: [-1] }), response('', { logprobs: [] })]],
    ['there is nobody', []],
    ['one sure rollout stands alone', [vote('1', -0.01), vote('2', -5), vote('3', -5)]],
    ['weights are tied', [vote('1', -1), vote('1', -1), vote('2', -1), vote('2', -1)]],
  ])('gives no gradient where %s', async (_name, group) => {
    const given = await score(make('weighted_vote'), group);
    expect(given.rewards).toBeNull();
    expect(given.reason).not.toBe('');
  });

  it('counts what has no token as no weight, neither for nor against', async () => {
    const group = [vote('1', -1), vote('1', -1), response('', { logprobs: [] }), vote('2', -1)];
    const at = (minVoteShare: number) => score(make('weighted_vote', {}, { minVoteShare }), group);
    expect(listOf(await at(0.6))).toEqual([1, 1, 0, 0]);
    expect((await at(0.7)).rewards).toBeNull();
  });

  it('calls equal weights a tie in whatever order they come', async () => {
    // Their weights add up to different numbers forwards and backwards.
    const logprobs = [-0.3, -1.2, -1.7];
    const group = [
      ...logprobs.map((x) => vote('1', x)),
      ...logprobs.toReversed().map((x) => vote('2', x)),
    ];
    expect(await score(make('weighted_vote'), group)).toMatchObject({ rewards: null });
  });

  it('is the plain majority where all weigh the same', async () => {
    const answers = fc.array(fc.constantFrom('1', '1.0', '2', '3', undefined), { maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(answers, fc.double({ min: 0, max: 5, noNaN: true }), async (list, x) => {
        const group = list.map((answer) =>
          response(answer === undefined ? 'hm' : `answer: ${answer}`, { logprobs: [-x] }),
        );
        const plain = majorityReward(await seenOf(group, verifier));
        expect(listOf(await score(make('weighted_vote'), group))).toEqual(listOf(plain));
      }),
      { seed: 3 },
    );
  });
});

describe('co_rewarding', () => {
  const against = async (own: Response[], second: Response[], over?: Partial<MethodContext>) =>
    await rewardOf(make('co_rewarding', {}, over), await seenOf(own, verifier, second));

  it('holds a group against the majority of the second, not against its own', async () => {
    const given = await against(said('7', '7', '7', '1/2'), said('0.5', '1/2', '7', undefined));
    expect(given).toMatchObject({ kind: 'majority', rewards: Float64Array.of(0, 0, 0, 1) });
    expect(given.reason).toBe('the teacher: majority of 2 of 4; 1 of 4 rollouts agree');
  });

  it('rewards nobody where nobody agrees, nor what cannot be read', async () => {
    expect(listOf(await against(said('3', undefined), said('4', '4')))).toEqual([0, 0]);
    expect(listOf(await against(said(undefined), said('4', '4')))).toEqual([0]);
  });

  it('rewards nobody where the verifier can no longer read the target', async () => {
    let asked = 0;
    const failing: Verifier = {
      ...verifier,
      classes: async (answers) =>
        asked++ === 0 ? await verifier.classes(answers) : new Int32Array(answers.length).fill(-1),
    };
    const given = await against(said('4', undefined), said('4', '4'), {
      verifierOf: () => failing,
    });
    expect(listOf(given)).toEqual([0, 0]);
  });

  it.each<[string, Response[]]>([
    ['is tied', said('1', '2', '1', '2')],
    ['cannot be read', said(undefined, undefined)],
    ['has one voice', said('1', undefined)],
    ['is empty', []],
  ])('gives no gradient where the second group %s', async (_name, second) => {
    const given = await against(said('1', '1', '2'), second);
    expect(given.rewards).toBeNull();
    expect(given.reason).toMatch(/^the teacher: ./);
  });

  it('wants the minimum share of the second group', async () => {
    const second = said('1', '1', '2', '3');
    expect((await against(said('1', '2'), second, { minVoteShare: 0.5 })).rewards).not.toBeNull();
    expect((await against(said('1', '2'), second, { minVoteShare: 0.6 })).rewards).toBeNull();
  });

  it('minds the order of the second group as little as that of the first', async () => {
    const answers = fc.array(fc.constantFrom('1', '1.0', '2', undefined), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(answers, answers, async (own, second) => {
        const forth = await against(said(...own), said(...second));
        const back = await against(said(...own), said(...second).reverse());
        expect(listOf(back)).toEqual(listOf(forth));
      }),
      { seed: 5 },
    );
  });

  it('refuses to go on without the second responses', async () => {
    const seen = await seenOf(said('1', '1'), verifier);
    await expect(rewardOf(make('co_rewarding'), seen)).rejects.toThrow('no second responses');
  });

  const poolOf = (...list: [string, Prompt['prompt'], Record<string, unknown>][]) =>
    new Map(
      list.map(([id, prompt, metadata]) => [id, { id, prompt, source: 'test', metadata }] as const),
    );
  const both = poolOf(
    ['plain', 'What is 1 + 1?', { rewritten: null }],
    [
      'other',
      [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'What is 2 + 2?' },
      ],
      { rewritten: 'Add two and two.', extra: { other: 'Sum 2 and 2.' } },
    ],
  );
  const secondOf = (method: Method, id: string) => {
    const prompt = both.get(id);
    return prompt === undefined ? undefined : method.second?.(prompt);
  };

  it('asks the teacher, or the policy in other words where the pool has them', () => {
    const method = make('co_rewarding', { decay: 0.9 }, { prompts: both, groupSize: 6 });
    expect(method.teacherDecay).toBe(0.9);
    expect(secondOf(method, 'plain')).toEqual({
      ...{ by: 'teacher', prompt: 'What is 1 + 1?', samples: 6 },
    });
    expect(secondOf(method, 'other')).toEqual({
      by: 'policy',
      prompt: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Add two and two.' },
      ],
      samples: 6,
    });
  });

  it('reads the column that is named, and keeps no teacher that nobody asks', () => {
    const named = make('co_rewarding', { rewritten: 'extra.other' }, { prompts: both });
    expect(secondOf(named, 'other')).toMatchObject({ prompt: [{}, { content: 'Sum 2 and 2.' }] });
    const prompts = poolOf(['a', '1 + 1', { rewritten: 'one and one' }]);
    expect(make('co_rewarding', {}, { prompts }).teacherDecay).toBeUndefined();
  });

  it('refuses a column that holds no text', () => {
    const prompts = poolOf(['a', '1 + 1', { rewritten: ['one and one'] }]);
    expect(() => make('co_rewarding', {}, { prompts })).toThrow(/prompt a/);
  });
});
