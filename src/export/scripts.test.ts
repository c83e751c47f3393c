// The launch scripts in bash, with a Python that only says which version is installed.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportRun } from './export.ts';
import { manifestName } from './manifest.ts';
import { smallJob } from './testing/job.ts';
import type { Trainer } from './types.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pivottrace-it has blanks-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A python3 that prints `version`, whatever it is asked. */
function fakePython(version: string): string {
  const path = join(folder, `python ${version}`);
  writeFileSync(path, `#!/bin/sh\necho ${version}\n`);
  chmodSync(path, 0o755);
  return path;
}

function launch(path: string, env: Record<string, string>, ...words: string[]) {
  const run = spawnSync('bash', [join(path, 'launch.sh'), ...words], {
    encoding: 'utf8',
    cwd: folder,
    env: { PATH: process.env.PATH, DRY_RUN: '1', ...env },
  });
  return { status: run.status, lines: run.stdout.trimEnd().split('\n'), said: run.stderr };
}

function exported(trainer: Trainer, name: string, votes: 'frozen' | 'live' = 'frozen'): string {
  const job = smallJob(trainer, join(folder, name), votes);
  const path = existsSync(job.path)
    ? job.path
    : exportRun({ ...job, model: { path: 'models/plain name', sha256: null } }).path;
  return path;
}

describe('verl', () => {
  it.each([
    ['0.5.0', 'custom_reward_function'],
    ['0.6.1', 'custom_reward_function'],
    ['0.7.0', 'custom_reward_function'],
    ['0.7.0.post1', 'custom_reward_function'],
    ['0.7.1', 'reward.custom_reward_function'],
    ['0.8.0', 'reward.custom_reward_function'],
    ['0.9.1', 'reward.custom_reward_function'],
    ['0.10.0', 'reward.custom_reward_function'],
    ['1.0.0', 'reward.custom_reward_function'],
  ])('%s is given the reward function under the key that it reads', (version, key) => {
    const path = exported('verl', 'verl');
    const { status, lines } = launch(path, { PYTHON: fakePython(version) });
    expect(status).toBe(0);
    expect(lines.filter((line) => line.includes('custom_reward_function'))).toEqual([
      `${key}.path='${path}/reward.py'`,
      `${key}.name=compute_score`,
    ]);
  });

  it('is given files and the model by their paths, blanks included, and what else is said last', () => {
    const path = exported('verl', 'verl');
    const env = { PYTHON: fakePython('0.9.1'), GPUS: '2' };
    expect(launch(path, env, 'trainer.test_freq=1').lines).toEqual([
      `data.train_files='${path}/train.parquet'`,
      `data.val_files='${path}/val.parquet'`,
      "actor_rollout_ref.model.path='models/plain name'",
      `reward.custom_reward_function.path='${path}/reward.py'`,
      'reward.custom_reward_function.name=compute_score',
      `trainer.default_local_dir='${path}/checkpoints'`,
      ...['trainer.nnodes=1', 'trainer.n_gpus_per_node=2', 'trainer.test_freq=1'],
    ]);
  });

  it('counts the votes of groups with the manager of its version', () => {
    const path = exported('verl', 'live', 'live');
    const managed = (version: string) =>
      launch(path, { PYTHON: fakePython(version) }).lines.filter((line) =>
        /reward_manager|num_workers|use_reward_loop/.test(line),
      );
    expect(managed('0.9.1')).toEqual([
      'reward.reward_manager.source=importlib',
      'reward.reward_manager.name=GroupMajority',
      `reward.reward_manager.module.path='${path}/group_majority.py'`,
      'reward.num_workers=1',
    ]);
    expect(managed('0.7.0')).toEqual([
      'reward_manager.source=importlib',
      'reward_manager.name=GroupMajorityBatch',
      `reward_manager.module.path='${path}/group_majority.py'`,
      'reward_model.use_reward_loop=false',
    ]);
    expect(
      launch(path, { PYTHON: fakePython('0.9.1'), VOTES: 'frozen' }).lines.join(),
    ).not.toContain('group_majority');
    expect(launch(path, { PYTHON: fakePython('0.9.1'), VOTES: 'maybe' }).status).toBe(1);
  });

  it('refuses a model that its command line cannot carry', () => {
    const { status, said } = launch(exported('verl', 'verl'), {
      PYTHON: fakePython('0.9.1'),
      MODEL: "it's",
    });
    expect(status).toBe(1);
    expect(said).toContain('cannot carry quotes');
  });
});

it('OpenRLHF is given flags and values apart', () => {
  const path = exported('openrlhf', 'openrlhf');
  const { status, lines } = launch(path, { GPUS: '2', NODES: '3' });
  expect(status).toBe(0);
  const behind = (flag: string) => lines[lines.indexOf(flag) + 1];
  expect(behind('--reward.remote_url')).toBe(`${path}/reward.py`);
  expect(behind('--actor.model_name_or_path')).toBe('models/plain name');
  expect(behind('--vllm.num_engines')).toBe('6');
  expect(behind('--data.label_key')).toBe('label');
});

it.each(['verl', 'openrlhf', 'trl'] as const)(
  '%s does not start from an export that is not whole',
  (trainer) => {
    const path = exported(trainer, `half-${trainer}`);
    renameSync(join(path, manifestName), join(path, 'manifest.next.json'));
    const { status, said } = launch(path, { PYTHON: fakePython('0.9.1') });
    expect(status).toBe(1);
    expect(said).toContain('run pivottrace export again');
  },
);

it('a model named like a command stays a name', () => {
  const base = smallJob('trl', join(folder, 'odd'));
  const { path } = exportRun({
    ...base,
    model: { path: "$(touch was-here)'; touch was-here #", sha256: null },
  });
  const python = join(folder, 'echo');
  writeFileSync(python, '#!/bin/sh\nprintf "%s\\n" "$@"\n');
  chmodSync(python, 0o755);
  const { lines } = launch(path, { PYTHON: python });
  expect(lines).toEqual([
    `${path}/train_grpo.py`,
    '--model',
    "$(touch was-here)'; touch was-here #",
  ]);
  expect(existsSync(join(folder, 'was-here'))).toBe(false);
  expect(() => exportRun({ ...base, model: { path: 'a\nb', sha256: null } })).toThrow(
    /control characters/,
  );
});
