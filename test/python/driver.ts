/**
 * What the checks against Python's packages share: which interpreter runs their scripts, how these say that a package
 * is missing, and how a check ends. Knows nothing of what is checked.
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../src/core/errors.ts';

/** How the scripts exit where a package is missing or too old. */
const MISSING = 3;

export interface ScriptOptions {
  /** Standard input; none unless told. */
  input?: string;
  env?: NodeJS.ProcessEnv;
}

/** The interpreter that PIVOTTRACE_PYTHON names, by its path or its name. */
export function interpreter(): string {
  return process.env.PIVOTTRACE_PYTHON ?? 'python3';
}

/** Runs a script to its end, however that is, and keeps what it printed. */
export function runScript(
  script: URL,
  words: readonly string[],
  options: ScriptOptions = {},
): SpawnSyncReturns<string> {
  return spawnSync(interpreter(), [fileURLToPath(script), ...words], {
    ...{ encoding: 'utf8', maxBuffer: 2 ** 28 },
    ...options,
  });
}

/** Whether a script could not begin: there is no interpreter, or it has not the packages. */
export function couldNotBegin({ error, status }: SpawnSyncReturns<string>): boolean {
  return error !== undefined || status === MISSING;
}

/**
 * What a script printed. UserError with `wanted` and `fix` where it could not begin; Error with its complaints where it
 * failed.
 */
export function printedBy(
  script: URL,
  words: readonly string[],
  { wanted, fix }: { wanted: string; fix: string },
  options: ScriptOptions = {},
): string {
  const run = runScript(script, words, options);
  if (couldNotBegin(run)) {
    throw new UserError({ wanted, found: run.error?.message ?? run.stderr.trim(), fix });
  }
  const name = basename(fileURLToPath(script));
  if (run.status !== 0) throw new Error(`${name} failed:\n${run.stderr}`);
  return run.stdout;
}

/** Runs a check; a UserError ends it with its message alone and exit code 1. */
export async function runCheck(main: () => void | Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
