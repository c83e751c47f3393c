/** What a judge may do to its thread, and what that costs: its own deadline and nothing else. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../core/errors.ts';
import { type OpenSettings, openPooled } from '../open.ts';
import type { HostileSpec } from '../testing/hostile.ts';
import type { Verdict, Verifier } from '../types.ts';

const module = new URL('../testing/hostile.ts', import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), 'pivottrace-pool-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DEADLINE = 250;
const open: Verifier[] = [];
afterEach(async () => {
  for (const verifier of open.splice(0)) await verifier.close();
});

async function hostile(
  spec: Partial<HostileSpec> = {},
  settings: OpenSettings = {},
): Promise<Verifier> {
  const whole: HostileSpec = { kind: 'hostile', bounds: { deadlineMs: DEADLINE }, ...spec };
  const verifier = await openPooled(module, whole, settings);
  open.push(verifier);
  return verifier;
}

const rungOf = ({ rung }: Verdict) => rung;
const is = (rung: string) =>
  rung === 'test' ? { verdict: 'right' } : { verdict: 'undecided', rung };

describe('a task alone', () => {
  let verifier: Verifier;
  beforeAll(async () => {
    verifier = await openPooled(
      module,
      { kind: 'hostile', bounds: { deadlineMs: DEADLINE } },
      { workers: 1 },
    );
  });
  afterAll(() => verifier.close());

  it.each([
    ['hang', 'deadline'],
    ['regex', 'deadline'],
    ['power', 'deadline'],
    ['never', 'deadline'],
    [`busy ${DEADLINE + 5}`, 'deadline'],
    ['dig', 'error'],
    ['throw', 'error'],
    ['throw-odd', 'error'],
    ['reject', 'error'],
    ['nothing', 'error'],
    ['words', 'error'],
    ['function', 'error'],
    ['exit', 'crash'],
    ['throw-later', 'crash'],
    ['extra', 'test'],
    ['later 10', 'test'],
  ])('%s: %s, and the next one is answered', async (command, rung) => {
    const started = performance.now();
    expect(await verifier.compare('', command)).toMatchObject(is(rung));
    // Loose: the machine may be busy. A thread that starts first takes its time before the clock of the task.
    expect(performance.now() - started).toBeLessThan(DEADLINE + 5000);
    expect(await verifier.compare('', 'fine')).toMatchObject(is('test'));
  });

  it('reads, finds and classifies around what hangs', async () => {
    expect(await verifier.read('hang')).toBeNull();
    expect(await verifier.candidates('exit')).toEqual([]);
    expect(await verifier.extract(['a', 'throw', 'b'])).toMatchObject([
      { text: 'a' },
      undefined,
      { text: 'b' },
    ]);
    expect([...(await verifier.classes(['hang', 'a', undefined, 'a']))]).toEqual([-1, 0, -1, 0]);
  });
});

it('replaces a thread that fills its memory, and says so', async () => {
  const verifier = await hostile({ bounds: { deadlineMs: 30_000 } }, { memoryMb: 48 });
  expect(await verifier.compare('', 'fill')).toMatchObject(is('memory'));
  expect(await verifier.compare('', 'fine')).toMatchObject(is('test'));
});

it('blames nobody else: what is queued behind goes on, and answers come in order', async () => {
  const verifier = await hostile();
  const bad = ['hang', 'exit', 'never', 'throw', 'hang'];
  const commands = Array.from({ length: 300 }, (_, i) =>
    i % 60 === 7 ? bad[(i - 7) / 60] : `n${i}`,
  );
  const rungs = (await verifier.verify('', commands)).map(rungOf);
  const wanted = { hang: 'deadline', exit: 'crash', never: 'deadline', throw: 'error' };
  expect(rungs).toEqual(commands.map((one) => wanted[one as keyof typeof wanted] ?? 'test'));
  const long = await verifier.candidates('fine');
  expect(long).toHaveLength(1);
});

it('does not let the others wait for one that hangs', async () => {
  const verifier = await hostile({ bounds: { deadlineMs: 20_000 } });
  const done: string[] = [];
  const all = ['hang', ...Array.from({ length: 20 }, (_, i) => `n${i}`)].map(async (command) => {
    done.push(`${command} ${(await verifier.compare('', command)).rung}`);
  });
  await Promise.all(all.slice(1));
  expect(done).toHaveLength(20);
  // Long before its deadline: closing answers it.
  await verifier.close();
  await Promise.all(all);
  expect(done[20]).toBe('hang closed');
});

it('neither counts the start against a deadline nor loses what waits for it', async () => {
  // Warming up takes longer than this deadline.
  const verifier = await hostile({ bounds: { deadlineMs: 100 } });
  void verifier.compare('', 'hang');
  expect(await verifier.compare('', 'fine')).toMatchObject(is('test'));
});

it('blames no task for a parent that was busy itself', async () => {
  const verifier = await hostile();
  const verdicts = verifier.verify(
    '',
    Array.from({ length: 6 }, () => 'busy 30'),
  );
  await new Promise((resolve) => setTimeout(resolve, 10));
  const until = performance.now() + 3 * DEADLINE;
  while (performance.now() < until);
  expect((await verdicts).map(rungOf)).toEqual(Array.from({ length: 6 }, () => 'test'));
});

it('runs a slow judge in several threads', async () => {
  const log = join(folder, 'several');
  const verifier = await hostile({ log, bounds: { deadlineMs: 5000 } }, { workers: 2 });
  const commands = Array.from({ length: 12 }, () => 'busy 100');
  expect((await verifier.verify('', commands)).map(rungOf)).toEqual(commands.map(() => 'test'));
  expect(readFileSync(log, 'utf8').match(/start/g)).toHaveLength(2);
});

it('keeps lone surrogates and other odd text', async () => {
  const verifier = await hostile();
  for (const text of ['\ud800', '\udc00x\ud800', '\0', '\u202e\ufeff', 'a'.repeat(4096)]) {
    expect((await verifier.read(text))?.key).toBe(text);
    expect((await verifier.extract([text]))[0]?.text).toBe(text);
  }
});

it('reads the end of a response that is too long, with spans in the whole of it', async () => {
  const verifier = await hostile({ bounds: { maxResponseChars: 99, maxAnswerChars: 4 } });
  const [found] = await verifier.candidates(`${'x'.repeat(1000)}end`);
  expect(found).toMatchObject({ start: 903, end: 1003 });
  expect(await verifier.read('12345')).toBeNull();
  expect(await verifier.compare('1', '12345')).toMatchObject(is('bound'));
  expect(await verifier.verify('1'.repeat(100), ['1'])).toMatchObject([is('bound')]);
});

describe('a judge that cannot start', () => {
  it.each([
    ['refuses', 'wanted a judge, found none'],
    ['throws', 'a fault'],
    ['exits', 'code 4'],
  ] as const)('%s: opening tells', async (kind, message) => {
    const opening = hostile({ kind });
    await expect(opening).rejects.toThrow(UserError);
    await expect(hostile({ kind })).rejects.toThrow(message);
  });

  it('has no module', async () => {
    await expect(openPooled('file:///no/such/module.ts', { kind: 'x' })).rejects.toThrow(UserError);
  });
});

it('answers those who wait when no thread can be started any more', async () => {
  const verifier = await hostile({ kind: 'starts once', log: join(folder, 'once') });
  expect(await verifier.compare('', 'exit')).toMatchObject(is('crash'));
  const verdict = await verifier.compare('', 'fine');
  expect(verdict).toMatchObject(is('crash'));
  expect(verdict.reason).toContain('once is enough');
});

it('lets a judge end what it started, on closing and after a promise that is never kept', async () => {
  const log = join(folder, 'closed');
  const verifier = await hostile({ log });
  await verifier.compare('', 'never');
  await expect.poll(() => readFileSync(log, 'utf8')).toMatch(/close/);
  await verifier.close();
  await verifier.close();
  const lines = readFileSync(log, 'utf8').trim().split('\n');
  expect(lines.filter((line) => line === 'close').length).toBeGreaterThan(0);
  await expect(verifier.compare('', 'fine')).rejects.toThrow('closed');
});

it.skipIf(process.platform !== 'linux')('leaves no thread behind', async () => {
  const threads = () => readdirSync('/proc/self/task').length;
  const before = threads();
  const verifier = await hostile();
  await verifier.verify('', ['hang', 'exit', 'a', 'never', 'b', 'throw-later']);
  await verifier.close();
  await expect.poll(threads, { timeout: 5000 }).toBeLessThanOrEqual(before);
});

it('does not keep the process alive when nobody closes it', () => {
  const source = `
    import { openVerifier } from '${new URL('../open.ts', import.meta.url).href}';
    const verifier = await openVerifier({ kind: 'number' });
    const { verdict } = await verifier.compare('1', '1.0');
    console.log(verdict);`;
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const args = ['--import', 'tsx', '--input-type=module', '--eval', source];
  const ended = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 60_000 });
  expect(ended).toMatchObject({ status: 0, stdout: 'right\n' });
});
