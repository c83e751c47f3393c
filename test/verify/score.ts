/**
 * How often the verifiers accept what is right and refuse what is wrong, per category of test/verify/pairs.
 *
 *   npm run score:verify [-- CATEGORY ...]
 *
 * Sensitivity is the share of right responses with the verdict `right`; specificity is the share of wrong ones without
 * it. `undecided` is never a reward, so that it counts as refused. The table is followed by all misses.
 */
import { pathToFileURL } from 'node:url';
import { openVerifier } from '../../src/verify/open.ts';
import type { Verdict, Verifier } from '../../src/verify/types.ts';
import { categoryOf, type Pair, readPairs, specOf } from './pairs.ts';

export interface Graded {
  pair: Pair;
  verdict: Verdict;
  /** What was taken for the answer, and by which mark; undefined where nothing was. */
  read: string | undefined;
}

/** The verdict of the product's verifiers on each pair, in order. */
export async function grade(pairs: readonly Pair[]): Promise<Graded[]> {
  const groups = new Map<string, Pair[]>();
  for (const pair of pairs) {
    const key = JSON.stringify(specOf(pair));
    groups.set(key, [...(groups.get(key) ?? []), pair]);
  }
  const graded = new Map<Pair, Graded>();
  for (const group of groups.values()) {
    const verifier = await openVerifier(specOf(group[0]));
    try {
      for (const one of await gradeWith(verifier, group)) graded.set(one.pair, one);
    } finally {
      await verifier.close();
    }
  }
  return pairs.flatMap((pair) => graded.get(pair) ?? []);
}

/** The same for pairs of one verifier. */
async function gradeWith(verifier: Verifier, pairs: readonly Pair[]): Promise<Graded[]> {
  const found = await verifier.extract(pairs.map(({ response }) => response));
  return await Promise.all(
    pairs.map(async (pair, index) => {
      const [verdict] = await verifier.verify(pair.gold, [pair.response]);
      const answer = found[index];
      return { pair, verdict, read: answer && `${answer.text} (${answer.mark})` };
    }),
  );
}

/** Counts of one category, or of all. */
export interface Tally {
  category: string;
  positives: number;
  accepted: number;
  negatives: number;
  refused: number;
  undecided: number;
}

/** Share of right responses that were accepted; NaN without any. */
export function sensitivity({ accepted, positives }: Tally): number {
  return accepted / positives;
}

/** Share of wrong responses that were refused; NaN without any. */
export function specificity({ refused, negatives }: Tally): number {
  return refused / negatives;
}

export function tally(category: string, graded: readonly Graded[]): Tally {
  const right = graded.filter(({ pair }) => pair.expected === 'right');
  const wrong = graded.filter(({ pair }) => pair.expected === 'wrong');
  return {
    category,
    positives: right.length,
    accepted: right.filter(({ verdict }) => verdict.verdict === 'right').length,
    negatives: wrong.length,
    refused: wrong.filter(({ verdict }) => verdict.verdict !== 'right').length,
    undecided: graded.filter(({ verdict }) => verdict.verdict === 'undecided').length,
  };
}

/** One tally per category, by name, and one of all. */
export function tallies(graded: readonly Graded[]): Tally[] {
  const categories = [...new Set(graded.map(({ pair }) => categoryOf(pair)))].sort();
  const each = categories.map((category) =>
    tally(
      category,
      graded.filter(({ pair }) => categoryOf(pair) === category),
    ),
  );
  return [...each, tally('all', graded)];
}

/** Right responses that were not accepted, and wrong ones that were. */
export function misses(graded: readonly Graded[]): Graded[] {
  return graded.filter(
    ({ pair, verdict }) => (verdict.verdict === 'right') !== (pair.expected === 'right'),
  );
}

export function table(rows: readonly Tally[]): string {
  const share = (value: number) => (Number.isNaN(value) ? '-' : `${(100 * value).toFixed(1)}%`);
  const head = ['category', 'pairs', 'right', 'sensitivity', 'wrong', 'specificity', 'undecided'];
  const cells = rows.map((row) => [
    row.category,
    `${row.positives + row.negatives}`,
    `${row.positives}`,
    share(sensitivity(row)),
    `${row.negatives}`,
    share(specificity(row)),
    `${row.undecided}`,
  ]);
  return [head, ...cells]
    .map(([name, ...figures]) => `${name.padEnd(20)}${figures.map((x) => x.padStart(13)).join('')}`)
    .join('\n');
}

/** A miss in a few lines, long texts cut. */
export function described({ pair, verdict, read }: Graded): string {
  const cut = (text: string) => (text.length > 160 ? `${text.slice(0, 157)}...` : text);
  return [
    `${pair.id}: expected ${pair.expected}, verdict ${verdict.verdict} (${verdict.rung}: ${verdict.reason})`,
    `  gold  ${cut(JSON.stringify(pair.gold))}`,
    `  read  ${read === undefined ? 'nothing' : cut(JSON.stringify(read))}`,
    `  why   ${pair.why}`,
  ].join('\n');
}

async function main(wanted: readonly string[]): Promise<void> {
  const pairs = readPairs().filter(
    (pair) => wanted.length === 0 || wanted.includes(categoryOf(pair)),
  );
  const graded = await grade(pairs);
  console.log(table(tallies(graded)));
  const missed = misses(graded);
  console.log(`\n${missed.length} misses`);
  for (const miss of missed) console.log(`\n${described(miss)}`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(process.argv.slice(2));
}
