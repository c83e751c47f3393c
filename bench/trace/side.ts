/** One side of bench:trace as a child process of its own. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { UserError } from '../../src/core/errors.ts';
import { interpreter } from '../../test/python/driver.ts';
import { type Answer, answerSchema, type Job, type Setup } from './job.ts';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export class Side {
  readonly name: string;
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly lines: AsyncIterator<string>;
  private complaints = '';

  private constructor(name: string, program: string, words: readonly string[]) {
    this.name = name;
    this.child = spawn(program, words, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, HF_HUB_OFFLINE: '1' },
    });
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.complaints = (this.complaints + chunk.toString()).slice(-2000);
    });
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** Our engine, loaded and warmed up. */
  static async ours(setup: Setup): Promise<Side> {
    const words = ['--expose-gc', '--import', 'tsx', path('ours.ts'), JSON.stringify(setup)];
    return await new Side('ours', process.execPath, words).loaded();
  }

  /** transformers, loaded and warmed up. */
  static async rival(setup: Setup): Promise<Side> {
    const words = [path('rival.py'), JSON.stringify(setup)];
    return await new Side('transformers', interpreter(), words).loaded();
  }

  async trace(job: Job): Promise<Answer> {
    this.child.stdin.write(`${JSON.stringify(job)}\n`);
    return answerSchema.parse(await this.line());
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.stdin.end();
    await ended;
  }

  private async loaded(): Promise<Side> {
    z.object({ loaded: z.number() }).parse(await this.line());
    return this;
  }

  private async line(): Promise<unknown> {
    const next = await this.lines.next();
    if (next.done === true) {
      throw new UserError({
        wanted: `an answer of the side "${this.name}"`,
        found: this.complaints.trim().split('\n').slice(-4).join('\n') || 'its end',
        fix: 'The rival needs the packages in test/python/requirements-transformers.txt; PIVOTTRACE_PYTHON names the interpreter.',
      });
    }
    return JSON.parse(next.value);
  }
}
