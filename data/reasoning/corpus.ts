/**
 * The endless stream of demonstrations that the reasoner is pretrained on, and the rule that keeps
 * the prompts of the pool and the tests out of it. Knows nothing of models.
 *
 * The model reads `${prompt}\n` and goes on with the response.
 */
import { createHash } from 'node:crypto';
import type { RandomStream } from '../../src/core/random.ts';
import { add } from './families/add.ts';
import { chain } from './families/chain.ts';
import { pair } from './families/pair.ts';
import { remainder } from './families/remainder.ts';
import { solve } from './families/solve.ts';
import { subtract } from './families/subtract.ts';
import { habitsFor, plainHabits, type SlipRow, slipRow, slipTable } from './slips.ts';
import { tokenCount } from './tokenizer.ts';
import type { Family, FamilyName, Problem, Stage } from './types.ts';

export const families: Readonly<Record<FamilyName, Family>> = {
  add,
  subtract,
  chain,
  pair,
  solve,
  remainder,
};

/** Longest prompt and response together, in tokens: newline and end token included. */
export const maxTokens = 176;

/** What goes between prompt and response. */
export const separator = '\n';

/** Relative weights by level ("add/3") or family ("add"); what is not named has weight 1. */
export type Weights = Readonly<Record<string, number>>;

export interface Example {
  prompt: string;
  response: string;
  family: FamilyName;
  level: number;
}

/** Whether a prompt is kept for pools and tests (one in five, by its text) and never pretrained on. */
export function isReserved(prompt: string): boolean {
  let hash = 0x811c9dc5;
  for (let at = 0; at < prompt.length; at++) {
    hash = Math.imul(hash ^ prompt.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % 5 === 0;
}

/** A stable name for a prompt: the family and ten hex digits of its SHA-256. */
export function promptId(problem: Problem): string {
  const digest = createHash('sha256').update(problem.prompt).digest('hex').slice(0, 10);
  return `${problem.family}-${digest}`;
}

/** A demonstration that fits with its prompt into `maxTokens`. */
export function demonstration(problem: Problem, random: RandomStream, stage: Stage): string {
  const room = maxTokens - tokenCount(problem.prompt) - 2;
  const habits = habitsFor(problem.family, problem.level, stage);
  for (let attempt = 0; attempt < 20; attempt++) {
    const response = problem.demonstrate(random, habits);
    if (tokenCount(response) <= room) return response;
  }
  return problem.demonstrate(random, plainHabits);
}

/** One example for pretraining; `warm` draws easy levels only, `clean` and `noisy` all of them. */
export function example(random: RandomStream, stage: Stage, weights: Weights = {}): Example {
  const row = drawRow(random, stage, weights);
  const problem = drawProblem(random, row, false);
  const response = demonstration(problem, random, stage);
  return { prompt: problem.prompt, response, family: row.family, level: row.level };
}

/** A random problem of a level whose prompt is reserved for pools and tests, or is not. */
export function drawProblem(random: RandomStream, row: SlipRow, reserved: boolean): Problem {
  for (;;) {
    const problem = families[row.family].problem(random, row.level);
    if (isReserved(problem.prompt) === reserved) return problem;
  }
}

/** Levels short enough to start with. */
const warmLevels: Readonly<Record<FamilyName, number>> = {
  add: 2,
  subtract: 2,
  chain: 2,
  pair: 1,
  solve: 1,
  remainder: 2,
};

function drawRow(random: RandomStream, stage: Stage, weights: Weights): SlipRow {
  const rows = slipTable.filter(
    ({ family, level }) => stage !== 'warm' || level <= warmLevels[family],
  );
  const weigh = ({ family, level }: SlipRow): number =>
    weights[`${family}/${level}`] ?? weights[family] ?? 1;
  let left = random.uniform() * rows.reduce((sum, one) => sum + weigh(one), 0);
  const found = rows.find((one) => {
    left -= weigh(one);
    return left < 0;
  });
  return found ?? slipRow('add', 1);
}
