// The judge of answers that are programs: finds the program in a response and runs it against the prompt's tests. Unlike
// other kinds it is not symmetric, since a gold is tests and an answer is a program.
import { UserError } from '../../core/errors.ts';
import { candidates } from '../extract/candidates.ts';
import type { Extraction, Judge, Reading, Verdict } from '../types.ts';
import { readTests, type Tests } from './gold.ts';
import { JavaScriptRunner } from './javascript/javascript.ts';
import { type Outcome, undecided, wrong } from './outcome.ts';
import { PythonRunner } from './python/python.ts';
import type { Runner } from './runner.ts';
import { type CodeSettings, checkSettings } from './settings.ts';

/** UserError where `settings.enabled` is false or a limit is not above 0. */
export function codeJudge(settings: CodeSettings): Judge {
  checkSettings(settings);
  const runner =
    settings.language === 'python' ? new PythonRunner(settings) : new JavaScriptRunner(settings);
  return new CodeJudge(settings, runner);
}

class CodeJudge implements Judge {
  readonly name = 'code';
  private readonly settings: CodeSettings;
  private readonly runner: Runner;
  /** The tests of the last gold: a group of answers shares it. */
  private last: { gold: string; tests: ReturnType<typeof readTests> } | undefined;
  /** One program runs at a time. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(settings: CodeSettings, runner: Runner) {
    this.settings = settings;
    this.runner = runner;
  }

  candidates(response: string): Extraction[] {
    return candidates(response, 'code');
  }

  read(answer: string): Reading | null {
    const lines = answer.replaceAll('\r\n', '\n').split('\n');
    const key = lines
      .map((line) => line.trimEnd())
      .join('\n')
      .trim();
    if (key === '') return null;
    return { key, bucket: 'code', kind: 'program', shown: key.slice(0, 200) };
  }

  /** `gold` is tests; `answer` is a program. */
  compare(gold: string, answer: string): Promise<Verdict> {
    const verdict = this.turn.then(() => this.tested(gold, answer));
    this.turn = verdict;
    return verdict;
  }

  verify(gold: string, response: string): Verdict | Promise<Verdict> {
    const [found] = this.candidates(response);
    if (found !== undefined) return this.compare(gold, found.text);
    return { verdict: 'wrong', reason: 'the response gives no program', rung: 'extract' };
  }

  async warm(): Promise<void> {
    await this.runner.warm();
  }

  async close(): Promise<void> {
    await this.runner.close();
  }

  private async tested(gold: string, program: string): Promise<Verdict> {
    const tests = this.testsOf(gold);
    if ('problem' in tests) return undecided('gold', tests.problem);
    try {
      const failed =
        (await this.casesOf(program, tests)) ?? (await this.testsAfter(program, tests));
      return failed ?? { verdict: 'right', reason: passed(tests), rung: 'tests' };
    } catch (error) {
      const reason = error instanceof UserError ? error.message : `the sandbox failed: ${error}`;
      return undecided('sandbox', reason);
    }
  }

  private testsOf(gold: string): ReturnType<typeof readTests> {
    if (this.last?.gold !== gold) this.last = { gold, tests: readTests(gold) };
    return this.last.tests;
  }

  /** The first case that fails. */
  private async casesOf(program: string, { cases }: Tests): Promise<Outcome> {
    const { totalMs } = this.settings;
    const end = performance.now() + totalMs;
    for (const [index, test] of cases.entries()) {
      const place = cases.length === 1 ? '' : `case ${index + 1} of ${cases.length}: `;
      if (performance.now() > end) {
        return wrong('wall', `${place}no time left of ${totalMs / 1000} s for all cases`);
      }
      const failed = await this.runner.runCase(program, test);
      if (failed !== null) return { ...failed, reason: place + failed.reason };
    }
    return null;
  }

  private async testsAfter(program: string, tests: Tests): Promise<Outcome> {
    if (tests.assertions.trim() === '' && tests.calls === undefined) return null;
    return await this.runner.runTests(program, tests);
  }
}

function passed({ cases, assertions, calls }: Tests): string {
  const parts: string[] = [];
  if (cases.length > 0) parts.push(cases.length === 1 ? 'the case' : `all ${cases.length} cases`);
  if (assertions.trim() !== '') parts.push('the assertions');
  if (calls !== undefined) parts.push(`all ${calls.inputs.length} calls`);
  return `passed ${parts.join(' and ')}`;
}
