// The process that confines Python answers and runs them, seen from here: one line of JSON each way. What the confinement
// is, see sandbox/launcher.py. Knows nothing of tests or verdicts.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const script = fileURLToPath(new URL('./sandbox/launcher.py', import.meta.url));

/** What the launcher found out about this machine. */
const survey = z.object({
  python: z.string(),
  root: z.boolean(),
  landlock: z.number(),
  mode: z.enum(['namespaces', 'landlock']).nullable(),
  refused: z.record(z.string(), z.string()),
});

export type Survey = z.infer<typeof survey>;

const ended = z.object({
  /** Printed, at most the limit and a little more; the error output only at its end. */
  out: z.string(),
  err: z.string(),
  /** Lines from the harness inside the program's process. */
  channel: z.string(),
  /** The limit that ended the run from outside. */
  limit: z.enum(['wall', 'output', 'abandoned']).optional(),
  /** A protection that could not be had: nothing was run. */
  refused: z.string().optional(),
  /** Processor seconds. */
  cpu: z.number().optional(),
  code: z.number().optional(),
  signal: z.number().optional(),
});

/** How a run ended. */
export type Ended = z.infer<typeof ended>;

const loaded = z.object({ loaded: z.literal(true) });

export interface Run {
  program: string;
  stdin: string;
  /** Bytes of address space. */
  memory: number;
  /** Whole processor seconds. */
  cpu: number;
  /** Wall-clock seconds. */
  wall: number;
  /** Bytes of output, and of error output. */
  output: number;
  /** Instead of a program: take apart the tests in `stdin`. */
  split?: boolean;
}

/** Sent to the process of a program that is loaded. `token` comes back with every answer. */
export interface Steps {
  token: string;
  steps: readonly unknown[];
}

export class Launcher {
  readonly survey: Survey;
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private readonly complaints: () => string;

  private constructor(
    found: Survey,
    child: ChildProcessWithoutNullStreams,
    lines: AsyncIterator<string>,
    complaints: () => string,
  ) {
    this.survey = found;
    this.child = child;
    this.lines = lines;
    this.complaints = complaints;
  }

  /**
   * Starts it with the interpreter at the head of `command`, in an empty environment. Throws where it does not start
   * within `ms` milliseconds.
   */
  static async start(command: readonly string[], ms: number): Promise<Launcher> {
    const [file = '', ...before] = command;
    const child = spawn(file, [...before, '-s', '-B', '-X', 'utf8', script], {
      // A fixed hash seed: a program that prints a set prints the same in every run.
      env: { PYTHONHASHSEED: '0' },
      cwd: '/',
      stdio: 'pipe',
      detached: true,
    });
    // An idle launcher does not keep this process alive, and ends with it.
    child.unref();
    for (const stream of [child.stdin, child.stdout, child.stderr]) {
      if (stream instanceof Socket) stream.unref();
    }
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (data: string) => {
      said = (said + data).slice(-2000);
    });
    child.stdin.on('error', () => {});
    child.on('error', (error) => {
      said = String(error.message);
      child.stdout.destroy();
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    try {
      const first = await within(ms, lines.next());
      if (first?.done !== false) throw new Error(said.trim() || 'it ended or hung at its start');
      return new Launcher(survey.parse(JSON.parse(first.value)), child, lines, () => said);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  /** Runs one program, and then `steps` in it where there are any. Throws where the launcher itself fails. */
  async run(request: Run, steps?: Steps): Promise<Ended> {
    // What it takes to set up and to clear away comes on top of the program's own time.
    const late = performance.now() + request.wall * 1000 + 5000;
    this.send({ ...request, tested: steps !== undefined });
    for (;;) {
      const next = await within(late - performance.now(), this.lines.next());
      if (next?.done !== false) {
        this.child.kill('SIGKILL');
        throw new Error(`the Python launcher ended or hung. ${this.complaints().trim()}`);
      }
      const value: unknown = JSON.parse(next.value);
      if (steps !== undefined && loaded.safeParse(value).success) this.send(steps);
      else return ended.parse(value);
    }
  }

  /** Ends it, with all that it runs. */
  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.ref();
    this.child.stdin.end();
    if ((await within(2000, gone)) === undefined) this.child.kill('SIGKILL');
  }

  private send(value: unknown): void {
    this.child.stdin.write(`${JSON.stringify(value)}\n`);
  }
}

/** What `promise` gives, or undefined after `ms` milliseconds. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, ms));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
