/**
 * Checks src/export against the trainers' own packages: they read our data with their own classes, their loaders call our
 * rewards, and TRL trains two steps on the CPU with the bundled model.
 *
 *   tsx test/trainers/check.ts [trl] [verl] [openrlhf]      a line per trainer; all of them where none is named
 *
 * Needs Python with the packages of test/python/requirements-TRAINER.txt; PIVOTTRACE_PYTHON names it, else python3.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { UserError } from '../../src/core/errors.ts';
import { exportRun } from '../../src/export/export.ts';
import type { Votes } from '../../src/export/types.ts';
import { couldNotBegin, interpreter, runCheck, runScript } from '../python/driver.ts';
import { jobFor } from './job.ts';

const checked = ['trl', 'verl', 'openrlhf'] as const;
type Checked = (typeof checked)[number];

const model = fileURLToPath(new URL('../../models/reasoner', import.meta.url));

const reply = z.object({
  versions: z.record(z.string(), z.string()),
  checked: z.array(z.string()),
});

/** Exports as each way of voting has it and has the trainer's packages look at them. Returns the last line of the script. */
function check(trainer: Checked, folder: string): z.infer<typeof reply> {
  const ways: Votes[] = trainer === 'openrlhf' ? ['frozen'] : ['frozen', 'live'];
  const folders = ways.map((votes) => {
    // Quotes and blanks in the path must do no harm either.
    const path = join(folder, `it has blanks`, `${trainer}-${votes}`);
    return exportRun({ ...jobFor(trainer, votes, model), path }).path;
  });
  const offline = { HF_HUB_OFFLINE: '1', HF_HOME: join(folder, 'home') };
  const env = { ...process.env, ...offline, PYTHON: interpreter() };
  const script = new URL(`check_${trainer}.py`, import.meta.url);
  const run = runScript(script, [model, ...folders], { env });
  if (couldNotBegin(run)) {
    throw new UserError({
      wanted: `Python with the packages of test/python/requirements-${trainer}.txt`,
      found: run.error?.message ?? run.stderr.trim().slice(-300),
      fix: `npm run nightly -- ${trainer} makes an environment with them; PIVOTTRACE_PYTHON names another.`,
    });
  }
  if (run.status !== 0)
    throw new Error(
      `check_${trainer}.py failed:\n${run.stdout.slice(-2000)}\n${run.stderr.slice(-4000)}`,
    );
  return reply.parse(JSON.parse(run.stdout.trimEnd().split('\n').at(-1) ?? ''));
}

function main(names: readonly string[]): void {
  const wanted = names.length === 0 ? checked : checked.filter((name) => names.includes(name));
  const unknown = names.filter((name) => !checked.some((one) => one === name));
  if (unknown.length > 0) {
    throw new UserError({ wanted: checked.join(', '), found: unknown.join(', ') });
  }
  const folder = mkdtempSync(join(tmpdir(), 'pivottrace-trainers-'));
  try {
    for (const trainer of wanted) {
      const { versions, checked: points } = check(trainer, folder);
      const with_ = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
      console.log(`${trainer.padEnd(10)}ok (${with_.join(', ')}): ${points.join('; ')}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await runCheck(() => main(process.argv.slice(2)));
