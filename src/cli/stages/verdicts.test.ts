/** Files of answers: what goes in and out, what is refused, and going on after a stop. */
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Interrupted, UserError } from '../../core/errors.ts';
import { silent } from '../../core/progress.ts';
import { inline } from '../../verify/testing/inline.ts';
import type { Judge, Verdict, Verifier } from '../../verify/types.ts';
import { judgeFile, type VerdictJob } from './verdicts.ts';

let folder: string;
let input: string;
let output: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-verdicts-'));
  input = join(folder, 'pairs.jsonl');
  output = join(folder, 'verdicts.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Check = (gold: string, response: string) => Verdict | Promise<Verdict>;

const verdictOf = (verdict: Verdict['verdict'], reason: string): Verdict => ({
  verdict,
  reason,
  rung: 'test',
});

/** Right when both are the same text; the reason holds both. */
const sameText: Check = (gold, response) =>
  verdictOf(gold === response ? 'right' : 'wrong', `${gold}|${response}`);

function verifierOf(check: Check): Verifier {
  const judge: Judge = {
    name: 'test',
    candidates: () => [],
    read: () => null,
    compare: check,
    verify: check,
  };
  return inline(judge);
}

function judge(more: Partial<VerdictJob> = {}, check: Check = sameText) {
  const verifier = verifierOf(check);
  return judgeFile({
    ...{ verifiers: { of: () => verifier }, settings: {}, input, output, progress: silent },
    ...{ stop: new AbortController().signal, ...more },
  });
}

const jsonl = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const rowsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: i, gold: `${i % 7}`, response: `${i % 5}` }));
const written = () =>
  readFileSync(output, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));

test('verdicts in the order of the rows, whichever is there first', async () => {
  writeFileSync(input, jsonl(rowsOf(600)));
  const late: Check = async (gold, response) => {
    await new Promise((resolve) => setTimeout(resolve, gold === '0' ? 20 : 0));
    return sameText(gold, response);
  };
  const summary = await judge({}, late);
  const expected = rowsOf(600).map(({ id, gold, response }) => ({
    id,
    ...verdictOf(gold === response ? 'right' : 'wrong', `${gold}|${response}`),
  }));
  expect(written()).toEqual(expected);
  expect(readFileSync(output, 'utf8').split('\n')[0]).toBe(
    '{"id":0,"verdict":"right","reason":"0|0","rung":"test"}',
  );
  expect(summary).toMatchObject({ rows: 600, resumed: 0 });
  expect(readdirSync(folder).sort()).toEqual(['pairs.jsonl', 'verdicts.jsonl']);
});

test('counts expected against given', async () => {
  const row = { id: 'a', gold: '1', response: '1' };
  const wrong = { ...row, response: '2' };
  writeFileSync(
    input,
    jsonl([
      ...[row, { ...row, expected: 'right' }, { ...row, expected: 'wrong' }],
      ...[
        { ...wrong, expected: 'right' },
        { ...wrong, expected: 'right' },
      ],
      { ...row, expected: null },
    ]),
  );
  expect((await judge()).confusion).toEqual({
    none: { right: 2, wrong: 0, undecided: 0 },
    right: { right: 1, wrong: 2, undecided: 0 },
    wrong: { right: 1, wrong: 0, undecided: 0 },
  });
});

test('a row is judged by the verifier of its source', async () => {
  const row = { id: 'a', gold: '1', response: '1' };
  writeFileSync(input, jsonl([row, { ...row, source: 'gsm' }, { ...row, source: null }]));
  const of = (source?: string) => verifierOf(() => verdictOf('wrong', source ?? 'common'));
  await judge({ verifiers: { of } });
  expect(written()).toMatchObject([{ reason: 'common' }, { reason: 'gsm' }, { reason: 'common' }]);
});

