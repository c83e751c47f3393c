/**
 * Writes the bundled pool, its answers and two held-out tests: `npx tsx data/make-pool.ts [folder]`.
 *
 * No prompt is in two of the files, and none is ever drawn for pretraining (`isReserved`). The
 * answers of the pool stand in a file of their own, so that training cannot read one by accident.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeWhole } from '../src/core/files.ts';
import { stream } from '../src/core/random.ts';
import { drawProblem, promptId } from './reasoning/corpus.ts';
import { type SlipRow, slipTable } from './reasoning/slips.ts';
import type { Problem } from './reasoning/types.ts';

/** Prompts in the tests for every prompt in the pool. */
const shares = { test: 0.6, fresh: 0.5 };

export interface PoolFiles {
  pool: Problem[];
  test: Problem[];
  fresh: Problem[];
}

/** Draws pool and tests; the same seed always gives the same files. */
export function makePool(seed: number): PoolFiles {
  const files: PoolFiles = { pool: [], test: [], fresh: [] };
  for (const row of slipTable) {
    const counts = {
      pool: row.pool,
      test: Math.round(row.pool * shares.test),
      fresh: Math.round(row.pool * shares.fresh),
    };
    const problems = distinct(seed, row, counts.pool + counts.test + counts.fresh);
    files.pool.push(...problems.slice(0, counts.pool));
    files.test.push(...problems.slice(counts.pool, counts.pool + counts.test));
    files.fresh.push(...problems.slice(counts.pool + counts.test));
  }
  const shuffle = (name: 'pool' | 'test' | 'fresh'): Problem[] =>
    stream(seed, 'order', name).shuffled(files[name]);
  return { pool: shuffle('pool'), test: shuffle('test'), fresh: shuffle('fresh') };
}

/** Distinct reserved problems of one level; throws when the level has too few. */
function distinct(seed: number, row: SlipRow, count: number): Problem[] {
  const random = stream(seed, 'pool', row.family, row.level);
  const found = new Map<string, Problem>();
  for (let draws = 0; found.size < count; draws++) {
    if (draws > 200 * count) throw new Error(`${row.family} ${row.level} has too few prompts`);
    const problem = drawProblem(random, row, true);
    found.set(problem.prompt, problem);
  }
  return [...found.values()];
}

/** The lines of one file: prompts with or without their answers, or answers alone. */
export function lines(problems: readonly Problem[], part: 'prompt' | 'answer' | 'both'): string {
  const rows = problems.map((problem) => {
    const id = promptId(problem);
    const { prompt, answer, family, level } = problem;
    if (part === 'answer') return { id, answer };
    const known = part === 'both' ? { answer } : {};
    return { id, prompt, ...known, source: family, metadata: { level } };
  });
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

function main(folder: string): void {
  const { pool, test, fresh } = makePool(1);
  writeWhole(join(folder, 'pool.jsonl'), lines(pool, 'prompt'));
  writeWhole(join(folder, 'answers.jsonl'), lines(pool, 'answer'));
  writeWhole(join(folder, 'test.jsonl'), lines(test, 'both'));
  writeWhole(join(folder, 'fresh.jsonl'), lines(fresh, 'both'));
  console.log(`${folder}: pool ${pool.length}, test ${test.length}, fresh ${fresh.length}`);
}

const here = fileURLToPath(import.meta.url);
if (process.argv[1] === here) main(process.argv[2] ?? dirname(here));
