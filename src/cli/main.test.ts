import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { packageRoot } from './config.ts';
import { configurationReference, referencePath } from './reference.ts';

// Every test starts processes, which share the machine with other tests.
vi.setConfig({ testTimeout: 240_000 });

const bin = join(packageRoot, 'bin/pivottrace.mjs');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-cli-'));
  // A foreign, broken tsconfig.json must not matter.
  writeFileSync(join(folder, 'tsconfig.json'), '{ not json');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...words], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('env works from any directory, for people and for machines', () => {
  const people = run('env');
  expect(people).toMatchObject({ status: 0, stderr: '' });
  expect(people.stdout).toContain('onnxruntime-node');
  const line: unknown = JSON.parse(run('env', '--json').stdout);
  expect(line).toMatchObject({
    event: 'result',
    node: process.version,
    providers: { cpu: 'bundled' },
    dependencies: { commander: '14.0.3' },
  });
});

test('a wrong verb, flag, argument or key ends with 1 and help', () => {
  expect(run('evn')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('Did you mean env?'),
  });
  expect(run('env', '--jsno')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('Usage:'),
  });
  expect(run('env', 'word')).toMatchObject({ status: 1, stdout: '' });
  expect(run('env', 'sede=1')).toMatchObject({
    status: 1,
    stdout: '',
    stderr: expect.stringContaining('Did you mean "seed"?'),
  });
  expect(run()).toMatchObject({ status: 1, stderr: expect.stringContaining('Usage:') });
  expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('init') });
  expect(run('env', 'a.yaml', 'b.yaml')).toMatchObject({ status: 1 });
});

test('init writes settings that work, and never over a file', () => {
  expect(run('init', 'project')).toMatchObject({ status: 0 });
  const file = join(folder, 'project/pivottrace.yaml');
  const before = readFileSync(file, 'utf8');
  expect(run('init', 'project')).toMatchObject({ status: 1, stdout: '' });
  expect(readFileSync(file, 'utf8')).toBe(before);
  const printed = run('env', 'project/pivottrace.yaml', 'seed=77', '--print-config');
  expect(printed).toMatchObject({ status: 0, stdout: expect.stringContaining('\nseed: 77\n') });
  expect(printed.stdout).toContain(`workspace: ${join(folder, 'project')}\n`);
});

test('a verb that writes asks for a named workspace', () => {
  const result = run('pool', 'prompts.jsonl');
  expect(result).toMatchObject({ status: 1, stderr: expect.stringContaining('pivottrace init') });
  expect(existsSync(join(folder, 'db'))).toBe(false);
});

test('a pool goes in, and what cannot be done yet says what to do first', () => {
  writeFileSync(
    join(folder, 'sums.jsonl'),
    '{"id":"a","prompt":"1+1?","answer":"2"}\n{"id":"b","prompt":"2+1?","answer":"3"}\nnot json\n',
  );
  const pool = run('pool', 'sums.jsonl', 'workspace=w', '--json');
  expect(pool).toMatchObject({ status: 0, stderr: '' });
  const last: unknown = JSON.parse(pool.stdout.trimEnd().split('\n').at(-1) ?? '');
  expect(last).toMatchObject({
    event: 'result',
    prompts: 2,
    answer_files: ['sums.jsonl'],
    ingested: { added: 2, rejected: 1 },
  });
  expect(run('triage', 'workspace=w')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('`pivottrace trace`'),
  });
  expect(run('label', 'workspace=w')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('`pivottrace triage`'),
  });
  writeFileSync(join(folder, 'mine.csv'), 'id,answer\na,2\n');
  expect(run('label', '--from', 'mine.csv', 'workspace=w')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('1 label by people imported into the account main'),
  });
  expect(run('report', 'workspace=w', 'report.out=w/r.html')).toMatchObject({ status: 0 });
  expect(readFileSync(join(folder, 'w/r.html'), 'utf8')).toContain('pivottrace trace');
});

test('a reader that goes away ends the process without a stack', async () => {
  const child = spawn(process.execPath, [bin, 'env', '--print-config'], { cwd: folder });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += String(data);
  });
  const [code] = await once(child, 'close');
  expect(stderr).toBe('');
  expect(code).toBe(141);
});

test('runs through a link, as npx does', () => {
  const link = join(folder, 'pivottrace');
  symlinkSync(bin, link);
  expect(execFileSync(link, ['--version'], { cwd: folder, encoding: 'utf8' })).toMatch(
    /^\d+\.\d+\.\d+/,
  );
});

test('the reference page is what the schema says (npm run docs)', () => {
  expect(readFileSync(referencePath, 'utf8')).toBe(configurationReference());
});
