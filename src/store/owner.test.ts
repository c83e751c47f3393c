import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { UserError } from '../core/errors.ts';
import { takeOwnership } from './owner.ts';
import { identity } from './process.ts';
import { freshPath } from './testing/workspace.ts';

function lockPath(): string {
  const workspace = freshPath();
  mkdirSync(workspace);
  return join(workspace, 'owner.lock');
}

function deadPid(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

test('the second taker is refused with the pid of the first, until it is released', () => {
  const path = lockPath();
  const lock = takeOwnership(path);
  expect(() => takeOwnership(path)).toThrow(UserError);
  expect(() => takeOwnership(path)).toThrow(new RegExp(`process ${process.pid} using it.*kill`));
  lock.release();
  lock.release();
  takeOwnership(path).release();
  expect(readdirSync(join(path, '..'))).toEqual([]);
});

test('the lock of a dead process is taken over', () => {
  const path = lockPath();
  writeFileSync(path, JSON.stringify({ ...identity(), pid: deadPid() }));
  const lock = takeOwnership(path);
  expect(JSON.parse(readFileSync(path, 'utf8')).pid).toBe(process.pid);
  expect(readdirSync(join(path, '..'))).toEqual(['owner.lock']);
  lock.release();
});

test.skipIf(!existsSync('/proc/self/stat'))('a process id that was used again is no owner', () => {
  const path = lockPath();
  writeFileSync(path, JSON.stringify({ ...identity(), pid: process.ppid, started: 1 }));
  takeOwnership(path).release();
  writeFileSync(path, JSON.stringify({ ...identity(), boot: 'another boot' }));
  takeOwnership(path).release();
});

test('an owner on another machine is believed', () => {
  const path = lockPath();
  writeFileSync(path, JSON.stringify({ ...identity(), host: `not-${hostname()}`, pid: deadPid() }));
  expect(() => takeOwnership(path)).toThrow(/delete owner\.lock/);
});

test('a takeover that was itself killed is taken over', () => {
  const path = lockPath();
  const dead = { ...identity(), pid: deadPid() };
  writeFileSync(path, JSON.stringify(dead));
  const claim = `${path}.after-${dead.token.slice(0, 8)}`;
  writeFileSync(claim, JSON.stringify({ ...identity(), pid: deadPid() }));
  takeOwnership(path).release();
  expect(readdirSync(join(path, '..'))).toEqual([]);
});

test('a file that is no lock is not overwritten', () => {
  const path = lockPath();
  writeFileSync(path, 'my notes');
  expect(() => takeOwnership(path)).toThrow(/something else/);
  expect(readFileSync(path, 'utf8')).toBe('my notes');
});

test('of many starters over a dead lock exactly one wins', { timeout: 120_000 }, async () => {
  const path = lockPath();
  const contenders = await Promise.all(Array.from({ length: 6 }, startContender));
  for (let round = 0; round < 20; round++) {
    writeFileSync(path, JSON.stringify({ ...identity(), pid: deadPid() }));
    const outcomes = await Promise.all(contenders.map((contender) => contender.told('take')));
    expect(outcomes.sort()).toEqual(['lost', 'lost', 'lost', 'lost', 'lost', 'won']);
    await Promise.all(contenders.map((contender) => contender.told('release')));
    expect(readdirSync(join(path, '..'))).toEqual([]);
  }

  async function startContender() {
    const script = join(import.meta.dirname, 'testing', 'contender.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill());
    const lines = createInterface({ input: child.stdout });
    await once(lines, 'line');
    return {
      async told(order: string): Promise<string> {
        const answer = once(lines, 'line');
        child.stdin.write(`${order}\n`);
        return String((await answer)[0]);
      },
    };
  }
});
