// One JavaScript program in a virtual machine of its own: QuickJS, compiled to WebAssembly. It has no way to the host but
// the functions given here, which take and give text. Time, memory, stack and output are bounded.
import { readFileSync } from 'node:fs';
import {
  newQuickJSWASMModule,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSWASMModule,
} from 'quickjs-emscripten';

const prelude = readFileSync(new URL('./prelude.js', import.meta.url), 'utf8');

export interface Limits {
  /** Milliseconds of this thread. */
  ms: number;
  /** Bytes of the program's heap. */
  memory: number;
  /** UTF-16 units of output. */
  output: number;
}

/** What stopped a program. `fault` is an exception that nobody caught, `exit` the program's own end. */
export type Stop =
  | { by: 'time' | 'memory' | 'stack' | 'output' | 'crash' }
  | { by: 'exit'; code: number }
  | { by: 'fault'; fault: string };

/** Bytes of QuickJS's stack: about 11,000 plain calls, as in Node, where the thread's own stack allows it. */
const stackBytes = 2 * 2 ** 20;
/** A module whose memory has grown beyond this is let go: WebAssembly memory never shrinks. */
const keptBytes = 64 * 2 ** 20;

let shared: QuickJSWASMModule | undefined;

/** Loads the module, unless it is there already. */
export async function loadMachine(): Promise<QuickJSWASMModule> {
  if (shared !== undefined && shared.getWasmMemory().buffer.byteLength > keptBytes) {
    shared = undefined;
  }
  shared ??= await newQuickJSWASMModule();
  return shared;
}

export class Machine {
  private readonly runtime: QuickJSRuntime;
  private readonly vm: QuickJSContext;
  private readonly harness: QuickJSHandle;
  private readonly limits: Limits;
  private readonly end: number;
  private stopped: Stop | undefined;
  private printed = '';
  private broken = false;

  constructor(module: QuickJSWASMModule, stdin: string, limits: Limits) {
    this.limits = limits;
    this.end = performance.now() + limits.ms;
    this.runtime = module.newRuntime();
    this.runtime.setMemoryLimit(limits.memory);
    this.runtime.setMaxStackSize(stackBytes);
    this.runtime.setInterruptHandler(() => this.mustStop());
    this.vm = this.runtime.newContext();
    this.harness = this.begin(stdin);
  }

  /** What the program has printed. */
  get output(): string {
    return this.printed;
  }

  /** Runs a script, and all that it left to do later. */
  run(source: string): Stop | undefined {
    return this.guarded(() => {
      this.value(this.vm.evalCode(source, 'answer.js', { type: 'global' })).dispose();
      this.settle();
    });
  }

  /** Runs tests in the program's scope; they pass where this gives undefined. */
  test(tests: string): Stop | undefined {
    // A function of its own: the tests may declare what the program has declared.
    const wrapped = `((assert, require, console) => { (() => {\n${tests}\n})(); })`;
    return this.guarded(() => {
      using(this.value(this.vm.evalCode(wrapped, 'tests.js', { type: 'global' })), (body) =>
        this.ask('test', body).dispose(),
      );
      this.settle();
    });
  }

  /** The value, in JSON, of a function called with `values`, which is a JSON array. */
  call(name: string, values: string): { value: string } | Stop {
    let value = 'null';
    const stop = this.guarded(() => {
      const found = this.value(this.vm.evalCode(lookup(name), 'tests.js', { type: 'global' }));
      using(found, (act) =>
        using(this.vm.newString(values), (given) =>
          using(this.ask('call', act, given), (result) => {
            value = this.vm.getString(result);
          }),
        ),
      );
    });
    return stop ?? { value };
  }

  /** Frees the machine. After an exception in QuickJS itself its whole module is let go instead. */
  close(): void {
    if (!this.broken) {
      try {
        this.harness.dispose();
        this.vm.dispose();
        this.runtime.dispose();
        return;
      } catch {
        // It holds on to something that we did not free.
      }
    }
    shared = undefined;
  }

