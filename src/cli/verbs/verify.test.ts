/** `verify` as a person calls it: words on the command line, files, and what becomes of a job that is stopped or killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { packageRoot } from '../config.ts';
import { main } from '../main.ts';

// Every test starts processes, which share the machine with other tests.
vi.setConfig({ testTimeout: 240_000 });

// Its listeners are for one command in a process.
vi.mock(import('../output.ts'), async (original) => ({
  ...(await original()),
  endOnBrokenPipe: () => {},
}));

const bin = join(packageRoot, 'bin/pivottrace.mjs');
let folder: string;
const home = process.cwd();
beforeAll(() => {
  // As the command line will name it.
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'pivottrace-verify-')));
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true, force: true });
});

/** The command line in this process: starting one takes longer than judging. */
async function run(...words: string[]) {
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const status = await main(['verify', ...words]);
  const [stdout, stderr] = [out, err].map((spy) => spy.mock.calls.map(([text]) => text).join(''));
  vi.restoreAllMocks();
  return { status, stdout, stderr };
}

async function json(...words: string[]): Promise<unknown> {
  const { stdout, stderr } = await run(...words, '--json');
  expect(stderr).toBe('');
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

test('one pair, for people', async () => {
  expect(await run('\\frac{1}{2}', 'So the answer is 0.5.')).toEqual({
    status: 0,
    stderr: '',
    stdout: [
      'right: the same number (number)',
      'gold      number: \\frac{1}{2}',
      'answer    number: 0.5 (phrase, characters 17 to 20)',
      '',
    ].join('\n'),
  });
});

test('the gold answer of a worked solution is shown as it was read', async () => {
  const { stdout } = await run('We get $x = 3$, so \\boxed{5}.', 'the second\u001b[2J line');
  expect(stdout).toContain('gold      number: 5\n');
  expect(stdout).not.toContain('\u001b');
});

test('one pair, for machines', async () => {
  expect(await json('5', 'no answer to be found, sorry', 'verify.extract.unmarked=none')).toEqual({
    ...{ event: 'result', verdict: 'wrong', rung: 'extract', candidates: [], answer: null },
    ...{ reason: 'the response gives no final answer', gold: expect.anything() },
  });
  expect(await json('5', 'It is \\boxed{5}')).toEqual({
    ...{ event: 'result', verdict: 'right', rung: 'text', reason: 'the same text' },
    gold: { key: expect.any(String), bucket: expect.any(String), kind: 'number', shown: '5' },
    answer: expect.objectContaining({ kind: 'number', shown: '5' }),
    candidates: [{ text: '5', start: 13, end: 14, mark: 'boxed' }],
  });
});

test('equations are answers, and only verify.* words are settings', async () => {
  expect(await json('5', 'x=5')).toMatchObject({ verdict: 'right' });
  expect(await json('x=5', 'y=5', 'verify.kind=math')).toMatchObject({ verdict: 'wrong' });
  expect(await json('x=5', '5', 'verify.math.equations=whole')).not.toMatchObject({
    verdict: 'right',
  });
  expect(await run('5', '5', 'verify.knd=math')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('verify.kind'),
  });
});

test('leading dashes', async () => {
  const right = { verdict: 'right', gold: { kind: 'number', shown: '-5' } };
  expect(await json('--gold', '-5', '--response', '-5')).toMatchObject(right);
  expect(await json('--gold=-5', 'it is -5')).toMatchObject(right);
  expect(await json('-5', '--response', '--5')).toMatchObject({ gold: { shown: '-5' } });
});

test('anything but a pair or two files is refused', async () => {
  const refusals: [string[], string][] = [
    [[], 'found neither'],
    [['5'], 'found GOLD.'],
    [['5', '5', '5'], '1 argument more'],
    [['--file', 'a.jsonl'], 'found --file.'],
    [['--out', 'a.jsonl', '5', '5'], 'found --out, GOLD, RESPONSE'],
    [['--file', 'none.jsonl', '--out', 'v.jsonl'], 'none.jsonl: wanted a JSONL file'],
  ];
  for (const [words, found] of refusals) {
    expect(await run(...words)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining(found),
    });
  }
  expect(existsSync(join(folder, 'v.jsonl'))).toBe(false);
});

