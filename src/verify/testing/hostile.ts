// A judge that does to its thread whatever the answer says: for tests of what the pool bears.
import { appendFileSync, existsSync } from 'node:fs';
import { UserError } from '../../core/errors.ts';
import type { Bounds, Judge, Reading, Verdict } from '../types.ts';

export interface HostileSpec {
  /** What happens at the start: nothing, or one of these. */
  kind: 'hostile' | 'refuses' | 'throws' | 'exits' | 'starts once';
  bounds?: Partial<Bounds>;
  /** File that gets a line whenever a judge starts, warms up or closes. */
  log?: string;
}

const right: Verdict = { verdict: 'right', reason: 'it came back', rung: 'test' };

/** Milliseconds in a command such as `busy 50`. */
const msIn = (command: string) => Number(command.split(' ')[1]);

function busy(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

function fillMemory(): never {
  const kept: unknown[] = [];
  for (;;) kept.push(Array.from({ length: 1000 }, (_, i) => ({ i })));
}

function dig(depth: number): number {
  return dig(depth + 1) + 1;
}

const deeds: Readonly<Record<string, (command: string) => unknown>> = {
  busy: (command) => busy(msIn(command)),
  hang: () => busy(Number.POSITIVE_INFINITY),
  regex: () => /^(?:a+)+$/.test(`${'a'.repeat(60)}!`),
  power: () => 7n ** (7n ** 9n),
  fill: () => fillMemory(),
  dig: () => dig(0),
  exit: () => process.exit(3),
  throw: () => {
    throw new Error('no good');
  },
  'throw-odd': () => {
    throw Object.create(null);
  },
  'throw-later': () => {
    setImmediate(() => {
      throw new Error('too late');
    });
    return new Promise(() => {});
  },
  never: () => new Promise(() => {}),
  later: (command) =>
    new Promise((resolve) => {
      setTimeout(() => resolve(undefined), msIn(command));
    }),
  reject: () => Promise.reject(new Error('no good')),
};

/** What is no verdict at all. */
const garbage: Readonly<Record<string, unknown>> = {
  nothing: undefined,
  words: { verdict: 'maybe', reason: 'who knows', rung: 'test' },
  function: { verdict: 'right', reason: () => 'a function', rung: 'test' },
  extra: { ...right, extra: () => 'cannot be sent' },
};

function act(command: string): unknown {
  if (command in garbage) return garbage[command];
  const result = deeds[command.split(' ')[0]]?.(command);
  return result instanceof Promise ? result.then(() => right) : right;
}

export async function judgeFor(spec: HostileSpec): Promise<Judge> {
  const log = (what: string) => {
    if (spec.log !== undefined) appendFileSync(spec.log, `${what}\n`);
  };
  const isSecond = spec.log !== undefined && existsSync(spec.log);
  log('start');
  if (spec.kind === 'starts once' && isSecond) throw new Error('once is enough');
  if (spec.kind === 'refuses') throw new UserError({ wanted: 'a judge', found: 'none' });
  if (spec.kind === 'throws') throw new TypeError('a fault');
  if (spec.kind === 'exits') process.exit(4);
  return {
    name: 'hostile',
    candidates: (response) => {
      act(response);
      return [{ text: response, start: 0, end: response.length, mark: 'whole' }];
    },
    read: (answer): Reading => {
      act(answer);
      return { key: answer, bucket: '', kind: 'text', shown: answer };
    },
    compare: (_gold, answer) => act(answer) as Verdict,
    verify: (_gold, response) => act(response) as Verdict,
    // Longer than the deadlines of the tests: warming up must not count.
    warm: async () => {
      busy(300);
      log('warm');
    },
    close: async () => log('close'),
  };
}
