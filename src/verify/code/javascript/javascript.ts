// Runs JavaScript and TypeScript answers against their tests, each case in a fresh virtual machine.
import type { Calls, Case, Tests } from '../gold.ts';
import { difference, type Outcome, quoted, sameOutput, undecided, wrong } from '../outcome.ts';
import type { Runner } from '../runner.ts';
import type { CodeSettings } from '../settings.ts';
import { loadMachine, Machine, type Stop } from './machine.ts';
import { closeRewriter, plainScript } from './plain.ts';

export class JavaScriptRunner implements Runner {
  private readonly settings: CodeSettings;
  /** The last program as a script: one answer has many cases. */
  private last: { program: string; script: Awaited<ReturnType<typeof plainScript>> } | undefined;

  constructor(settings: CodeSettings) {
    this.settings = settings;
  }

  async warm(): Promise<void> {
    await loadMachine();
    if (this.settings.language === 'typescript') await plainScript('', 'typescript');
  }

  async close(): Promise<void> {
    await closeRewriter(this.settings.language);
  }

  async runCase(program: string, { stdin, stdout }: Case): Promise<Outcome> {
    return await this.with(program, stdin, (machine, script) => {
      const stopped = this.stopped(machine.run(script), true);
      if (stopped !== null || sameOutput(machine.output, stdout)) return stopped;
      return wrong('tests', difference(machine.output, stdout));
    });
  }

  async runTests(program: string, { assertions, calls }: Tests): Promise<Outcome> {
    return await this.with(program, '', (machine, script) => {
      const stopped = this.stopped(machine.run(script), false);
      if (stopped !== null) return stopped;
      if (calls !== undefined) return this.called(machine, calls);
      return this.stopped(machine.test(assertions), false);
    });
  }

  private called(machine: Machine, { function: name, inputs, outputs }: Calls): Outcome {
    for (const [index, input] of inputs.entries()) {
      const values = typeof input === 'string' ? jsonLines(input) : input;
      const output = outputs[index];
      const wanted =
        typeof input === 'string' && typeof output === 'string' ? json(output) : output;
      if (values === undefined || wanted === undefined) {
        return undecided('gold', `call ${index + 1} of the tests is not JSON`);
      }
      const given = JSON.stringify(values).slice(1, -1);
      const result = machine.call(name, JSON.stringify(values));
      const where = ` in ${name}(${given.slice(0, 100)})`;
      if ('by' in result) return this.stopped(result, false, where);
      // APPS puts the result of a call into a list.
      const accepted =
        Array.isArray(wanted) && wanted.length === 1 ? [wanted, wanted[0]] : [wanted];
      const value = json(result.value);
      if (accepted.some((other) => sameJson(value, other))) continue;
      const reason = `${name}(${given.slice(0, 100)}) fails: got ${quoted(result.value)}`;
      return wrong('tests', `${reason}, wanted ${quoted(JSON.stringify(wanted))}`);
    }
    return null;
  }

  private async with(
    program: string,
    stdin: string,
    work: (machine: Machine, script: string) => Outcome,
  ): Promise<Outcome> {
    const { language, cpuSeconds, wallMs, memoryMb, outputKb } = this.settings;
    if (this.last?.program !== program) {
      this.last = { program, script: await plainScript(program, language) };
    }
    const plain = this.last.script;
    if ('problem' in plain) return wrong('tests', plain.problem);
    const machine = new Machine(await loadMachine(), stdin, {
      ms: Math.min(cpuSeconds * 1000, wallMs),
      memory: memoryMb * 2 ** 20,
      output: outputKb * 1024,
    });
    try {
      return work(machine, plain.script);
    } finally {
      machine.close();
    }
  }

  /** The verdict where the run was stopped; null where it came to its end, or `mayExit` and it left without a fault. */
  private stopped(stop: Stop | undefined, mayExit: boolean, where = ''): Outcome {
    const { cpuSeconds, wallMs, memoryMb, outputKb } = this.settings;
    switch (stop?.by) {
      case undefined:
        return null;
      case 'time':
        return cpuSeconds * 1000 <= wallMs
          ? wrong('cpu', `used more than ${cpuSeconds} s of processor time${where}`)
          : wrong('wall', `ran for more than ${wallMs / 1000} s${where}`);
      case 'memory':
        return wrong('memory', `used more than ${memoryMb} MiB of memory${where}`);
      case 'stack':
        return wrong('memory', `nested its calls too deep${where}`);
      case 'output':
        return wrong('output', `printed more than ${outputKb} KiB${where}`);
      case 'crash':
        return wrong('sandbox', `broke its virtual machine${where}`);
      case 'exit':
        if (stop.code === 0 && mayExit) return null;
        return wrong(
          'tests',
          `ended with status ${stop.code}${mayExit ? '' : ' before its tests were over'}`,
        );
      case 'fault':
        return wrong('tests', `failed${where} with ${stop.fault}`);
    }
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** One JSON value a line. */
function jsonLines(text: string): unknown[] | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const values = lines.map(json);
  return values.includes(undefined) ? undefined : values;
}

/** Equality of JSON values; the order of keys does not count. */
function sameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) {
    return false;
  }
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const entries = Object.entries(one);
  const others = new Map(Object.entries(other));
  if (entries.length !== others.size) return false;
  return entries.every(([key, value]) => others.has(key) && sameJson(value, others.get(key)));
}
