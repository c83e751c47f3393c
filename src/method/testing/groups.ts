/** Groups, labs and a loop in miniature for tests of methods. Knows no method by name. */
import { stream } from '../../core/random.ts';
import { advantagesOf } from '../../reward/advantages.ts';
import { majorityReward } from '../../reward/majority.ts';
import { response, seenOf } from '../../reward/testing/seen.ts';
import type { GroupReward, Seen, Target } from '../../reward/types.ts';
import { verifiedReward } from '../../reward/verified.ts';
import type { Response } from '../../rollout/types.ts';
import { classesOf } from '../../verify/classes.ts';
import type { Verifier } from '../../verify/types.ts';
import type { Group, Lab, Method, MethodContext } from '../types.ts';

/** Reads "answer: X"; equal are equal numbers or equal texts, and nobody knows what "unsure" is worth. */
export const verifier: Verifier = {
  name: 'plain',
  candidates: async (text) => {
    const found = /answer: (.*)$/.exec(text);
    if (found === null) return [];
    const [, answer] = found;
    return [{ text: answer, start: text.length - answer.length, end: text.length, mark: 'phrase' }];
  },
  extract: async (texts) =>
    await Promise.all(texts.map(async (text) => (await verifier.candidates(text))[0])),
  read: async (answer) => ({ key: keyOf(answer), bucket: 'all', kind: 'text', shown: answer }),
  compare: async (gold, answer) => {
    const unsure = gold === 'unsure' || answer === 'unsure';
    const same = keyOf(gold) === keyOf(answer) ? 'right' : 'wrong';
    return { verdict: unsure ? 'undecided' : same, reason: 'it is or not', rung: 'only' };
  },
  verify: async (gold, texts) => {
    const answers = await verifier.extract(texts);
    return await Promise.all(answers.map((found) => verifier.compare(gold, found?.text ?? '')));
  },
  classes: async (answers) => await classesOf(answers, verifier),
  close: async () => {},
};

const keyOf = (answer: string) => String(Number.isNaN(Number(answer)) ? answer : Number(answer));

export const vote: Target = { kind: 'vote' };
export const label = (answer: string): Target => ({ kind: 'label', answer });

/** A rollout of one token of this perplexity that states `answer`; undefined states none. */
export function rollout(answer: string | undefined, perplexity = 2): Response {
  const text = answer === undefined ? 'hm' : `so\nanswer: ${answer}`;
  return response(text, { logprobs: [-Math.log(perplexity)] });
}

export async function sawOf(promptId: string, responses: readonly Response[]): Promise<Seen> {
  return { ...(await seenOf(responses, verifier)), promptId };
}

/** The group as the loop makes it: verified against a label, else its majority or the reward of `by`. */
export async function rewarded(
  seen: Seen,
  target: Target,
  by: Pick<Method, 'reward'> = {},
): Promise<Group> {
  const reward = await rewardOf(seen, target, by);
  const { values, mean, std, gradient } = advantagesOf(reward, seen.responses.length, {
    scale: 'std',
  });
  return { ...seen, target, reward, advantages: values, mean, std, active: gradient };
}

async function rewardOf(
  seen: Seen,
  target: Target,
  by: Pick<Method, 'reward'>,
): Promise<GroupReward> {
  if (target.kind === 'label') return await verifiedReward(seen, target.answer, verifier);
  if (target.kind === 'vote') return (await by.reward?.(1, seen)) ?? majorityReward(seen);
  return { kind: 'majority', rewards: null, reason: 'no target', undecided: [] };
}

/** A group whose rollouts state `answers`, all of one perplexity unless told. */
export async function groupOf(
  promptId: string,
  answers: readonly (string | undefined)[],
  target: Target = vote,
  perplexities: readonly number[] = [],
): Promise<Group> {
  const responses = answers.map((answer, k) => rollout(answer, perplexities[k]));
  return await rewarded(await sawOf(promptId, responses), target);
}

/** `times` the same answer. */
export const times = (count: number, answer: string): string[] => Array(count).fill(answer);

export function contextOf(over: Partial<MethodContext> = {}): MethodContext {
  return {
    ...{ seed: 1, groupSize: 4, prompts: new Map(), minVoteShare: 0 },
    verifierOf: () => verifier,
    represent: async (responses) =>
      responses.map(({ text }) => {
        const random = stream(1, 'state', text);
        return Float32Array.from({ length: 3 }, () => random.normal());
      }),
    ...over,
  };
}

/** A lab with these groups, which counts the responses that it is asked for. */
export function labOf(groups: readonly Group[]): Lab & { sampled: number } {
  const lab = {
    sampled: 0,
    promptIds: groups.map(({ promptId }) => promptId),
    async sample(promptIds: readonly string[], samples: number) {
      lab.sampled += promptIds.length * samples;
      return groups.filter(({ promptId }) => promptIds.includes(promptId));
    },
  };
  return lab;
}
