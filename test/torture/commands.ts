/**
 * Runs the command line in a process group of its own, to its end or to a SIGKILL.
 *
 * Knows nothing of what the commands do.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/pivottrace.mjs', import.meta.url));

export interface Ending {
  /** SIGKILL reached the process while it was alive. */
  killed: boolean;
  /** Exit code; null after a signal. */
  code: number | null;
  seconds: number;
  stderr: string;
}

/** Runs `pivottrace <words>` in `cwd`, and kills the whole group after `killAfter` seconds if it still lives. */
export function runCommand(
  words: readonly string[],
  cwd: string,
  killAfter: number | null,
): Promise<Ending> {
  const started = performance.now();
  const child = spawn(process.execPath, [BIN, ...words], {
    cwd,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  };
  const timer = killAfter === null ? undefined : setTimeout(kill, killAfter * 1000);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const seconds = (performance.now() - started) / 1000;
      resolve({ killed: signal === 'SIGKILL', code, seconds, stderr });
    });
  });
}
