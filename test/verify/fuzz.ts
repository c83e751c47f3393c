/**
 * `npm run fuzz:verify`: fuzzed inputs through every verifier that needs no settings, as the product opens it.
 *
 * Fails on a crash, a rejection, an answer later than its deadline + 200 ms, or memory that grows. `--inputs N` for each
 * verifier (default 10000), `--seed N`, `--kind NAME`.
 */
import { parseArgs } from 'node:util';
import { verifierNames } from '../../src/verify/spec.ts';
import { type FuzzReport, fuzz, latest, memoryEvery } from './fuzzing.ts';

const graceMs = 200;
/** Growth over the second half of a run that is still called flat, in MiB per 1000 inputs. */
const flat = 3;

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    kind: { type: 'string' },
  },
});
const seed = Number(values.seed);
const kinds = values.kind === undefined ? verifierNames : [values.kind];

const numbers = Array.from({ length: Number(values.inputs) }, (_, i) => i);

/** Least-squares slope over the second half, in MiB per 1000 inputs. */
function growth({ memory }: FuzzReport): number {
  const half = memory.slice(Math.floor(memory.length / 2));
  const n = half.length;
  if (n < 3) return 0;
  const mean = half.reduce((sum, x) => sum + x, 0) / n;
  const middle = (n - 1) / 2;
  const covariance = half.reduce((sum, x, i) => sum + (i - middle) * (x - mean), 0);
  const variance = half.reduce((sum, _, i) => sum + (i - middle) ** 2, 0);
  return ((covariance / variance) * 1000) / memoryEvery;
}

function describe(report: FuzzReport): string[] {
  const times = report.took.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(1);
  const slowest = [...report.took].sort((a, b) => b.ms - a.ms).slice(0, 5);
  const verdicts = [...report.verdicts].sort(([, a], [, b]) => b - a);
  return [
    `${report.kind}: ${report.inputs} inputs, ${times.length} tasks; ms median ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`,
    `  memory ${report.memory.at(0)?.toFixed(0)} to ${report.memory.at(-1)?.toFixed(0)} MiB, ${growth(report).toFixed(2)} MiB per 1000 inputs at the end`,
    `  verdicts: ${verdicts.map(([name, count]) => `${name} ${count}`).join(', ')}`,
    `  slowest: ${slowest.map(({ ms, what, number }) => `${ms.toFixed(0)} ms ${what} (${number})`).join(', ')}`,
    ...report.faults.slice(0, 20).map((fault) => `  FAULT ${fault}`),
  ];
}

let failed = false;
for (const kind of kinds) {
  const report = await fuzz(kind, numbers, seed);
  if (report === undefined) {
    console.log(`${kind}: left out, it needs settings of its own`);
    continue;
  }
  console.log(describe(report).join('\n'));
  const isLate = latest(report) > graceMs;
  const grows = growth(report) > flat;
  if (isLate) console.log(`  FAULT a verdict ${latest(report).toFixed(0)} ms after its deadline`);
  if (grows) console.log('  FAULT memory grows');
  failed ||= report.faults.length > 0 || isLate || grows;
}
process.exitCode = failed ? 1 : 0;
