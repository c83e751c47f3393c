/** Rollout groups for tests: responses with the statistics that a test cares about, and their vote. */
import type { Response } from '../../rollout/types.ts';
import type { Verifier } from '../../verify/types.ts';
import type { Seen } from '../types.ts';
import { countVotes } from '../votes.ts';

/** Per-token numbers, one entry per token; those left out are 0. */
export interface Tokens {
  logprobs?: readonly number[];
  entropies?: readonly number[];
  selfCertainty?: readonly number[];
}

/** A response of as many tokens as the longest list has; of three where there is none. */
export function response(text: string, tokens: Tokens = {}): Response {
  const { logprobs, entropies, selfCertainty } = tokens;
  const given = [logprobs, entropies, selfCertainty].flatMap((list) => list?.length ?? []);
  const length = given.length === 0 ? 3 : Math.max(...given);
  const column = (list: readonly number[] = []) =>
    Float32Array.from({ length }, (_, i) => list[i] ?? 0);
  return {
    ...{ promptId: 'p', sample: 0, promptLength: 2, promptTokens: [7, 8], finish: 'stop', text },
    tokens: Int32Array.from({ length }, (_, i) => 10 + i),
    logprobs: column(logprobs),
    entropies: column(entropies),
    selfCertainty: column(selfCertainty),
  };
}

/** Responses that state these answers; undefined states none. */
export const said = (...answers: (string | undefined)[]): Response[] =>
  answers.map((answer) => response(answer === undefined ? 'hm' : `so\nanswer: ${answer}`));

/** The group of these responses as the loop sees it. */
export async function seenOf(
  responses: readonly Response[],
  verifier: Verifier,
  second?: readonly Response[],
): Promise<Seen> {
  const texts = responses.map(({ text }) => text);
  const vote = await countVotes(texts, verifier);
  return { promptId: 'p', responses, vote, ...(second === undefined ? {} : { second }) };
}
