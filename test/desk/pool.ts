/** Questions of the bundled pool with their answers, as far as tests put them to people. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../../src/cli/config.ts';
import type { Prompt } from '../../src/pool/types.ts';
import { rolloutRow } from '../../src/store/testing/rows.ts';
import type { Store } from '../../src/store/types.ts';

const lineSchema = z.object({ id: z.string(), prompt: z.string(), source: z.string() });
const answerSchema = z.object({ id: z.string(), answer: z.string() });

const linesOf = (name: string): unknown[] =>
  readFileSync(join(packageRoot, 'data', name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

export const bundledAnswers = (): Map<string, string> =>
  new Map(
    linesOf('answers.jsonl')
      .map((line) => answerSchema.parse(line))
      .map(({ id, answer }) => [id, answer]),
  );

/** The first `count` prompts. */
export const bundledPrompts = (count: number): Prompt[] =>
  linesOf('pool.jsonl')
    .slice(0, count)
    .map((line) => ({ ...lineSchema.parse(line), metadata: {} }));

/** Puts prompts into the pool, each with five responses of the policy: three say the first of `answers`, two the other. */
export async function addToPool(
  store: Store,
  prompts: readonly Prompt[],
  answers: readonly [string, string] = ['7', '8'],
): Promise<void> {
  await store.prompts.add(prompts);
  await store.rollouts.put(
    0,
    prompts.flatMap(({ id: promptId }) =>
      [0, 1, 2, 3, 4].map((sample) => {
        const answerClass = sample < 3 ? 0 : 1;
        const answer = answers[answerClass];
        return { ...rolloutRow(0, sample), promptId, answer, answerClass, text: `so: ${answer}` };
      }),
    ),
  );
}
