// Runs Python answers against their tests. The program is confined by the launcher; what it prints and what its functions
// give is compared here, where it cannot reach.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Case, Tests } from '../gold.ts';
import { difference, type Outcome, quoted, sameOutput, undecided, wrong } from '../outcome.ts';
import type { Runner } from '../runner.ts';
import type { CodeSettings } from '../settings.ts';
import { startLauncher } from './interpreter.ts';
import type { Ended, Launcher, Run } from './launcher.ts';

const split = z.array(
  z
    .object({ text: z.string(), accept: z.array(z.string()).optional() })
    .catchall(z.union([z.string(), z.array(z.string())])),
);

type Step = z.infer<typeof split>[number];

const outcomeLine = z.tuple([
  z.string(),
  z.object({
    value: z.string().optional(),
    shown: z.string().optional(),
    fault: z.string().optional(),
  }),
]);

/** For the tests of a prompt, which are the user's own. */
const splitLimits = { cpu: 10, wall: 20, memory: 2 ** 30, output: 2 ** 26 };

export class PythonRunner implements Runner {
  private readonly settings: CodeSettings;
  private launcher: Launcher | undefined;
  /** The steps of the last gold: a group of answers shares it. */
  private last: { tests: Tests; steps: Step[] } | undefined;

  constructor(settings: CodeSettings) {
    this.settings = settings;
  }

  async warm(): Promise<void> {
    this.launcher ??= await startLauncher(this.settings.python);
  }

  async close(): Promise<void> {
    await this.launcher?.close();
    this.launcher = undefined;
  }

  async runCase(program: string, { stdin, stdout }: Case): Promise<Outcome> {
    const ended = await this.run({ program, stdin });
    const stopped = this.stopped(ended);
    if (stopped !== null) return stopped;
    return sameOutput(ended.out, stdout) ? null : wrong('tests', difference(ended.out, stdout));
  }

  async runTests(program: string, tests: Tests): Promise<Outcome> {
    const steps = await this.stepsOf(tests);
    if (!Array.isArray(steps)) return steps;
    const token = randomBytes(16).toString('hex');
    // What is accepted stays here: the process of the program could read it.
    const asked = steps.map(({ accept: _, text: __, ...step }) => step);
    const ended = await this.run({ program, stdin: '' }, { token, steps: asked });
    if (ended.refused !== undefined) return this.stopped(ended);
    const answers = answersIn(ended.channel, token);
    for (const [index, step] of steps.entries()) {
      const answer = answers[index];
      if (answer === undefined) {
        return this.stopped(ended) ?? wrong('tests', `ended before ${step.text} was tested`);
      }
      const failed = this.judged(step, answer);
      if (failed !== null) return failed;
    }
    return null;
  }

  private judged({ text, accept }: Step, answer: z.infer<typeof outcomeLine>[1]): Outcome {
    const { value, shown = '', fault } = answer;
    if (fault !== undefined) return this.faulty(fault, ` in ${text}`);
    if (accept === undefined || (value !== undefined && accept.includes(value))) return null;
    return wrong('tests', `${text} fails: got ${quoted(shown)}`);
  }

  private async stepsOf(tests: Tests): Promise<Step[] | Outcome> {
    if (this.last?.tests === tests) return this.last.steps;
    const { assertions, entry, calls } = tests;
    const request =
      calls === undefined ? { assertions, entry } : { function: calls.function, gold: calls.gold };
    const ended = await this.run({ program: '', stdin: JSON.stringify(request), split: true });
    const read = ended.code === 0 ? split.safeParse(JSON.parse(ended.out)) : undefined;
    if (read?.success !== true) {
      const why = lastLine(ended.err) || 'no reason given';
      return undecided('gold', `the tests of this prompt cannot be read: ${why}`);
    }
    this.last = { tests, steps: read.data };
    return read.data;
  }

  private async run(
    what: Pick<Run, 'program' | 'stdin' | 'split'>,
    steps?: Parameters<Launcher['run']>[1],
  ): Promise<Ended> {
    const { cpuSeconds, wallMs, memoryMb, outputKb } = this.settings;
    await this.warm();
    const limits = what.split
      ? splitLimits
      : {
          cpu: Math.ceil(cpuSeconds),
          wall: wallMs / 1000,
          memory: Math.ceil(memoryMb * 2 ** 20),
          output: Math.ceil(outputKb * 1024),
        };
    try {
      if (this.launcher === undefined) throw new Error('no launcher');
      return await this.launcher.run({ ...what, ...limits }, steps);
    } catch (error) {
      // The next run gets a new one.
      this.launcher = undefined;
      throw error;
    }
  }

  /** The verdict where the run was stopped or failed; null where it came to its end. */
  private stopped(ended: Ended): Outcome {
    const { cpuSeconds, wallMs, outputKb } = this.settings;
    if (ended.refused !== undefined) {
      return undecided('sandbox', `the sandbox could not be set up: ${ended.refused}`);
    }
    if (ended.limit === 'output') return wrong('output', `printed more than ${outputKb} KiB`);
    if (ended.limit === 'wall') return wrong('wall', `ran for more than ${wallMs / 1000} s`);
    if (ended.limit !== undefined) return undecided('sandbox', 'the run was given up');
    const cpu = Math.ceil(cpuSeconds);
    // SIGXCPU, or SIGKILL where the program ignores that.
    const spent = ended.signal === 24 || (ended.signal === 9 && (ended.cpu ?? 0) >= cpu);
    if (spent) return wrong('cpu', `used more than ${cpu} s of processor time`);
    if (ended.signal !== undefined) return wrong('sandbox', `ended by signal ${ended.signal}`);
    if (ended.code === 0) return null;
    return this.faulty(lastLine(ended.err) || `exit status ${ended.code}`, '');
  }

  private faulty(fault: string, where: string): Outcome {
    const name = fault.split(':', 1)[0] ?? '';
    if (name.endsWith('MemoryError')) {
      return wrong('memory', `used more than ${this.settings.memoryMb} MiB of memory${where}`);
    }
    const shown = fault.slice(0, 200);
    if (refusals.has(name)) return wrong('sandbox', `was refused by the sandbox${where}: ${shown}`);
    return wrong('tests', `failed${where} with ${shown}`);
  }
}

/** What the interpreter raises where the sandbox refuses something. */
const refusals = new Set(['PermissionError', 'BlockingIOError']);

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.trim().slice(0, 300) ?? '';
}

/** What the harness said of each step, up to the first line that is not its own. */
function answersIn(channel: string, token: string): z.infer<typeof outcomeLine>[1][] {
  const answers: z.infer<typeof outcomeLine>[1][] = [];
  for (const line of channel.split('\n').slice(1)) {
    const read = outcomeLine.safeParse(parsed(line));
    if (!read.success || read.data[0] !== token) break;
    answers.push(read.data[1]);
  }
  return answers;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
