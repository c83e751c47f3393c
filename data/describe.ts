/**
 * Prints what the families look like: `npx tsx data/describe.ts [demonstrations per level]`.
 * A clean and a noisy trace of every level, lengths, and how often demonstrations end right.
 */
import { stream } from '../src/core/random.ts';
import { demonstration, drawProblem } from './reasoning/corpus.ts';
import { type SlipRow, slipTable } from './reasoning/slips.ts';
import { tokenCount } from './reasoning/tokenizer.ts';
import type { Stage } from './reasoning/types.ts';

const count = Number(process.argv[2] ?? 1000);
const total = slipTable.reduce((sum, row) => sum + row.pool, 0);
const lines = slipTable.map(describe);
console.log('level        pool  share  pass  (table)  tokens mean  max');
for (const line of lines) console.log(line);

function describe(row: SlipRow): string {
  const name = `${row.family} ${row.level}`;
  const random = stream(11, 'describe', name);
  const problem = drawProblem(random, row, true);
  console.log(`## ${name}: ${row.what}`);
  console.log(problem.prompt);
  for (const stage of ['clean', 'noisy', 'noisy'] satisfies Stage[]) {
    console.log(`  ${stage}: ${demonstration(problem, random, stage)}`);
  }
  console.log(`  right: ${problem.answer}\n`);
  const lengths: number[] = [];
  let right = 0;
  for (let i = 0; i < count; i++) {
    const one = drawProblem(random, row, true);
    const response = demonstration(one, random, 'noisy');
    lengths.push(tokenCount(one.prompt) + tokenCount(response) + 2);
    if (response.endsWith(` answer: ${one.answer}`)) right++;
  }
  const mean = lengths.reduce((a, b) => a + b) / count;
  return [
    name.padEnd(12),
    String(row.pool).padStart(4),
    `${((100 * row.pool) / total).toFixed(1)} %`.padStart(6),
    (right / count).toFixed(3),
    `(${row.pass})`.padStart(7),
    mean.toFixed(0).padStart(8),
    String(Math.max(...lengths)).padStart(8),
  ].join('  ');
}
