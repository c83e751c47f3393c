/**
 * Speed of the math verifier, and how it and two others agree with the hand-made pairs and with each other.
 *
 *   npm run bench:verify
 *
 * All runs go through the product's own `openVerifier`: extraction, threads and deadlines are counted.
 *
 * - Throughput: verdicts per second on 2 threads, over the pairs of mathematics in random order, after a warm-up.
 * - Latency: one verdict at a time, awaited, over the same pairs.
 * - Rivals: Python's math-verify 0.9.0 (a command verifier with the adapter that comes along, 2 processes), and the bare
 *   compute engine (`isEqual` on the answers that we extracted, with a deadline of 1 s). All three take turns, chunk by
 *   chunk, so that noise hits each of them. Mind that our verifier was made with these pairs at hand and the others were
 *   not: the shares of the rivals say how often one would have to correct them, not how good they are elsewhere.
 *
 * The last line is one JSON object; `agreement` is the share of pairs on which we and math-verify both say right or both
 * do not, or null where math-verify cannot be installed.
 */
import { availableParallelism } from 'node:os';
import { stream } from '../src/core/random.ts';
import { openPooled, openVerifier } from '../src/verify/open.ts';
import type { Verdict, Verifier } from '../src/verify/types.ts';
import { categoryOf, type Pair, readPairs } from '../test/verify/pairs.ts';
import {
  type Graded,
  sensitivity,
  specificity,
  table,
  tallies,
  tally,
} from '../test/verify/score.ts';
import { median } from './bench-model.ts';
import { mathVerifySpec } from './math-verify.ts';

const WORKERS = 2;
const WARM_UP_MS = 4000;
const ROUNDS = 7;
const COPIES = 4;
const CHUNK = 40;

const report = (label: string, value: string) => console.log(`${label.padEnd(48)} ${value}`);
const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
const round = (value: number, digits: number) => Number(value.toFixed(digits));

/** Pairs of mathematics: those of the kind `auto`, but for letters and words. */
const pairs = readPairs().filter(
  (pair) => pair.verify === undefined && !['choice', 'text'].includes(categoryOf(pair)),
);

/** Rounds over all pairs in random order, after a warm-up; the median counts. */
async function verdictsPerSecond(verifier: Verifier): Promise<number> {
  const random = stream(1, 'throughput');
  const batch = Array.from({ length: COPIES }, () => pairs).flat();
  const run = async () => {
    const order = random.shuffled(batch);
    const start = performance.now();
    await Promise.all(order.map(({ gold, response }) => verifier.verify(gold, [response])));
    return (1000 * order.length) / (performance.now() - start);
  };
  const end = performance.now() + WARM_UP_MS;
  while (performance.now() < end) await run();
  const rates: number[] = [];
  for (let i = 0; i < ROUNDS; i++) rates.push(await run());
  report(
    'verdicts per second, 2 threads',
    `${Math.round(median(rates))} (${rates.map(Math.round).join(' ')})`,
  );
  return median(rates);
}

async function latency(verifier: Verifier): Promise<number> {
  const random = stream(1, 'latency');
  const times: number[] = [];
  for (let pass = 0; pass < 3; pass++) {
    for (const { gold, response } of random.shuffled(pairs)) {
      const start = performance.now();
      await verifier.verify(gold, [response]);
      times.push(performance.now() - start);
    }
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(share * (times.length - 1))];
  report(
    'one verdict, awaited: median, p99, longest',
    `${at(0.5).toFixed(3)} ms, ${at(0.99).toFixed(2)} ms, ${at(1).toFixed(1)} ms`,
  );
  return at(0.5);
}

interface Contender {
  name: string;
  verdict(pair: Pair): Promise<Verdict>;
  close(): Promise<void>;
  graded: Graded[];
  /** Milliseconds of each chunk, with its size. */
  chunks: { pairs: number; ms: number }[];
}

function contender(
  name: string,
  verifier: Verifier,
  verdict: Contender['verdict'] = async ({ gold, response }) =>
    (await verifier.verify(gold, [response]))[0],
): Contender {
  return { name, verdict, close: () => verifier.close(), graded: [], chunks: [] };
}

