// A verifier that is a program of its own, in any language: JSON lines on its input and output. The protocol is described
// in docs/guide/custom-verifiers.md.
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import type { Judge, Verdict } from '../types.ts';
import {
  type Checker,
  CustomJudge,
  type Frame,
  failure,
  verdictOf,
  verdictSchema,
} from './custom-judge.ts';
import { LineProcess } from './line-process.ts';

export interface CommandSettings {
  /** The program and its arguments; no shell reads them. */
  command: readonly string[];
  /** Where it runs. Default the current directory. */
  cwd?: string;
}

/**
 * One process per judge, started by `warm` or the first comparison. One that ends or breaks the protocol is replaced,
 * and the comparison that broke it is `undecided`. One that hangs is ended by `close`: the deadline is the pool's.
 * UserError without a program, and from `warm` where the process does not answer.
 */
export function commandJudge(settings: CommandSettings, frame: Frame): Judge {
  if (settings.command.length === 0 || settings.command[0] === '') {
    throw new UserError({ wanted: 'a program', found: 'none', where: 'verify.command' });
  }
  return new CustomJudge(new CommandChecker(settings), frame);
}

const replySchema = verdictSchema.extend({ id: z.number() });

/** Asked before anything else, so that what is slow to load is loaded; the verdict does not matter. */
const trial = { gold: '1', response: '1', bare: true };

class CommandChecker implements Checker {
  readonly name: string;
  private readonly settings: CommandSettings;
  private current: LineProcess | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  private nextId = 0;
  private isClosed = false;

  constructor(settings: CommandSettings) {
    this.settings = settings;
    this.name = `command ${settings.command.join(' ')}`;
  }

  /** One after the other: a process that answers out of turn is not to be trusted with whose answer it is. */
  check(gold: string, response: string, bare: boolean): Promise<Verdict> {
    const verdict = this.turn.then(() => this.checkNow(gold, response, bare));
    this.turn = verdict.catch(() => {});
    return verdict;
  }

  async warm(): Promise<void> {
    try {
      await this.ready();
    } catch (error) {
      throw new UserError(
        {
          wanted: 'a program that answers every line of JSON with one',
          found: error instanceof Error ? error.message : String(error),
          where: this.settings.command.join(' '),
          fix: 'The protocol is in docs/guide/custom-verifiers.md; messages belong on stderr.',
        },
        { cause: error },
      );
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.current?.end();
  }

  private async checkNow(gold: string, response: string, bare: boolean): Promise<Verdict> {
    const process = await this.ready();
    try {
      return await this.exchange(process, { gold, response, bare });
    } catch (error) {
      await process.end();
      // Whoever broke the process waits for the next one, not whoever comes then.
      await this.ready().catch(() => {});
      return failure(error);
    }
  }

  /** A process that has shown that it answers. */
  private async ready(): Promise<LineProcess> {
    if (this.isClosed) throw new Error('it was closed');
    if (this.current?.isAlive) return this.current;
    const process = new LineProcess(this.settings.command, this.settings.cwd);
    this.current = process;
    try {
      await this.exchange(process, trial);
    } catch (error) {
      await process.end();
      throw error;
    }
    return process;
  }

  private async exchange(process: LineProcess, question: typeof trial): Promise<Verdict> {
    const id = this.nextId++;
    const line = await process.ask(oneLine({ id, ...question }));
    const reply = replySchema.safeParse(parsed(line));
    if (!reply.success) throw new Error(`it wrote ${line.slice(0, 100)}, which is no verdict`);
    if (reply.data.id !== id) throw new Error(`it answered ${reply.data.id}, asked was ${id}`);
    const { verdict, reason } = reply.data;
    return verdictOf({ verdict, reason });
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** JSON on one line for every reader of lines: some take U+2028 and U+2029 for line ends, as Node's does from 22 on. */
function oneLine(value: unknown): string {
  return JSON.stringify(value).replace(/[\u2028\u2029]/g, (char) =>
    char === '\u2028' ? '\\u2028' : '\\u2029',
  );
}
