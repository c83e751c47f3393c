import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openStore } from '../../store/store.ts';
import { hasPostgres, startPostgres, type TestPostgres } from '../../store/testing/postgres.ts';
import { packageRoot } from '../config.ts';

// Every test starts processes, which share the machine with other tests.
vi.setConfig({ testTimeout: 400_000, hookTimeout: 240_000 });

const bin = join(packageRoot, 'bin/pivottrace.mjs');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-db-'));
  writeFileSync(join(folder, 'sums.jsonl'), '{"id":"a","prompt":"1+1?","answer":"2"}\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(words: string[], env: Record<string, string> = {}): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [bin, ...words], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PIVOTTRACE_DB: '', ...env },
  });
}

function resultOf({ stdout }: { stdout: string }): unknown {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}

test('what cannot be done is said before anything is opened, and no URL is repeated', () => {
  const wrong: [RegExp, string[], Record<string, string>?][] = [
    [/db restore FILE/, ['db', 'dump', 'workspace=none']],
    [/db restore FILE/, ['db', 'info', 'file', 'workspace=none']],
    [/db restore FILE/, ['db', 'drop', 'workspace=none']],
    [/not there yet/, ['db', 'dump', 'sums.jsonl', 'workspace=none']],
    [/database URL/, ['pool', 'workspace=none', '--db', 'postgres://a:s3cret@h:x/y']],
    [/database URL/, ['pool', 'workspace=none'], { PIVOTTRACE_DB: 's3cret' }],
    [
      /nothing that listens/,
      ['pool', 'workspace=none', '--db', 'postgres://a:s3cret@127.0.0.1:1/y'],
    ],
    [/unknown option/, ['demo', '--db', 'postgres://a:s3cret@127.0.0.1:1/y']],
    [/override "db=postgres/, ['pool', 'workspace=none', 'db=postgres://a:s3cret@h/y']],
  ];
  for (const [message, words, env] of wrong) {
    const { status, stdout, stderr } = run(words, env);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('s3cret');
  }
});

test('to look at a workspace that is not there makes none', () => {
  for (const words of [
    ['db', 'info', 'workspace=nowhere'],
    ['db', 'dump', 'nowhere.dump', 'workspace=nowhere'],
  ]) {
    const { status, stderr } = run(words);
    expect([status, stderr]).toEqual([1, expect.stringContaining('no such folder')]);
  }
  expect(readdirSync(folder).filter((name) => name.startsWith('nowhere'))).toEqual([]);
});

test('a command works through the process that shares the workspace', async () => {
  const workspace = join(folder, 'shared');
  const store = await openStore(workspace, { share: true });
  const child = spawn(process.execPath, [bin, 'pool', 'sums.jsonl', 'workspace=shared'], {
    cwd: folder,
    stdio: 'ignore',
  });
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(await store.prompts.count()).toBe(1);
  await store.close();
});

describe.skipIf(!hasPostgres)('on a server', () => {
  let server: TestPostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test('verbs use it, a dump moves it into a workspace, and its password is nowhere', () => {
    const { url } = server;
    const { password } = new URL(url);
    const env = { PIVOTTRACE_DB: url };
    const said = [
      run(['pool', 'sums.jsonl', 'workspace=team', '--json'], env),
      run(['pool', 'workspace=elsewhere', '--json', '--db', url]),
      run(['report', 'workspace=team'], env),
      run(['env', 'workspace=team'], env),
      run(['env', 'workspace=team', '--print-config', '--db', url]),
      run(['db', 'info', 'workspace=team', '--json'], env),
      run(['db', 'dump', 'team.dump', 'workspace=team'], env),
      run(['db', 'restore', 'team.dump', 'workspace=copy', '--json']),
      run(['db', 'dump', 'copy.dump', 'workspace=copy']),
    ];
    expect(said.map(({ status, stderr }) => [status, stderr])).toEqual(
      said.map(() => [0, expect.not.stringContaining('error')]),
    );
    expect(resultOf(said[1])).toMatchObject({ prompts: 1 });
    expect(resultOf(said[5])).toMatchObject({ reached: 'server', tables: { prompts: 1 } });
    expect(resultOf(said[7])).toMatchObject({ rows: expect.any(Number) });
    const dump = join(folder, 'team.dump');
    expect(statSync(dump).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, 'copy.dump')).equals(readFileSync(dump))).toBe(true);
    const again = run(['db', 'restore', 'team.dump', 'workspace=copy']);
    expect(again).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('an empty database'),
    });

    expect(JSON.stringify(said.map(({ stdout, stderr }) => [stdout, stderr]))).not.toContain(
      password,
    );
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) =>
      join(folder, name),
    );
    for (const file of files.filter((path) => statSync(path).isFile())) {
      expect(readFileSync(file).includes(password), file).toBe(false);
    }
  });
});