/** Each chunk by all contenders, the order turning; the first two chunks are done once before, unmeasured. */
async function compete(contenders: readonly Contender[]): Promise<void> {
  for (const { verdict } of contenders) await Promise.all(pairs.slice(0, 2 * CHUNK).map(verdict));
  for (let from = 0; from < pairs.length; from += CHUNK) {
    const chunk = pairs.slice(from, from + CHUNK);
    const turn = (from / CHUNK) % contenders.length;
    for (const one of [...contenders.slice(turn), ...contenders.slice(0, turn)]) {
      const start = performance.now();
      const verdicts = await Promise.all(chunk.map(one.verdict));
      one.chunks.push({ pairs: chunk.length, ms: performance.now() - start });
      one.graded.push(
        ...chunk.map((pair, index) => ({ pair, verdict: verdicts[index], read: undefined })),
      );
    }
  }
}

/** The bare engine on the answers that our own extraction finds. */
async function bareEngine(ours: Verifier): Promise<Contender> {
  const module = new URL('./bare-engine.ts', import.meta.url).href;
  const spec = { kind: 'compute engine', bounds: { deadlineMs: 1000 } };
  const engine = await openPooled(module, spec, { workers: WORKERS });
  const found = await ours.extract(pairs.map(({ response }) => response));
  const answers = new Map(pairs.map((pair, index) => [pair, found[index]?.text]));
  const nothing: Verdict = { verdict: 'wrong', reason: 'no answer', rung: 'extract' };
  return contender('bare compute engine', engine, async (pair) => {
    const answer = answers.get(pair);
    return answer === undefined ? nothing : await engine.compare(pair.gold, answer);
  });
}

function reportContender({ name, graded, chunks }: Contender): void {
  const all = tally('all', graded);
  const late = graded.filter(({ verdict }) => verdict.rung === 'deadline').length;
  const ms = chunks.reduce((total, chunk) => total + chunk.ms, 0);
  const usual = median(chunks.map((chunk) => (1000 * chunk.pairs) / chunk.ms));
  report(
    name,
    `sensitivity ${percent(sensitivity(all))}, specificity ${percent(specificity(all))}, ` +
      `${all.undecided} undecided (${late} past the deadline), ` +
      `${Math.round((1000 * graded.length) / ms)} verdicts/s (median of the chunks ${Math.round(usual)})`,
  );
}

const saysRight = ({ verdict }: Graded) => verdict.verdict === 'right';

/** Prints where the two differ; the share of pairs where they do not. */
function agreement(ours: Contender, theirs: Contender): number {
  const differing = ours.graded.flatMap((one, index) =>
    saysRight(one) === saysRight(theirs.graded[index])
      ? []
      : [{ one, other: theirs.graded[index] }],
  );
  console.log(`\n${differing.length} disagreements with ${theirs.name}`);
  const cut = (text: string) => JSON.stringify(text.length > 70 ? `…${text.slice(-70)}` : text);
  for (const { one, other } of differing) {
    const winner = saysRight(one) === (one.pair.expected === 'right') ? 'ours' : theirs.name;
    console.log(
      `${one.pair.id.padEnd(22)} ${winner} is right: expected ${one.pair.expected}, ` +
        `ours ${one.verdict.verdict}, theirs ${other.verdict.verdict} (${other.verdict.reason})\n` +
        `    gold ${cut(one.pair.gold)}  response ${cut(one.pair.response)}`,
    );
  }
  return 1 - differing.length / ours.graded.length;
}

report('node, cores', `${process.version}, ${availableParallelism()}`);
report('pairs of mathematics', `${pairs.length}`);
const verifier = await openVerifier({ kind: 'auto' }, { workers: WORKERS });
const perSecond = await verdictsPerSecond(verifier);
const medianMs = await latency(verifier);

const ours = contender('ours', verifier);
const contenders = [ours, await bareEngine(verifier)];
const spec = mathVerifySpec();
let theirs: Contender | undefined;
if ('problem' in spec) report('math-verify is left out', spec.problem);
else {
  theirs = contender('math-verify', await openVerifier(spec, { workers: WORKERS }));
  contenders.push(theirs);
}
await compete(contenders);
for (const one of contenders) await one.close();
for (const one of contenders) {
  console.log(`\n${one.name}\n${table(tallies(one.graded))}`);
}
const agreed = theirs === undefined ? null : agreement(ours, theirs);
console.log('');
for (const one of contenders) reportContender(one);
if (agreed !== null) report('agreement with math-verify', percent(agreed));
const all = tally('all', ours.graded);
console.log(
  JSON.stringify({
    per_second: Math.round(perSecond),
    median_ms: round(medianMs, 3),
    sensitivity: round(sensitivity(all), 4),
    specificity: round(specificity(all), 4),
    agreement: agreed === null ? null : round(agreed, 4),
  }),
);
