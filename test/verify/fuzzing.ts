/** Puts fuzzed inputs through a verifier as the product opens it, and measures what each took. */
import { UserError } from '../../src/core/errors.ts';
import { openVerifier } from '../../src/verify/open.ts';
import { defaultBounds, type Verdict, type Verifier } from '../../src/verify/types.ts';
import { type FuzzInput, fuzzInput } from './hostile-inputs.ts';

export interface FuzzReport {
  kind: string;
  inputs: number;
  /** Rejections and answers of the wrong shape: none may be. */
  faults: string[];
  /** Verdicts by name and rung. */
  verdicts: Map<string, number>;
  /** What each task took from the call to the answer, in milliseconds, with what it was. */
  took: { ms: number; what: string; number: number }[];
  /** Resident memory of the process after every `memoryEvery` inputs, in MiB. */
  memory: number[];
}

/** Memory is read once in so many inputs. */
export const memoryEvery = 50;

/** Kinds whose gold is of another sort than the answer: an answer need not be right against itself. */
const oneSided = ['regex', 'code'];

/** Puts the inputs of these numbers through the verifier of `kind`, one task at a time; undefined where `kind` cannot be opened without settings of its own. */
export async function fuzz(
  kind: string,
  numbers: Iterable<number>,
  seed: number,
): Promise<FuzzReport | undefined> {
  let verifier: Verifier;
  try {
    verifier = await openVerifier({ kind });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
  const report: FuzzReport = {
    ...{ kind, inputs: 0, faults: [], verdicts: new Map(), took: [], memory: [] },
  };
  for (const number of numbers) {
    await one(verifier, fuzzInput(seed, number), number, report);
    report.inputs++;
    if (report.inputs % memoryEvery === 0) {
      globalThis.gc?.();
      report.memory.push(process.memoryUsage.rss() / 2 ** 20);
    }
  }
  await verifier.close();
  return report;
}

/** The tasks of one input, one after the other. */
async function one(
  verifier: Verifier,
  input: FuzzInput,
  number: number,
  report: FuzzReport,
): Promise<void> {
  const { what, gold, answer, response } = input;
  const timed = async <T>(task: () => Promise<T>): Promise<T | undefined> => {
    // The clock of a task starts when a thread takes it: first wait until one is there again.
    await verifier.compare('1', '1');
    const started = performance.now();
    try {
      return await task();
    } catch (error) {
      report.faults.push(`${number} ${what}: ${String(error).slice(0, 200)}`);
      return undefined;
    } finally {
      report.took.push({ ms: performance.now() - started, what, number });
    }
  };
  const verdicts = [
    (await timed(() => verifier.verify(gold, [response])))?.at(0),
    await timed(() => verifier.compare(gold, answer)),
  ];
  for (const verdict of verdicts) note(verdict, number, report);
  const read = await timed(() => verifier.read(answer));
  if (read == null || oneSided.includes(verifier.name)) return;
  const same = await timed(() => verifier.compare(answer, answer));
  if (same?.verdict === 'wrong') report.faults.push(`${number} ${what}: wrong against itself`);
}

function note(verdict: Verdict | undefined, number: number, report: FuzzReport): void {
  if (verdict === undefined) return;
  const name = `${verdict.verdict} ${verdict.rung}`;
  report.verdicts.set(name, (report.verdicts.get(name) ?? 0) + 1);
  const isWhole =
    ['right', 'wrong', 'undecided'].includes(verdict.verdict) && verdict.reason !== '';
  if (!isWhole) report.faults.push(`${number}: ${JSON.stringify(verdict)}`);
}

/** How much later than its deadline the latest answer came, in milliseconds; below 0 where none was late. */
export function latest({ took }: FuzzReport): number {
  return Math.max(...took.map(({ ms }) => ms)) - defaultBounds.deadlineMs;
}