  private begin(stdin: string): QuickJSHandle {
    const { vm } = this;
    const write = vm.newFunction('write', (text) => {
      this.print(vm.getString(text));
    });
    const exit = vm.newFunction('exit', (code) => {
      this.stopped ??= { by: 'exit', code: vm.getNumber(code) };
      throw new Error('exit');
    });
    const input = vm.newString(stdin);
    const make = vm.unwrapResult(vm.evalCode(prelude, 'prelude.js', { type: 'global' }));
    const harness = vm.unwrapResult(vm.callFunction(make, vm.undefined, write, exit, input));
    for (const handle of [write, exit, input, make]) handle.dispose();
    return harness;
  }

  private print(text: string): void {
    if (this.printed.length + text.length > this.limits.output) {
      this.stopped ??= { by: 'output' };
      throw new Error('output limit');
    }
    this.printed += text;
  }

  private mustStop(): boolean {
    if (this.stopped === undefined && performance.now() > this.end) this.stopped = { by: 'time' };
    return this.stopped !== undefined;
  }

  /** Calls a function of the harness. */
  private ask(name: string, ...values: QuickJSHandle[]): QuickJSHandle {
    return using(this.vm.getProp(this.harness, name), (act) =>
      this.value(this.vm.callFunction(act, this.vm.undefined, ...values)),
    );
  }

  /** Promises and timers, until none is left. */
  private settle(): void {
    for (let isMore = true; isMore; ) {
      const jobs = this.runtime.executePendingJobs();
      if (jobs.error !== undefined) throw this.faultOf(jobs.error);
      isMore = using(this.ask('tick'), (more) => this.vm.dump(more) === true);
    }
  }

  private value(result: ReturnType<QuickJSContext['evalCode']>): QuickJSHandle {
    if (result.error !== undefined) throw this.faultOf(result.error);
    return result.value;
  }

  private faultOf(error: QuickJSHandle): Fault {
    const { vm } = this;
    const part = (name: string) =>
      using(vm.getProp(error, name), (value) =>
        vm.typeof(value) === 'string' ? vm.getString(value).slice(0, 300) : '',
      );
    try {
      if (vm.typeof(error) !== 'object') return new Fault(String(vm.dump(error)).slice(0, 300));
      const [name, message] = [part('name'), part('message')];
      return new Fault(message === '' ? name || 'an exception' : `${name}: ${message}`);
    } finally {
      error.dispose();
    }
  }

  /** Does `work`; what stopped it, if anything did. */
  private guarded(work: () => void): Stop | undefined {
    try {
      work();
    } catch (error) {
      if (error instanceof Fault) return this.stopped ?? stopOf(error.message);
      // An exception of the host went through QuickJS: its memory cannot be trusted any more.
      this.broken = true;
      return this.stopped ?? { by: error instanceof RangeError ? 'stack' : 'crash' };
    }
    return this.stopped;
  }
}

class Fault extends Error {}

function stopOf(fault: string): Stop {
  if (fault === 'InternalError: out of memory') return { by: 'memory' };
  if (fault === 'InternalError: stack overflow') return { by: 'stack' };
  return { by: 'fault', fault };
}

/** A function of the program by its name: declared, exported, or a method of its class Solution. */
function lookup(name: string): string {
  return `(typeof ${name} === 'function' ? ${name}
    : typeof module === 'object' && typeof module.exports?.${name} === 'function' ? module.exports.${name}
    : typeof Solution === 'function' ? (...values) => new Solution().${name}(...values)
    : (() => { throw new ReferenceError('no function ${name} is defined'); })())`;
}

function using<T>(handle: QuickJSHandle, work: (handle: QuickJSHandle) => T): T {
  try {
    return work(handle);
  } finally {
    if (handle.alive) handle.dispose();
  }
}
