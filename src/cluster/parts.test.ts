/** The parts that need no cluster: addresses, logs, archives. */
import { inflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { UserError } from '../core/errors.ts';
import { clusterAddress } from './address.ts';
import { LogReader } from './log.ts';
import { zipOf } from './zip.ts';

test('an address is the one that was given, else that of the environment', () => {
  const environment = { RAY_ADDRESS: 'http://ray:8265', RAY_API_SERVER_ADDRESS: 'https://api/x' };
  expect(clusterAddress('http://here:1', environment).href).toBe('http://here:1/');
  expect(clusterAddress(null, environment).href).toBe('https://api/x/');
  expect(clusterAddress(null, { RAY_ADDRESS: 'http://ray:8265' }).href).toBe('http://ray:8265/');
});

test.each([
  [null, {}],
  ['ray://head:10001', {}],
  ['head:6379', {}],
  [null, { RAY_ADDRESS: 'auto' }],
])('what is no dashboard is refused: %j %j', (given, environment) => {
  expect(() => clusterAddress(given, environment)).toThrow(UserError);
  expect(() => clusterAddress(given, environment)).toThrow(/8265/);
});

test('a log is read once, whole lines at a time, and its last line when the job is over', () => {
  const log = new LogReader();
  const progress = { event: 'progress', chunks: 1, of: 4, responses: 8, tokens: 90 };
  const first = `hello\nPIVOTTRACE ${JSON.stringify(progress)}\nunfin`;
  expect(log.next(first, false)).toEqual({ lines: ['hello'], events: [progress] });
  expect(log.next(first, false)).toEqual({ lines: [], events: [] });
  expect(log.next(`${first}ished`, true).lines).toEqual(['unfinished']);
  expect(log.tail).toEqual(['hello', 'unfinished']);
});

test('the log of another attempt is read from its start', () => {
  const log = new LogReader();
  log.next('a long line of the first\n', false);
  expect(log.next('short\n', false).lines).toEqual(['short']);
});

test('what is no event of ours is a line for people, without codes for the terminal', () => {
  const log = new LogReader();
  const hostile = [
    'PIVOTTRACE {"event":"progress","chunks":"many"}',
    'PIVOTTRACE {"event":"erase"}',
    'PIVOTTRACE {',
    '\u001b[31mred\u001b[0m \u001b]0;title\u0007 \u202egnp.exe',
    'x'.repeat(2000),
  ];
  const { lines, events } = log.next(`${hostile.join('\n')}\n`, false);
  expect(events).toEqual([]);
  expect(lines).toHaveLength(5);
  expect(lines[3]).toContain('red');
  expect(lines.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(lines[4].length).toBeLessThan(600);
});

/** Reads an archive by its directory, as unzip does. */
function unzipped(zip: Buffer): Record<string, string> {
  const end = zip.length - 22;
  expect(zip.readUInt32LE(end)).toBe(0x06054b50);
  const files: Record<string, string> = {};
  let at = zip.readUInt32LE(end + 16);
  for (let i = 0; i < zip.readUInt16LE(end + 10); i++) {
    expect(zip.readUInt32LE(at)).toBe(0x02014b50);
    const packed = zip.readUInt32LE(at + 20);
    const length = zip.readUInt16LE(at + 28);
    const local = zip.readUInt32LE(at + 42);
    const name = zip.toString('utf8', at + 46, at + 46 + length);
    expect(zip.toString('utf8', local + 30, local + 30 + length)).toBe(name);
    const begin = local + 30 + length;
    files[name] = inflateRawSync(zip.subarray(begin, begin + packed)).toString();
    at += 46 + length;
  }
  return files;
}

test('an archive holds its files, and the same files give the same bytes', () => {
  const files = new Map([
    ['package/b.py', Buffer.from('print("ü")\n'.repeat(100))],
    ['package/a.py', Buffer.alloc(0)],
  ]);
  const zip = zipOf(files);
  expect(unzipped(zip)).toEqual({ 'package/a.py': '', 'package/b.py': 'print("ü")\n'.repeat(100) });
  expect(zipOf(new Map([...files].reverse()))).toEqual(zip);
});
