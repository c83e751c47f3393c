import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { UserError } from '../core/errors.ts';
import { type Methods, Remote } from './rpc.ts';

const SERVER = `
  import { serve } from '${new URL('./rpc.ts', import.meta.url).href}';
  import { UserError } from '${new URL('../core/errors.ts', import.meta.url).href}';
  let running = 0;
  serve({
    double: async (x: Float32Array) => x.map((v) => 2 * v),
    nothing: async () => undefined,
    count: async (to: number, report: (...n: number[]) => void) => {
      for (let i = 1; i <= to; i++) report(i, 10 * i);
      return to;
    },
    exclusive: async (milliseconds: number) => {
      running += 1;
      await new Promise((done) => setTimeout(done, milliseconds));
      return running--;
    },
    complain: async () => { throw new UserError({ wanted: 'a', found: 'b', where: 'c', fix: 'd.' }); },
    fault: async () => { throw new RangeError('off the end'); },
    closure: async () => () => 1,
    exit: async () => process.exit(7),
    crash: async () => { setImmediate(() => { throw new Error('out of the blue'); }); await new Promise(() => {}); },
    never: async () => new Promise(() => {}),
  });
`;

interface Served extends Methods {
  double(x: Float32Array): Promise<Float32Array>;
  nothing(x: undefined): Promise<undefined>;
  count(to: number): Promise<number>;
  exclusive(milliseconds: number): Promise<number>;
  complain(x: undefined): Promise<never>;
  fault(x: undefined): Promise<never>;
  closure(x: unknown): Promise<never>;
  exit(x: undefined): Promise<never>;
  crash(x: undefined): Promise<never>;
  never(x: undefined): Promise<never>;
}

let folder: string;
const open: Remote<Served>[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-rpc-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
});
afterEach(async () => {
  for (const remote of open.splice(0)) await remote.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(source = SERVER): Remote<Served> {
  const path = join(folder, `server-${source.length}.ts`);
  writeFileSync(path, source);
  const remote = new Remote<Served>(pathToFileURL(path), { some: 'data' });
  open.push(remote);
  return remote;
}

const failure = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no failure',
    (error: unknown) => error,
  );

test('values, reports and errors cross; the thread goes on after an error', async () => {
  const remote = start();
  expect(await remote.call('double', Float32Array.of(1, 2.5))).toEqual(Float32Array.of(2, 5));
  expect(await remote.call('nothing', undefined)).toBeUndefined();
  const heard: number[][] = [];
  expect(await remote.call('count', 3, (...values) => heard.push(values))).toBe(3);
  expect(heard).toEqual([
    [1, 10],
    [2, 20],
    [3, 30],
  ]);

  const complaint = await failure(remote.call('complain', undefined));
  expect(complaint).toBeInstanceOf(UserError);
  expect(complaint).toMatchObject({
    complaint: { wanted: 'a', found: 'b', where: 'c', fix: 'd.' },
    message: 'c: wanted a, found b. d.',
  });
  const fault = await failure(remote.call('fault', undefined));
  expect(fault).not.toBeInstanceOf(UserError);
  expect(fault).toMatchObject({
    message: 'off the end',
    stack: expect.stringContaining('server-'),
  });
  // Neither what cannot be sent back nor what cannot be sent there leaves a call pending.
  expect(await failure(remote.call('closure', undefined))).toMatchObject({
    message: expect.stringContaining('could not be cloned'),
  });
  expect(await failure(remote.call('closure', () => 1))).toMatchObject({ name: 'DataCloneError' });
  expect(await remote.call('count', 1)).toBe(1);
});

test('calls are answered one after the other, in order', async () => {
  const remote = start();
  const order: number[] = [];
  const calls = [30, 1, 10].map(async (milliseconds) => {
    expect(await remote.call('exclusive', milliseconds)).toBe(1);
    order.push(milliseconds);
  });
  await Promise.all(calls);
  expect(order).toEqual([30, 1, 10]);
});

test.each([
  ['exit', 'ended with code 7'],
  ['crash', 'out of the blue'],
] as const)(
  'a thread that dies by %s rejects what is pending and what comes later',
  async (how, said) => {
    const remote = start();
    await remote.call('count', 1);
    const pending = [
      failure(remote.call(how, undefined)),
      failure(remote.call('never', undefined)),
    ];
    for (const error of await Promise.all(pending)) {
      expect(error).toMatchObject({ message: expect.stringContaining(said) });
    }
    await expect(remote.call('count', 1)).rejects.toThrow(said);
  },
);

test('closing rejects what is pending', async () => {
  const remote = start();
  await remote.call('count', 1);
  const pending = failure(remote.call('never', undefined));
  await remote.close();
  expect(await pending).toMatchObject({ message: 'the worker thread was closed' });
  await expect(remote.call('count', 1)).rejects.toThrow('was closed');
});

test('a UserError at the top level of the module reaches the first call as one', async () => {
  const errors = new URL('../core/errors.ts', import.meta.url).href;
  const remote = start(
    `import { UserError } from '${errors}';
     throw new UserError({ wanted: 'a model', found: 'none', where: 'here' }) as Error;`,
  );
  const error = await failure(remote.call('count', 1));
  expect(error).toBeInstanceOf(UserError);
  expect(error).toMatchObject({ complaint: { wanted: 'a model', found: 'none', where: 'here' } });
});
