/**
 * The annotation desk under load: `pivottrace serve` as a process of its own, simulated annotators over HTTP, and five
 * times SIGKILL in the midst of it.
 *
 *   npm run bench:desk [-- --only=postgres|pglite --annotators=N --questions=N --budget=N --seconds=N --think=S]
 *
 * By default 200 annotators on PostgreSQL (a throw-away cluster, fsync on) and 50 on a workspace's own database, each on
 * 10,000 questions with a budget that ends before the questions do. An annotator comes in by a one-time link, gets a question,
 * thinks (an exponential time; people take longer), answers; now and then skips, leaves, comes late, sends twice, takes
 * back. All pages listen for changes, as real ones do. After a lost answer the same submission is sent again.
 *
 * Afterwards what annotators were told is held against the database: nothing that was acknowledged is lost, nothing is
 * counted twice, no question was in two hands or answered by two, the budget was never overrun. Exit code 1 where any
 * of it does not hold. Latencies are those of requests that were answered at the first try, with everything on one
 * machine; `next` is asked for after a pause and at the start, otherwise the next question comes with the answer to
 * `submit`. The last line is one JSON object.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { startPostgres } from '../src/store/testing/postgres.ts';
import { type LoadResult, type LoadSettings, load } from './desk/load.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    annotators: { type: 'string' },
    questions: { type: 'string', default: '10000' },
    budget: { type: 'string' },
    seconds: { type: 'string', default: '150' },
    kills: { type: 'string', default: '5' },
    think: { type: 'string', default: '10' },
    lease: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    quiet: { type: 'boolean', default: false },
  },
});

const usual = {
  postgres: { annotators: 200, budget: 2_000 },
  pglite: { annotators: 50, budget: 500 },
};

function settingsFor(engine: 'postgres' | 'pglite', database?: string): LoadSettings {
  return {
    ...{ engine, database },
    annotators: Number(options.annotators ?? usual[engine].annotators),
    questions: Number(options.questions),
    budget: Number(options.budget ?? usual[engine].budget),
    kills: Number(options.kills),
    thinkSeconds: Number(options.think),
    leaseSeconds: Number(options.lease),
    seconds: Number(options.seconds),
    listen: !options.quiet,
    seed: Number(options.seed),
  };
}

const report = (label: string, value: string | number) =>
  console.log(`  ${label.padEnd(46)} ${value}`);
const round = (value: number, digits = 1) => Number(value.toFixed(digits));

/** The smallest of `sorted` that is at least as large as the share `p` of them; null where there are none. */
const quantile = (sorted: readonly number[], p: number) =>
  sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? null;

function latencies({ ledger }: LoadResult) {
  const of = (what: string) => {
    const sorted = ledger.timings
      .filter((one) => one.what === what)
      .map(({ ms }) => ms)
      .sort((a, b) => a - b);
    const ms = (p: number) => {
      const found = quantile(sorted, p);
      return found === null ? null : round(found);
    };
    return { requests: sorted.length, p50_ms: ms(0.5), p99_ms: ms(0.99) };
  };
  return { next: of('next'), submit: of('submit'), undo: of('undo'), progress: of('progress') };
}

function summary(settings: LoadSettings, result: LoadResult) {
  const { ledger, findings, seconds, downSeconds } = result;
  const acknowledged = [...ledger.sent.values()].filter(({ fate }) => fate === 'acknowledged');
  return {
    engine: settings.engine,
    annotators: settings.annotators,
    questions: settings.questions,
    budget: settings.budget,
    think_seconds: settings.thinkSeconds,
    seconds: round(seconds),
    down_seconds: round(downSeconds),
    kills: result.kills,
    start_seconds: result.startSeconds.map((one) => round(one)),
    sign_in_seconds: round(result.signInSeconds),
    submissions: acknowledged.length,
    repeats: ledger.repeats,
    labels: result.labels,
    budget_reached: result.budgetReached,
    submissions_per_second: round(acknowledged.length / Math.max(1, seconds - downSeconds)),
    latency: latencies(result),
    refusals: Object.fromEntries(ledger.refusals),
    unaudited: result.unaudited,
    broken: Object.fromEntries(Object.entries(findings).map(([name, all]) => [name, all.length])),
  };
}

function print(settings: LoadSettings, result: LoadResult): ReturnType<typeof summary> {
  const sums = summary(settings, result);
  console.log(`${sums.engine}: ${sums.annotators} annotators, ${sums.questions} questions`);
  report('labels, of the budget', `${sums.labels} of ${sums.budget}`);
  report('seconds of work, without a server', `${sums.seconds}, ${sums.down_seconds}`);
  report(
    'servers killed; seconds to start again',
    `${sums.kills}; ${sums.start_seconds.join(' ')}`,
  );
  report('submissions acknowledged, sent again', `${sums.submissions}, ${sums.repeats}`);
  report('submissions per second, while a server was up', sums.submissions_per_second);
  for (const [what, { requests, p50_ms: half, p99_ms: most }] of Object.entries(sums.latency)) {
    report(`${what}: p50, p99 in ms (requests)`, `${half}, ${most} (${requests})`);
  }
  for (const [text, times] of result.ledger.refusals) report(`refused ${times} times`, text);
  report('answers missing on the audit log after a kill', sums.unaudited);
  for (const [name, found] of Object.entries(result.findings)) {
    report(name.replaceAll('_', ' '), found.length === 0 ? 'none' : found.slice(0, 5).join('; '));
  }
  if (result.faults !== '') console.log(`The servers said:\n${result.faults}`);
  return sums;
}

const runs: ReturnType<typeof summary>[] = [];
if (options.only !== 'pglite') {
  const postgres = await startPostgres('on');
  try {
    const settings = settingsFor('postgres', postgres.url);
    runs.push(print(settings, await load(settings)));
  } finally {
    await postgres.stop();
  }
}
if (options.only !== 'postgres') {
  const settings = settingsFor('pglite');
  runs.push(print(settings, await load(settings)));
}
const holds = runs.every(({ broken }) => Object.values(broken).every((count) => count === 0));
if (!holds) process.exitCode = 1;
console.log(JSON.stringify({ threads: availableParallelism(), holds, runs }));
