import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { changeCosts, stageCosts } from './costs.ts';
import { withFileLock } from './file-lock.ts';
import { identity } from './process.ts';
import { freshPath } from './testing/workspace.ts';

function folder(): string {
  const path = freshPath();
  mkdirSync(path, { recursive: true });
  return path;
}

test('commands that are timed at once undo nothing of each other', {
  timeout: 300_000,
}, async () => {
  const workspace = folder();
  const timer = join(import.meta.dirname, 'testing/timer.ts');
  const ends = await Promise.all(
    ['a', 'b', 'c'].map(async (stage) => {
      const words = ['--import', 'tsx', timer, workspace, stage, '15'];
      const [code] = await once(spawn(process.execPath, words, { stdio: 'inherit' }), 'exit');
      return code;
    }),
  );
  expect(ends).toEqual([0, 0, 0]);
  expect(stageCosts(workspace).seconds).toEqual({ a: 15, b: 15, c: 15, all: 45 });
  expect(readdirSync(workspace)).toEqual(['costs.json']);
});

test('the lock of a killed process keeps nobody, and a fault gives it free', () => {
  const path = join(folder(), 'file');
  const pid = spawnSync(process.execPath, ['--version']).pid;
  writeFileSync(`${path}.lock`, JSON.stringify({ ...identity(), pid }));
  expect(withFileLock(path, () => 3)).toBe(3);
  expect(() =>
    withFileLock(path, () => {
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(withFileLock(path, () => 4)).toBe(4);
});

test('costs that cannot be read count as none', () => {
  const workspace = folder();
  writeFileSync(join(workspace, 'costs.json'), '{"seconds": 3}');
  expect(stageCosts(workspace)).toEqual({ seconds: {}, peakMemory: null });
  changeCosts(workspace, ({ seconds }) => ({ seconds: { ...seconds, trace: 2 }, peakMemory: 7 }));
  expect(stageCosts(workspace)).toEqual({ seconds: { trace: 2 }, peakMemory: 7 });
});
