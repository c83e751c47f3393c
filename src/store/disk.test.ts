import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { UserError } from '../core/errors.ts';
import { explained, requireFree } from './failures.ts';
import { freshWorkspace } from './testing/workspace.ts';

// Four processes, one after the other, each of which loads the database engine.
vi.setConfig({ testTimeout: 120_000 });

const filler = join(import.meta.dirname, 'testing', 'filler.ts');

// A private mount namespace: no rights are needed where user namespaces are allowed.
const unshared = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-euc'];
const canMount = runs('mount -t tmpfs -o size=1m none /mnt').status === 0;

function runs(script: string, ...args: string[]) {
  const [command, ...rest] = unshared;
  return spawnSync(command, [...rest, script, 'sh', ...args], {
    encoding: 'utf8',
    timeout: 100_000,
    killSignal: 'SIGKILL',
  });
}

test('codes of the file system, of PostgreSQL and of WebAssembly get a sentence', () => {
  const messageOf = (error: unknown) => {
    const known = explained(error, '/w');
    return known instanceof UserError ? known.message : undefined;
  };
  const coded = (code: string) => Object.assign(new Error('x'), { code });
  expect(messageOf(coded('ENOSPC'))).toMatch(/^\/w: .*no space left/);
  expect(messageOf(coded('53100'))).toMatch(/no space left/);
  expect(messageOf(coded('EROFS'))).toMatch(/read-only/);
  expect(messageOf(coded('EACCES'))).toMatch(/permission/);
  expect(messageOf(Object.assign(new Error(''), { name: 'ErrnoError', errno: 51 }))).toMatch(
    /space/,
  );
  expect(messageOf(new Error('PANIC: No space left on device'))).toMatch(/no space left/);
  expect(messageOf(coded('23505'))).toBeUndefined();
});

test('too little room is said before anything is made', () => {
  expect(() => requireFree('/', Number.MAX_SAFE_INTEGER)).toThrow(/wanted at least/);
  expect(() => requireFree('/', 0)).not.toThrow();
});

test.skipIf(!canMount)('a read-only workspace is refused', async () => {
  const { stdout } = runs(
    'mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; exec "$2" --import tsx "$3" "$1" 1',
    await freshWorkspace(),
    process.execPath,
    filler,
  );
  expect(stdout).toMatch(/^UserError: .*found a read-only file system/);
});

test.skipIf(!canMount)('a disk that is too small is refused before the database is made', () => {
  const { stdout } = runs(
    'mount -t tmpfs -o size=20m none /mnt; "$1" --import tsx "$2" /mnt/w 1; ls -A /mnt/w',
    process.execPath,
    filler,
  );
  expect(stdout).toMatch(/^UserError: .*wanted at least \d+ MiB free.*found \d+ MiB free/);
  expect(stdout.trim().split('\n')).toHaveLength(1);
});

test.skipIf(!canMount)(
  'a disk that fills up is said, and what was written is found again',
  async () => {
    const { stdout } = runs(
      `mount -t tmpfs -o size=160m none /mnt; cp -r "$1" /mnt/w
     "$2" --import tsx "$3" /mnt/w 1000; mount -o remount,size=400m /mnt; "$2" --import tsx "$3" /mnt/w 0`,
      await freshWorkspace(),
      process.execPath,
      filler,
    );
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toBe('open');
    expect(lines[1]).toMatch(/^UserError: .*no space left/);
    const written = Number(lines[2].slice('written '.length));
    expect(written).toBeGreaterThan(1);
    // With the disk full the database may refuse to open again, but clearly.
    expect(lines[3]).toMatch(/^found|^UserError/);
    expect(lines.at(-1)).toBe(`found ${written}`);
  },
);