test('numbers are taken as they are written, and null is an empty response', async () => {
  writeFileSync(
    input,
    [
      '{"id":12345678901234567890,"gold":1267650600228229401496703205376,"response":0.10}',
      '{"id":7,"gold":1e400000,"response":"1e1 \\" 2\\\\"}',
      '{"id":-1.50,"gold":-2E+3,"response":null}',
      '{"id":"","gold":"","response":""}',
    ].join('\n'),
  );
  // 1e400000 is no number of JavaScript.
  await expect(judge()).rejects.toThrow(/line 2: .*"gold"/);
  writeFileSync(input, readFileSync(input, 'utf8').replace('1e400000', '1e40'));
  await judge();
  expect(readFileSync(output, 'utf8').split('\n')).toEqual([
    '{"id":12345678901234567890,"verdict":"wrong","reason":"1267650600228229401496703205376|0.10","rung":"test"}',
    '{"id":7,"verdict":"wrong","reason":"1e40|1e1 \\" 2\\\\","rung":"test"}',
    '{"id":-1.50,"verdict":"wrong","reason":"-2E+3|","rung":"test"}',
    '{"id":"","verdict":"right","reason":"|","rung":"test"}',
    '',
  ]);
});

test('lone surrogates, line separators, long responses, CRLF and a byte order mark', async () => {
  const long = 'x'.repeat(1_000_000);
  const lines = [
    '{"id":"\\ud800","gold":"\\udc00","response":"\\ud800"}',
    '{"id":"\u2028","gold":"a\u2028b","response":"a\u2028b"}',
    JSON.stringify({ id: 'long', gold: long, response: long }),
  ];
  writeFileSync(input, `\ufeff${lines.join('\r\n')}\r\n\r\n`);
  const check: Check = (gold, response) =>
    verdictOf(gold === response ? 'right' : 'wrong', `${gold}`.slice(0, 5));
  await judge({}, check);
  expect(written()).toEqual([
    { id: '\ud800', ...verdictOf('wrong', '\udc00') },
    { id: '\u2028', ...verdictOf('right', 'a\u2028b') },
    { id: 'long', ...verdictOf('right', 'xxxxx') },
  ]);
  expect(readFileSync(output, 'utf8')).not.toContain('\ufffd');
});

test('an empty file gives an empty one', async () => {
  writeFileSync(input, '');
  expect(await judge()).toEqual({ rows: 0, resumed: 0, confusion: {} });
  expect(readFileSync(output, 'utf8')).toBe('');
});

const good = '{"id":1,"gold":"1","response":"1"}';
test.each([
  ['no JSON', '{"id":1,', /line 3: .*no JSON/],
  ['no object', '[1, 2]', /line 3: .*found \[1,2\]/],
  ['no gold', '{"id":1,"response":"1"}', /line 3: .*no "gold"/],
  ['no text', '{"id":1,"gold":["1"],"response":"1"}', /line 3: .*"gold": \["1"\]/],
  ['no gold but null', '{"id":1,"gold":null,"response":"1"}', /line 3: .*"gold": null/],
  [
    'no expectation',
    '{"id":1,"gold":"1","response":"1","expected":"yes"}',
    /line 3: .*"expected": "yes"/,
  ],
  ['no UTF-8', Buffer.from('{"id":1,"gold":"\xff"}', 'latin1'), /line 3: .*UTF-8/],
])('a bad row is named and nothing is written: %s', async (_, bad, message) => {
  // Empty lines count.
  writeFileSync(input, Buffer.concat([Buffer.from(`${good}\n\n`), Buffer.from(bad)]));
  writeFileSync(output, 'what was there before');
  let asked = 0;
  const check: Check = () => verdictOf('right', `${++asked}`);
  const error = await judge({ output: join(folder, 'new', 'v.jsonl') }, check).catch((e) => e);
  expect(error).toBeInstanceOf(UserError);
  expect(error.message).toMatch(message);
  await expect(judge({}, check)).rejects.toThrow(UserError);
  expect(asked).toBe(0);
  expect(readFileSync(output, 'utf8')).toBe('what was there before');
  expect(readdirSync(folder).sort()).toEqual(['pairs.jsonl', 'verdicts.jsonl']);
});

test('a missing input, and a folder, are refused', async () => {
  await expect(judge()).rejects.toThrow(/no such file/);
  await expect(judge({ input: folder })).rejects.toThrow(/folder/);
  expect(readdirSync(folder)).toEqual([]);
});

test('folders of the output are made, and what cannot be written is refused', async () => {
  writeFileSync(input, `${good}\n`);
  await judge({ output: join(folder, 'a/b/v.jsonl') });
  expect(existsSync(join(folder, 'a/b/v.jsonl'))).toBe(true);
  await expect(judge({ output: join(folder, 'a') })).rejects.toThrow(UserError);
  await expect(judge({ output: join(input, 'v.jsonl') })).rejects.toThrow(UserError);
});

