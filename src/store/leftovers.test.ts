import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removeLeftovers } from './leftovers.ts';
import { identity } from './process.ts';
import { freshPath } from './testing/workspace.ts';

test('what dead processes left goes; what others use, and what is not ours, stays', () => {
  const workspace = freshPath();
  for (const folder of ['', 'answers', 'mine']) mkdirSync(join(workspace, folder));
  const dead = spawnSync(process.execPath, ['--version']).pid;
  const alive = process.ppid;
  const candidate = (pid: number) => {
    const self = { ...identity(), pid, started: null };
    return [`owner.lock.${self.token}`, JSON.stringify(self)];
  };
  const gone = [
    `answers/pool.jsonl.${dead}.tmp`,
    `owner.lock.x.${dead}.tmp`,
    `report.html.${dead}.tmp`,
  ].map((name) => [name, 'half']);
  const staying = [
    `answers/pool.jsonl.${alive}.tmp`,
    `notes.${dead}.tmp`,
    `mine/pool.jsonl.${dead}.tmp`,
    'answers/pool.jsonl',
  ].map((name) => [name, 'whole']);
  const starters = [candidate(dead), candidate(alive)];
  // Killed between taking over a dead owner's lock and giving back its claim on it.
  const claims = ['owner.lock.after-7de80c01', 'owner.lock.after-7de80c01.after-0a1b2c3d'].map(
    (name) => [name, candidate(dead)[1]],
  );
  for (const [name, text] of [...gone, ...staying, ...starters, ...claims]) {
    writeFileSync(join(workspace, name), text);
  }
  removeLeftovers(workspace);
  const left = readdirSync(workspace, { recursive: true, encoding: 'utf8' });
  expect(left.sort()).toEqual(
    ['answers', 'mine', starters[1][0], ...staying.map(([name]) => name)].sort(),
  );
  expect(existsSync(join(workspace, starters[0][0]))).toBe(false);
});
