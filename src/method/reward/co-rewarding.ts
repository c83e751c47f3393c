/**
 * Co-rewarding: a group is held against the majority of ANOTHER group of responses, so that a policy cannot earn
 * by agreeing with itself (arXiv 2508.00410).
 */
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { valueAt } from '../../pool/row.ts';
import type { Prompt } from '../../pool/types.ts';
import { refusalOf } from '../../reward/majority.ts';
import type { GroupReward, Seen } from '../../reward/types.ts';
import { countVotes } from '../../reward/votes.ts';
import type { Verifier } from '../../verify/types.ts';
import { defineMethod } from '../define.ts';
import type { MethodContext } from '../types.ts';

type Question = Prompt['prompt'];

/**
 * Version I where the prompt has its question in other words: the majority of the policy's responses to those.
 * Version II elsewhere: the majority of a teacher's responses, its weights the moving average of the policy's.
 * The target is the majority of that second group alone, as in the paper; ties and small majorities give no
 * gradient (the paper takes the first of the tied).
 *
 * In version I the paper trains on the rewritten question too, held against the majority of the original's
 * group: a pool does so that holds both questions, each with the other one in its column. Its teacher slows down
 * along a cosine from a decay of 0.99 to 0.9999; here the decay stays.
 */
export const coRewarding = defineMethod({
  name: 'co_rewarding',
  surface: 'reward',
  summary:
    'Rewards agreement with a slow teacher, or with the answers to the question in other words',
  source: 'Co-rewarding, arXiv 2508.00410',
  settings: z.strictObject({
    rewritten: z
      .string()
      .min(1)
      .default('rewritten')
      .describe(
        'Column of the pool (or a dotted path) with the question in other words, where it has one',
      ),
    decay: z
      .number()
      .min(0)
      .max(1)
      .default(0.99)
      .describe("What remains of the teacher's weights after an update"),
  }),
  create({ rewritten, decay }, context) {
    const { prompts, groupSize: samples, verifierOf, minVoteShare } = context;
    const questions = rewrittenQuestions(prompts, rewritten);
    return {
      // Without a prompt that needs the teacher nobody has to pay for its memory.
      ...(questions.size < prompts.size ? { teacherDecay: decay } : {}),
      second({ id, prompt }) {
        const question = questions.get(id);
        return question === undefined
          ? { by: 'teacher', prompt, samples }
          : { by: 'policy', prompt: question, samples };
      },
      reward: async (_step, seen) =>
        await agreement(
          seen,
          verifierOf(seen.promptId),
          minVoteShare,
          questions.has(seen.promptId) ? 'the rewritten question' : 'the teacher',
        ),
    };
  },
});

/** 1 for rollouts whose answer is in the class of the second group's majority, else 0. */
async function agreement(
  { promptId, vote, second }: Seen,
  verifier: Verifier,
  minShare: number,
  who: string,
): Promise<GroupReward> {
  if (second === undefined) throw new Error(`prompt ${promptId} has no second responses`);
  const theirs = await countVotes(
    second.map(({ text }) => text),
    verifier,
  );
  const common = { kind: 'majority', undecided: [] } as const;
  const refusal = refusalOf(theirs, { minShare });
  if (refusal !== undefined) return { ...common, rewards: null, reason: `${who}: ${refusal}` };
  // The target comes first: an answer joins its class if the verifier calls the two equal.
  const [target, ...own] = await verifier.classes([theirs.answer ?? undefined, ...vote.answers]);
  const rewards = Float64Array.from(own, (index) => Number(index === target && index >= 0));
  const counts = `${rewards.filter((one) => one === 1).length} of ${own.length} rollouts agree`;
  return {
    ...common,
    rewards,
    reason: `${who}: majority of ${theirs.votes} of ${second.length}; ${counts}`,
  };
}

/** By prompt id, the prompts whose question the column has in other words. UserError for one that is no text. */
function rewrittenQuestions(
  prompts: MethodContext['prompts'],
  column: string,
): Map<string, Question> {
  const questions = new Map<string, Question>();
  for (const [id, { prompt, metadata }] of prompts) {
    const value = valueAt(metadata, column);
    if (value === undefined || value === null || value === '') continue;
    if (typeof value !== 'string') {
      throw new UserError({
        wanted: `a question as text, or nothing, in the column ${column}`,
        found: JSON.stringify(value),
        where: `prompt ${id}`,
        fix: 'Name another column in methods.co_rewarding.rewritten.',
      });
    }
    questions.set(id, inOtherWords(prompt, value));
  }
  return questions;
}

/** The last turn of the user in other words, with what stands around it. */
function inOtherWords(prompt: Question, question: string): Question {
  if (typeof prompt === 'string') return question;
  const at = prompt.findLastIndex(({ role }) => role === 'user');
  if (at < 0) return question;
  return prompt.map((turn, i) => (i === at ? { ...turn, content: question } : turn));
}
