/**
 * The store and triage on a pool of a million prompts, on a workspace's own database and on a PostgreSQL server.
 *
 *   npm run bench:scale [-- --prompts=1000000 --only=pglite|postgres --probes=0.002]
 *
 * Each step is a process of its own, for its peak of memory (VmHWM): prompts are read in from JSONL, then scores that were
 * made elsewhere (`triage --scores`), then the responses and answers of the probes. `triage` is what `pivottrace
 * triage` does from an opened store to the written manifest: it reads ids and scores, ranks, draws the probes, buys their
 * labels, verifies their responses, calibrates, makes the plan, writes plan, transitions and routes in one transaction,
 * and the manifest with all of them. `map` is what the dashboard asks for, `report` writes the report.
 * The memory of a PostgreSQL server is not in the figures, that of PGlite is: it is part of the process.
 *
 * Goal for a million prompts: triage under 60 s and 2 GB on either. Exit code 1 where it is not met. The last line is one
 * JSON object.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { startPostgres } from '../src/store/testing/postgres.ts';
import { writePool } from './scale/pool.ts';

const { values: options } = parseArgs({
  options: {
    prompts: { type: 'string', default: '1000000' },
    only: { type: 'string' },
    probes: { type: 'string', default: '0.002' },
    steps: { type: 'string', default: 'import,scores,probes,triage,map,report' },
  },
});

const mostSeconds = 60;
const mostMb = 2000;

interface StepResult extends Record<string, unknown> {
  seconds: number;
  cpu_seconds: number;
  peak_mb: number;
}

const folder = mkdtempSync(join(tmpdir(), 'pivottrace-scale-'));
const files = join(folder, 'files');

async function run(step: string, target: string, workspace: string): Promise<StepResult> {
  const script = join(import.meta.dirname, 'scale', 'step.ts');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', script, step, target, workspace, options.prompts, options.probes],
    { maxBuffer: 2 ** 26, cwd: join(import.meta.dirname, '..') },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

async function measure(engine: string, database?: string): Promise<Record<string, StepResult>> {
  const workspace = join(folder, engine);
  cpSync(files, workspace, { recursive: true });
  const results: Record<string, StepResult> = {};
  console.log(`${engine}, ${options.prompts} prompts`);
  for (const step of options.steps.split(',')) {
    const result = await run(step, database ?? workspace, workspace);
    results[step] = result;
    const { seconds, cpu_seconds, peak_mb, opening_seconds: _, ...found } = result;
    console.log(
      `  ${step.padEnd(8)} ${seconds.toFixed(1).padStart(7)} s  cpu ${cpu_seconds.toFixed(1).padStart(6)} s  peak ${peak_mb.toFixed(0).padStart(5)} MB  ${JSON.stringify(found)}`,
    );
  }
  rmSync(workspace, { recursive: true, force: true });
  return results;
}

const results: Record<string, Record<string, StepResult>> = {};
try {
  mkdirSync(files);
  writePool(Number(options.prompts), join(files, 'pool.jsonl'), join(files, 'scores.jsonl'));
  if (options.only !== 'postgres') results.pglite = await measure('pglite');
  if (options.only !== 'pglite') {
    const server = await startPostgres('on');
    try {
      results.postgres = await measure('postgres', server.url);
    } finally {
      await server.stop();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const missed = Object.entries(results).filter(
  ([, { triage }]) => triage && (triage.seconds > mostSeconds || triage.peak_mb > mostMb),
);
for (const [engine] of missed) {
  console.log(`GOAL MISSED on ${engine}: triage under ${mostSeconds} s and ${mostMb} MB`);
}
process.exitCode = missed.length > 0 ? 1 : 0;
console.log(JSON.stringify({ prompts: Number(options.prompts), ...results }));
