/** Two processes and one run: the files of a run have room for one. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { silent } from '../../core/progress.ts';
import { takeOwnership } from '../../store/owner.ts';
import { freshWorkspace } from '../../store/testing/workspace.ts';
import { loadConfig } from '../config.ts';
import { train } from './train.ts';

vi.setConfig({ testTimeout: 240_000 });

async function running(workspace: string, ...settings: string[]): Promise<void> {
  const overrides = [`workspace=${workspace}`, ...settings];
  const { config } = loadConfig({ cwd: workspace, overrides });
  await train.run({
    ...{ config, overrides, database: undefined, configFile: undefined, operands: [], flags: {} },
    ...{ cwd: workspace, stop: new AbortController().signal },
    output: { json: false, note: () => {}, progress: silent, result: () => {} },
  });
}

test('a run that another process trains is refused, and other runs are not', async () => {
  const workspace = await freshWorkspace();
  const folder = join(workspace, 'runs/first');
  mkdirSync(folder, { recursive: true });
  const lock = takeOwnership(join(folder, 'owner.lock'), 'run');
  const wanted = `a run that no other process uses.*process ${process.pid} using it`;
  await expect(running(workspace, 'train.run=first')).rejects.toThrow(new RegExp(wanted, 's'));
  // With no prompts neither gets far; what matters is who is let in, and that the way is free after a failure.
  await expect(running(workspace, 'train.run=second')).rejects.toThrow(/a pool with prompts/);
  expect(existsSync(join(workspace, 'runs/second/owner.lock'))).toBe(false);
  lock.release();
  await expect(running(workspace, 'train.run=first')).rejects.toThrow(/a pool with prompts/);
});