test('the input is never the output, nor what is kept beside it', async () => {
  writeFileSync(input, `${good}\n`);
  symlinkSync(input, join(folder, 'symbolic'));
  linkSync(input, join(folder, 'hard'));
  mkdirSync(join(folder, 'deep'));
  for (const name of ['pairs.jsonl', 'deep/../pairs.jsonl', 'symbolic', 'hard']) {
    await expect(judge({ output: join(folder, name) })).rejects.toThrow(/the input itself/);
  }
  for (const suffix of ['part', 'part.json']) {
    const path = `${output}.${suffix}`;
    writeFileSync(path, `${good}\n`);
    await expect(judge({ input: path })).rejects.toThrow(/the input itself/);
    expect(readFileSync(path, 'utf8')).toBe(`${good}\n`);
    rmSync(path);
  }
  expect(readFileSync(input, 'utf8')).toBe(`${good}\n`);
});

/** Stops the job when `rows` rows have been asked about. */
async function stoppedAfter(rows: number, more: Partial<VerdictJob> = {}): Promise<void> {
  const stop = new AbortController();
  let asked = 0;
  const check: Check = async (gold, response) => {
    if (++asked === rows) stop.abort();
    // What comes after the stop hangs: nobody waits for it.
    if (asked > rows) return await new Promise<Verdict>(() => {});
    return sameText(gold, response);
  };
  await expect(judge({ ...more, stop: stop.signal }, check)).rejects.toThrow(Interrupted);
}

test('a stop keeps what was judged, and the same job goes on from there', async () => {
  writeFileSync(input, jsonl(rowsOf(900)));
  await judge();
  const undisturbed = readFileSync(output, 'utf8');
  rmSync(output);
  await stoppedAfter(300);
  expect(existsSync(output)).toBe(false);
  await stoppedAfter(300);
  // A half-written line, as after a crash, is written again.
  appendFileSync(`${output}.part`, '{"id":600,"verdict":"ri');
  const asked: string[] = [];
  const check: Check = (gold, response) => {
    asked.push(gold);
    return sameText(gold, response);
  };
  const { resumed, confusion } = await judge({}, check);
  expect(resumed).toBeGreaterThanOrEqual(598);
  expect(asked).toHaveLength(900 - resumed);
  expect(readFileSync(output, 'utf8')).toBe(undisturbed);
  const { right, wrong } = confusion.none;
  expect([right + wrong, right]).toEqual([900, undisturbed.match(/"right"/g)?.length]);
  expect(readdirSync(folder).sort()).toEqual(['pairs.jsonl', 'verdicts.jsonl']);
});

test('the verdicts of a slow batch are kept before it is over', async () => {
  writeFileSync(input, jsonl(rowsOf(20)));
  const stop = new AbortController();
  const check: Check = async (gold, response) => {
    if (gold === '6') return await new Promise<Verdict>(() => {});
    return sameText(gold, response);
  };
  const job = judge({ stop: stop.signal }, check);
  while (!existsSync(`${output}.part`) || readFileSync(`${output}.part`, 'utf8') === '') {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(readFileSync(`${output}.part`, 'utf8').split('\n')).toHaveLength(7);
  stop.abort();
  await expect(job).rejects.toThrow(/6 of 20 rows are done.*goes on from here/);
});

test('what is kept and was damaged is judged again', async () => {
  writeFileSync(input, jsonl(rowsOf(600)));
  await stoppedAfter(400);
  const lines = readFileSync(`${output}.part`, 'utf8').split('\n');
  lines[100] = '\0\0\0';
  writeFileSync(`${output}.part`, lines.join('\n'));
  expect(await judge()).toMatchObject({ rows: 600, resumed: 100 });
  expect(written()).toHaveLength(600);
});

test('another input or other settings start anew', async () => {
  writeFileSync(input, jsonl(rowsOf(600)));
  await stoppedAfter(300, { settings: { kind: 'auto' } });
  expect(await judge({ settings: { kind: 'math' } })).toMatchObject({ rows: 600, resumed: 0 });
  await stoppedAfter(300);
  writeFileSync(input, jsonl(rowsOf(601)));
  expect(await judge()).toMatchObject({ rows: 601, resumed: 0 });
  expect(written()).toHaveLength(601);
});
