/**
 * Runs a command and ends it when the program that wanted it is gone.
 *
 * A thread that is terminated, and a program that is killed, cannot end their children, and a child that hangs does not
 * see its input end. So this little process stands between: the command has the program's pipes as its own (nothing is
 * copied here), and when descriptor 3, which the program holds open, is closed, the command and all that it has started
 * are killed. Plain JavaScript, so that it starts without a loader.
 */
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

/** What a command is left to end by itself when its input ends, in milliseconds. */
const graceMs = 200;

const hasGroups = process.platform !== 'win32';
const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: 'inherit', detached: hasGroups });

function kill() {
  try {
    if (hasGroups && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    else child.kill('SIGKILL');
  } catch {
    // Nothing is left to kill.
  }
}

child.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(127);
});
child.on('exit', (code, signal) => {
  // What the command started and left behind goes with it.
  kill();
  if (signal !== null) process.stderr.write(`ended by ${signal}\n`);
  process.exit(code ?? 1);
});

const lifeline = new Socket({ fd: 3 });
const end = () => setTimeout(kill, graceMs);
lifeline.on('close', end).on('error', end).resume();

// Ctrl-C goes to the program, which closes the lifeline when it is done.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
process.on('SIGTERM', kill);
