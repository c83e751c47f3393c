// Which Python interpreter a name stands for, and whether programs can be confined with it on this machine.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { UserError } from '../../../core/errors.ts';
import { Launcher } from './launcher.ts';

const ask = promisify(execFile);
const startMs = 30_000;

/** The interpreter's own path: `python3` may be a script that needs the environment to find it. */
async function interpreterPath(python: string): Promise<string> {
  try {
    const question = 'import sys; assert sys.version_info >= (3, 9); print(sys.executable)';
    const { stdout } = await ask(python, ['-I', '-c', question], { timeout: startMs });
    return stdout.trim();
  } catch (error) {
    throw new UserError(
      {
        wanted: 'a Python interpreter, 3.9 or later',
        found: `${python}, which is older or does not answer`,
        where: 'verify.code.python',
        fix: 'Install Python, or set verify.code.python to the path of an interpreter.',
      },
      { cause: error },
    );
  }
}

/**
 * A launcher that confines programs. UserError where there is no interpreter, or where the machine does not grant what
 * keeps a program from the files and the network.
 */
export async function startLauncher(python: string): Promise<Launcher> {
  if (process.platform !== 'linux') {
    throw unconfined(`${process.platform}, where Python programs cannot be confined`, linuxFix);
  }
  const launcher = await started(await interpreterPath(python));
  if (launcher.survey.mode !== null) return launcher;
  await launcher.close();
  const { refused } = launcher.survey;
  const reasons = Object.entries(refused).map(([mode, reason]) => `${mode}: ${reason}`);
  throw unconfined(`no way to confine it here (${reasons.join('; ')})`, containerFix);
}

async function started(path: string): Promise<Launcher> {
  try {
    return await Launcher.start([path], startMs);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw unconfined(`a sandbox that does not start (${message.slice(-500)})`, containerFix);
  }
}

const linuxFix = 'Run Python answers on Linux, or check JavaScript answers, which run anywhere.';
const containerFix =
  'Allow user namespaces, or run as root, or use Linux 6.2 or later with Landlock: see ' +
  'docs/guide/code-answers.md.';

function unconfined(found: string, fix: string): UserError {
  return new UserError({
    wanted: 'a sandbox that keeps Python programs from the files and the network',
    found,
    where: 'verify.code.language: python',
    fix,
  });
}

/** What holds on this machine for Python answers. */
export interface SandboxReport {
  /** Whether Python answers can be run at all. */
  available: boolean;
  /** Why not, with what to do; or how programs are confined. */
  summary: string;
  /** The protections that a self-test has just found to hold, each in words. */
  holds: string[];
}

/** Starts the sandbox, lets it test itself and ends it. Never throws; takes about 0.2 s. */
export async function sandboxReport(python: string): Promise<SandboxReport> {
  try {
    const launcher = await startLauncher(python);
    await launcher.close();
    const { mode, root, python: version } = launcher.survey;
    const user = root ? 'user 65534' : 'the same user';
    const summary = `Python ${version}, confined by ${mode === 'namespaces' ? 'namespaces' : 'Landlock'}, as ${user}`;
    return { available: true, summary, holds: protections(mode === 'namespaces', root) };
  } catch (error) {
    const summary = error instanceof Error ? error.message : String(error);
    return { available: false, summary, holds: [] };
  }
}

function protections(namespaces: boolean, root: boolean): string[] {
  const own = namespaces
    ? [
        'the file system is the Python library, read-only, and one empty folder of 32 MiB',
        'own process, network, IPC and host-name namespaces',
      ]
    : [
        'no file can be opened but those of the Python and system libraries',
        'nothing can be written',
      ];
  const everywhere = [
    'no sockets, no new processes or programs, no signals to others (system-call filter)',
    'no capabilities, no way to get one',
    'limits on processor time, wall time, memory, output, threads and open files',
  ];
  return root ? [...own, ...everywhere, 'an unprivileged user'] : [...own, ...everywhere];
}
