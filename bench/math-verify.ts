// Python's math-verify in an environment of its own, made once under node_modules/.cache. Only benches use it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { VerifierSpec } from '../src/verify/spec.ts';

const packages = [
  'math-verify==0.9.0',
  'latex2sympy2_extended==1.11.0',
  'sympy==1.14.0',
  'antlr4-python3-runtime==4.13.2',
];

const folder = fileURLToPath(
  new URL('../node_modules/.cache/pivottrace/math-verify', import.meta.url),
);
const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
const adapter = fileURLToPath(
  new URL('../src/verify/custom/adapters/math-verify.py', import.meta.url),
);

/** Seconds that math-verify may take to read one side, or to compare. */
const stepSeconds = 2;

/** The verifier that asks math-verify, or why there is none. Installs it from the network at the first call. */
export function mathVerifySpec(): VerifierSpec | { problem: string } {
  const problem = installed() ? undefined : install();
  if (problem !== undefined) return { problem };
  return {
    kind: 'command',
    command: [python, adapter, '--timeout', String(stepSeconds)],
    bounds: { deadlineMs: 4 * stepSeconds * 1000 },
  };
}

function installed(): boolean {
  if (!existsSync(python)) return false;
  const check = 'from importlib.metadata import version; print(version("math-verify"))';
  const { status, stdout } = spawnSync(python, ['-c', check], { encoding: 'utf8' });
  return status === 0 && packages[0] === `math-verify==${stdout.trim()}`;
}

function install(): string | undefined {
  console.log(`installing ${packages[0]} into ${folder}`);
  const made = spawnSync('python3', ['-m', 'venv', folder], { encoding: 'utf8' });
  if (made.error !== undefined) return `there is no python3 (${made.error.message})`;
  if (made.status !== 0) return `python3 -m venv failed: ${ending(made.stderr || made.stdout)}`;
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages];
  const filled = spawnSync(python, pip, { encoding: 'utf8', timeout: 600_000 });
  return filled.status === 0 ? undefined : `pip install failed: ${ending(filled.stderr)}`;
}

function ending(text: string): string {
  return text.trim().split('\n').slice(-3).join(' / ').slice(-400);
}