test('a file of pairs, with a table of expected against given', async () => {
  const pairs = [
    { id: 'a', gold: '\\frac12', response: 'so it is \\boxed{0.5}', expected: 'right' },
    { id: 2, gold: 45, response: 'The final answer is 46.', expected: 'wrong' },
    { id: 'c', gold: '\\pi', response: '3.14', expected: 'wrong' },
    { id: 'd', gold: 'x', response: null },
    { id: 'e', gold: '7', response: `${'hm. '.repeat(250_000)}\\boxed{7}`, expected: 'right' },
  ];
  write('pairs.jsonl', pairs.map((row) => JSON.stringify(row)).join('\n'));
  const done = await run('--file', 'pairs.jsonl', '--out', 'new/folder/v.jsonl');
  const out = join(folder, 'new/folder/v.jsonl');
  const lines = readFileSync(out, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => Object.keys(JSON.parse(line)).join())).toEqual(
    lines.map(() => 'id,verdict,reason,rung'),
  );
  expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    { id: 'a', verdict: 'right', rung: 'number' },
    { id: 2, verdict: 'wrong' },
    { id: 'c', verdict: 'undecided', rung: 'rounded' },
    { id: 'd', verdict: 'wrong', rung: 'extract' },
    { id: 'e', verdict: 'right' },
  ]);
  expect(done.status).toBe(0);
  expect(done.stdout).toContain(
    [
      `5 verdicts in ${out}.\n`,
      'expected   right  wrong  undecided',
      '---------  -----  -----  ---------',
      'right          2      0          0',
      'wrong          0      1          1',
      'not given      0      1          0\n',
    ].join('\n'),
  );
  expect(await json('--file', 'pairs.jsonl', '--out', 'v.jsonl')).toEqual({
    ...{ event: 'result', output: join(folder, 'v.jsonl'), rows: 5, resumed: 0 },
    confusion: {
      right: { right: 2, wrong: 0, undecided: 0 },
      wrong: { right: 0, wrong: 1, undecided: 1 },
      none: { right: 0, wrong: 1, undecided: 0 },
    },
  });
});

test('files that are refused, and one without rows', async () => {
  write('bad.jsonl', '{"id":1,"gold":"1","response":"1"}\n{"id":2}\n');
  write('kept.out', 'before');
  expect(await run('--file', 'bad.jsonl', '--out', 'kept.out')).toMatchObject({
    ...{ status: 1, stdout: '', stderr: expect.stringContaining('bad.jsonl, line 2: ') },
  });
  expect(readFileSync(join(folder, 'kept.out'), 'utf8')).toBe('before');
  expect(await run('--file', 'bad.jsonl', '--out', './bad.jsonl')).toMatchObject({
    ...{ status: 1, stderr: expect.stringContaining('the input itself') },
  });
  write('empty.jsonl', '\n');
  expect(await run('--file', 'empty.jsonl', '--out', 'empty.out')).toMatchObject({
    ...{
      status: 0,
      stdout: expect.stringMatching(/empty.jsonl has no rows: .*empty.out is empty/),
    },
  });
  expect(statSync(join(folder, 'empty.out')).size).toBe(0);
  expect(readdirSync(folder).filter((name) => name.includes('.part'))).toEqual([]);
});

/** A slow verifier, so that there is a middle to stop in. */
const slow = (reason: string) => `export default async (gold, response) => {
  await new Promise((resolve) => setTimeout(resolve, 4));
  return { verdict: gold === response ? 'right' : 'wrong', reason: '${reason} ' + gold };
};`;
const job = ['verify.kind=module', 'verify.module.path=slow.mjs', '--file', 'many.jsonl'];

function writeMany(): void {
  const rows = Array.from({ length: 800 }, (_, i) => ({
    id: i,
    gold: `${i}`,
    response: `${i % 9}`,
  }));
  write('many.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  write('slow.mjs', slow('first'));
}

/** Starts the job and sends `signal` once something is kept. */
async function disturbed(out: string, signal: NodeJS.Signals) {
  const child = spawn(process.execPath, [bin, 'verify', ...job, '--out', out], { cwd: folder });
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += String(data);
  });
  const closed = once(child, 'close');
  const part = join(folder, `${out}.part`);
  while (child.exitCode === null && (!existsSync(part) || statSync(part).size === 0)) await wait(5);
  child.kill(signal);
  const [code] = await closed;
  return { code, stderr };
}

test('a job that was killed goes on, and gives what an undisturbed one gives', async () => {
  writeMany();
  expect(await run(...job, '--out', 'whole.out')).toMatchObject({ status: 0 });
  await disturbed('killed.out', 'SIGKILL');
  expect(existsSync(join(folder, 'killed.out'))).toBe(false);
  const again = await run(...job, '--out', 'killed.out');
  expect(again.stdout).toMatch(/800 verdicts in .*killed\.out, [1-9]\d* of them from before/);
  const [whole, killed] = ['whole.out', 'killed.out'].map((name) =>
    readFileSync(join(folder, name), 'utf8'),
  );
  expect(killed).toBe(whole);
  expect(readdirSync(folder).filter((name) => name.includes('.part'))).toEqual([]);
});

test('a stop ends with 130 and says how to go on; a changed verifier starts anew', async () => {
  writeMany();
  const { code, stderr } = await disturbed('stopped.out', 'SIGINT');
  expect(code).toBe(130);
  expect(stderr).toMatch(
    /Judging .*many\.jsonl \(\d+ of 800 rows are done\) was stopped; the same/,
  );
  expect(existsSync(join(folder, 'stopped.out'))).toBe(false);
  write('slow.mjs', slow('second'));
  const { stdout } = await run(...job, '--out', 'stopped.out');
  expect(stdout).not.toContain('from before');
  expect(readFileSync(join(folder, 'stopped.out'), 'utf8')).not.toContain('first');
});
