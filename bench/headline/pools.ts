/**
 * Pools of a given redundancy from the bundled one: `npx tsx bench/headline/pools.ts [folder]` (default build/headline/pools).
 *
 * A prompt is redundant when the base policy solves all or none of 16 attempts (pass-rates.jsonl): most of its groups have
 * no gradient. The others are solved in 2 to 14. Mastered and hopeless prompts keep their proportion in the bundled pool.
 */
import { join } from 'node:path';
import { writeWhole } from '../../src/core/files.ts';
import { stream } from '../../src/core/random.ts';
import { readRows } from '../rows.ts';

const SIZE = 600;
const REDUNDANT = [40, 60, 75, 87];

interface Row {
  id: string;
}

const rates = readRows<Row & { right: number; samples: number }>('bench/headline/pass-rates.jsonl');
const prompts = readRows<Row>('data/pool.jsonl');
const shares = new Map(rates.map(({ id, right, samples }) => [id, right / samples]));
const kind = ({ id }: Row) => {
  const mu = shares.get(id) ?? 0;
  if (mu === 1) return 'mastered';
  if (mu === 0) return 'hopeless';
  return mu > 0.1 && mu < 0.9 ? 'middle' : 'between';
};
const random = stream(0, 'redundancy');
const of = (wanted: string) => random.shuffled(prompts.filter((one) => kind(one) === wanted));
const [mastered, hopeless, middle] = ['mastered', 'hopeless', 'middle'].map(of);
const folder = process.argv[2] ?? 'build/headline/pools';
for (const percent of REDUNDANT) {
  const redundant = Math.round((SIZE * percent) / 100);
  const easy = Math.round((redundant * mastered.length) / (mastered.length + hopeless.length));
  const pool = [
    ...mastered.slice(0, easy),
    ...hopeless.slice(0, redundant - easy),
    ...middle.slice(0, SIZE - redundant),
  ];
  const path = join(folder, `redundant-${percent}.jsonl`);
  const lines = random.shuffled(pool).map((row) => JSON.stringify(row));
  writeWhole(path, `${lines.join('\n')}\n`);
  console.log(`${path}: ${pool.length} prompts, ${redundant} of them mastered or hopeless`);
}
