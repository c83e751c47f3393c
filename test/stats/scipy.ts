/**
 * Checks src/stats against SciPy on seeded cases.
 *
 *   npm run check:scipy               a line per function; fails where a number is off by more than 1e-6
 *   npm run check:scipy -- --record   the same, then writes SciPy's numbers to golden.json (npm run format after it),
 *                                     by which golden.test.ts guards the functions where there is no Python
 *
 * Needs Python with SciPy 1.15 or later; PIVOTTRACE_PYTHON names it, else python3.
 */
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import { writeWhole } from '../../src/core/files.ts';
import { printedBy, runCheck } from '../python/driver.ts';
import { type Check, checks } from './checks.ts';

/** Largest deviation that passes; absolute, and relative for numbers over 1. */
export const TOLERANCE = 1e-6;

export const GOLDEN = new URL('golden.json', import.meta.url);

/** SciPy's numbers: per check, per case. */
export const referenceSchema = z.object({
  made_with: z.string(),
  values: z.record(
    z.string(),
    z.array(z.array(z.union([z.number(), z.enum(['nan', 'inf', '-inf'])]))),
  ),
});
export type Reference = z.infer<typeof referenceSchema>;

export interface Deviation {
  name: string;
  cases: number;
  numbers: number;
  /** Infinity where one side has a number that the other has not. */
  largest: number;
}

/** How far the numbers of a check are from the reference's. */
export function deviation({ name, found }: Check, { values }: Reference): Deviation {
  const wanted = values[name] ?? [];
  let largest = wanted.length === found.length ? 0 : Infinity;
  let numbers = 0;
  for (const [i, row] of found.entries()) {
    const other = (wanted[i] ?? []).map(numberOf);
    if (other.length !== row.length) largest = Infinity;
    numbers += row.length;
    for (const [j, value] of row.entries()) largest = Math.max(largest, distance(value, other[j]));
  }
  return { name, cases: found.length, numbers, largest };
}

function distance(found: number, wanted: number): number {
  if (Object.is(found, wanted) || found === wanted) return 0;
  const apart = Math.abs(found - wanted) / Math.max(1, Math.abs(wanted));
  return Number.isNaN(apart) ? Infinity : apart;
}

function numberOf(value: number | 'nan' | 'inf' | '-inf'): number {
  if (typeof value === 'number') return value;
  return { nan: Number.NaN, inf: Infinity, '-inf': -Infinity }[value];
}

/** Has SciPy compute the checks; UserError where it cannot. */
function askScipy(all: readonly Check[]): Reference {
  const script = new URL('scipy_check.py', import.meta.url);
  const input = JSON.stringify(all.map(({ name, inputs }) => ({ name, inputs })));
  const needs = {
    wanted: 'python3 with SciPy 1.15 or later',
    fix: 'Install it (python3 -m pip install scipy) and run the check again.',
  };
  return referenceSchema.parse(JSON.parse(printedBy(script, [], needs, { input })));
}

function main(isRecording: boolean): void {
  const all = checks();
  const reference = askScipy(all);
  const deviations = all.map((one) => deviation(one, reference));
  for (const { name, cases, numbers, largest } of deviations) {
    const counts = `${cases} cases, ${numbers} numbers`;
    const verdict = largest <= TOLERANCE ? 'ok' : 'FAILED';
    console.log(
      `${name.padEnd(34)}${counts.padEnd(26)}${largest.toExponential(1).padStart(8)}  ${verdict}`,
    );
  }
  const failed = deviations.filter(({ largest }) => !(largest <= TOLERANCE));
  const summary = `largest deviation from ${reference.made_with}; at most ${TOLERANCE} passes`;
  console.log(
    `${deviations.length - failed.length} of ${deviations.length} functions agree (${summary})`,
  );
  if (failed.length > 0) process.exitCode = 1;
  else if (isRecording) writeWhole(fileURLToPath(GOLDEN), `${JSON.stringify(reference)}\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runCheck(() => main(process.argv.includes('--record')));
}
