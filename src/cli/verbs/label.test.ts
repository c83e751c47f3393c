/** What `label --undecided` lists. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silent } from '../../core/progress.ts';
import { openStore } from '../../store/store.ts';
import { RunDirectory } from '../../train/run-directory.ts';
import { loadConfig } from '../config.ts';
import { label } from './label.ts';

test('lists what training could not judge, and nothing that moves a terminal', async () => {
  const workspace = mkdtempSync(join(tmpdir(), 'pivottrace-label-'));
  const { config } = loadConfig({ cwd: workspace, overrides: [`workspace=${workspace}`] });
  const store = await openStore(workspace);
  const run = { name: 'main', kind: 'train full', status: 'done', plan: null } as const;
  await store.runs.put({ ...run, account: null, config: {}, summary: null });
  await store.close();
  const directory = RunDirectory.open(join(workspace, 'runs/main'), {});
  const why = { reason: 'they differ only by a percent sign', rung: 'percent' };
  const question = { step: 3, prompt_id: 'p7', gold: '50', response: 'so\n\u001b[2J50%', ...why };
  directory.append('questions', question);
  let said = { text: '', data: {} };
  const output = {
    ...{ json: false, note: () => {}, progress: silent },
    result: (text: string, data: object) => {
      said = { text, data };
    },
  };
  await label.run({
    ...{ config, database: undefined, configFile: undefined, overrides: [], operands: [] },
    ...{ cwd: workspace, output },
    ...{ flags: { undecided: true }, stop: new AbortController().signal },
  });
  expect(said.data).toEqual({ questions: [{ run: 'main', ...question }] });
  expect(said.text).toContain('1 response that nobody has judged.');
  expect(said.text).toContain(
    'p7 (run main, step 3): they differ only by a percent sign (percent)',
  );
  expect(said.text).toContain('  label: 50\n  | so\n  | \ufffd[2J50%');
  rmSync(workspace, { recursive: true });
});
