// A command that answers each line on its input with one line on its output. Never through a shell; it ends with us
// (keeper.mjs). Knows nothing of what the lines say, nor of deadlines: whoever waits calls `end`.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Longest line of output, in UTF-16 units. */
const maxLine = 1_000_000;

/** How much of the end of the error output is kept, in UTF-16 units. */
const keptErrors = 4096;

/** How long the output of a process that has ended is still read, in milliseconds. */
const drainMs = 200;

interface Waiting {
  resolve(line: string): void;
  reject(error: Error): void;
}

export class LineProcess {
  private readonly child: ChildProcess;
  private readonly gone: Promise<void>;
  private waiting: Waiting | undefined;
  private fault: Error | undefined;
  private line = '';
  private errors = '';

  /** `command` is a program and its arguments; a failure to start shows at the first `ask`. */
  constructor(command: readonly string[], cwd?: string) {
    const keeper = fileURLToPath(new URL('./keeper.mjs', import.meta.url));
    // Descriptor 3 is the keeper's lifeline.
    this.child = spawn(process.execPath, [keeper, ...command], {
      cwd,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    const { stdin, stdout, stderr } = this.child;
    stdout?.setEncoding('utf8').on('data', (text: string) => this.hear(text));
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors = `${this.errors}${text}`.slice(-keptErrors);
    });
    // Writing to one that has ended: its end is told by `close`.
    stdin?.on('error', () => {});
    this.child.stdio[3]?.on('error', () => {});
    this.gone = new Promise((resolve) => {
      this.child.on('error', (error) => {
        this.fail(error.message);
        resolve();
      });
      // What it started may have left its group and hold the pipes open.
      this.child.on('exit', () => setTimeout(() => this.release(), drainMs).unref());
      // `close` and not `exit`: only then the error output is whole.
      this.child.on('close', (code) => {
        this.fail(`it ended with code ${code}`);
        resolve();
      });
    });
  }

  /** Whether it can be asked. */
  get isAlive(): boolean {
    return this.fault === undefined;
  }

  /** The line that answers `line`. One at a time. Rejects when the process ends or breaks the protocol. */
  ask(line: string): Promise<string> {
    if (this.fault !== undefined) return Promise.reject(this.fault);
    if (this.waiting !== undefined) return Promise.reject(new Error('asked twice at a time'));
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.child.stdin?.write(`${line}\n`);
    });
  }

  /** Ends its input, and a moment later the process. Resolves when it is gone; whoever waits is rejected. */
  async end(): Promise<void> {
    this.fail('it was ended');
    this.child.stdin?.end();
    this.child.stdio[3]?.destroy();
    await this.gone;
  }

  private hear(text: string): void {
    const [first = '', ...rest] = text.split('\n');
    this.line += first;
    for (const next of rest) {
      this.answer(this.line);
      this.line = next;
    }
    if (this.line.length > maxLine) this.fail(`it wrote a line beyond ${maxLine} characters`);
  }

  private answer(line: string): void {
    const waiting = this.waiting;
    this.waiting = undefined;
    if (waiting === undefined) {
      this.fail(`it wrote a line that nobody asked for: ${line.slice(0, 100)}`);
    } else waiting.resolve(line);
  }

  private release(): void {
    this.child.stdout?.destroy();
    this.child.stderr?.destroy();
  }

  private fail(what: string): void {
    if (this.fault !== undefined) return;
    const errors = this.errors.trim();
    this.fault = new Error(errors === '' ? what : `${what}: ${errors.slice(-300)}`);
    this.waiting?.reject(this.fault);
    this.waiting = undefined;
    this.child.stdio[3]?.destroy();
  }
}
