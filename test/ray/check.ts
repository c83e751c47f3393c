/**
 * Tracing and training on a real Ray cluster of one machine with two workers, with everything killed once.
 *
 *   npm run check:ray        a line per fact; fails where one does not hold. About five minutes on two cores
 *
 * Needs Python with the packages of test/python/requirements-ray.txt; PIVOTTRACE_PYTHON names it, else python3.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { manifestText } from '../../src/export/manifest.ts';
import { openStore } from '../../src/store/store.ts';
import { interpreter } from '../python/driver.ts';
import { kill, type LocalCluster, startCluster } from './cluster.ts';
import { compareTraces } from './compare.ts';

const PROMPTS = 200;
const CHUNK = 2;
const root = fileURLToPath(new URL('../..', import.meta.url));
const python = pythonPath();
const place = mkdtempSync(join(tmpdir(), 'pivottrace-ray-'));
let failed = 0;

/** A venv's python is told by its path: the folder beside it holds `ray`. */
function pythonPath(): string {
  const named = interpreter();
  if (named.includes('/')) return resolve(named);
  const folders = (process.env.PATH ?? '').split(':');
  const folder = folders.find((one) => {
    try {
      return readdirSync(one).includes(named);
    } catch {
      return false;
    }
  });
  return join(folder ?? '/usr/bin', named);
}

function fact(holds: boolean, text: string): void {
  console.log(`${holds ? 'ok    ' : 'FAILED'}  ${text}`);
  if (!holds) failed++;
}

interface Running {
  process: ChildProcess;
  /** All that it has printed so far. */
  said(): string;
  ended: Promise<number | null>;
}

/** A command of pivottrace, as a person calls it. */
function pivottrace(...words: string[]): Running {
  const child = spawn(process.execPath, [join(root, 'bin/pivottrace.mjs'), ...words], {
    cwd: place,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => {
      text += part;
    });
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  return { process: child, said: () => text, ended };
}

async function done(what: string, running: Running): Promise<string> {
  const code = await running.ended;
  if (code !== 0) throw new Error(`${what} ended with ${code}:\n${running.said().slice(-4000)}`);
  return running.said();
}

async function until(what: string, holds: () => boolean, running: Running): Promise<void> {
  for (let i = 0; i < 9000; i++) {
    if (holds()) return;
    if (running.process.exitCode !== null) break;
    await pause(100);
  }
  throw new Error(`${what} did not come about:\n${running.said().slice(-4000)}`);
}

const settings = (workspace: string) => [
  `workspace=${join(place, workspace)}`,
  ...['rollout.max_tokens=64', 'trace.traces_per_prompt=2', 'trace.profile_prompts=32'],
  ...['trace.extra_signals=[far_mass,entropy,change,received,agreement]', 'engine.threads=1'],
  // A busy machine must not make answers undecided.
  'verify.deadline_ms=60000',
  ...[`ray.chunk=${CHUNK}`, `ray.python=${python}`, 'ray.patience_seconds=240'],
];

const shardsOf = (workspace: string): number => {
  try {
    const folder = join(place, workspace, 'ray');
    const [round] = readdirSync(folder);
    return readdirSync(join(folder, round, 'shards')).filter((name) => /^part.*json$/.test(name))
      .length;
  } catch {
    return 0;
  }
};

/** Responses of the engine in this process, and a file of them. */
async function inProcess(): Promise<string> {
  const pool = join(place, 'pool.jsonl');
  const lines = readFileSync(join(root, 'data/pool.jsonl'), 'utf8').split('\n');
  writeFileSync(pool, lines.slice(0, PROMPTS).join('\n'));
  for (const name of ['here', 'there', 'sampled'])
    await done('pool', pivottrace('pool', pool, ...settings(name)));
  await done('trace', pivottrace('trace', ...settings('here')));
  const store = await openStore(join(place, 'here'));
  const ids = (await store.prompts.list()).map(({ id }) => id);
  const rollouts = await store.rollouts.of(0, ids);
  await store.close();
  const file = join(place, 'responses.jsonl');
  const rows = rollouts.map(({ promptId, sample, text, tokens, finish }) =>
    JSON.stringify({ id: promptId, sample, response: text, tokens: [...tokens], finish }),
  );
  writeFileSync(file, rows.join('\n'));
  return file;
}

/** The command and a worker are killed; the same command goes on, and all is as in this process. */
async function givenResponses(cluster: LocalCluster, file: string): Promise<void> {
  const words = ['trace', '--engine', 'ray', '--address', cluster.address, '--rollouts', file];
  const first = pivottrace(...words, ...settings('there'));
  await until('the second shard', () => shardsOf('there') >= 2, first);
  first.process.kill('SIGKILL');
  const [worker] = cluster.workers('ray::_RemoteWorker');
  if (worker === undefined) throw new Error('there is no worker to kill');
  kill(worker);
  const there = shardsOf('there');
  const parts = PROMPTS / CHUNK;
  fact(
    there < parts,
    `the command and worker ${worker} were killed after ${there} of ${parts} shards`,
  );
  await first.ended;
  const second = await done('the same command', pivottrace(...words, ...settings('there')));
  fact(second.includes('Following job'), 'the same command follows the job that went on');
  fact(second.includes('was lost'), 'the loss of the worker is reported');
  const third = await done('a third time', pivottrace(...words, ...settings('there')));
  fact(
    /200 prompts traced, 0 new responses/.test(third) && !third.includes('Submitted'),
    'once all is there, nothing is submitted',
  );
  const found = await compareTraces(join(place, 'here'), join(place, 'there'));
  fact(found.responses === 2 * PROMPTS, `${found.responses} responses, each once`);
  for (const [name, apart] of Object.entries(found.apart))
    fact(apart <= 1e-3, `${name} is at most ${apart.toExponential(1)} apart`);
  fact(found.sameHeads, 'the same heads were chosen');
  const share = (100 * found.samePivots) / found.pivots;
  fact(share >= 99, `${share.toFixed(2)} % of ${found.pivots} pivots are the same`);
  fact(
    found.otherAnswer === null,
    `the same texts, answers and classes ${found.otherAnswer ?? ''}`,
  );
}

/** Probes of a round that was traced on the cluster get further responses there, though no address is given. */
async function probes(): Promise<void> {
  const answers = `label.answers=${join(root, 'data/answers.jsonl')}`;
  const said = await done('triage', pivottrace('triage', answers, ...settings('there')));
  fact(said.includes('Submitted job'), 'triage asks the cluster for further responses');
  const store = await openStore(join(place, 'there'));
  const plan = await store.probes.of('main');
  const counts = await store.rollouts.counts(0);
  await store.close();
  const sampled = plan.filter(({ promptId }) => counts.get(promptId) === 8);
  fact(
    plan.length === 10 && sampled.length === 10,
    `${sampled.length} of ${plan.length} probes have 8 responses`,
  );
}

/** The head is killed while workers sample; the command waits for it and goes on. */
async function lostHead(cluster: LocalCluster): Promise<void> {
  const words = ['trace', '--engine', 'ray', '--address', cluster.address];
  const running = pivottrace(...words, ...settings('sampled'));
  await until('the third shard', () => shardsOf('sampled') >= 3, running);
  await cluster.crash();
  await until('a complaint', () => running.said().includes('does not answer'), running);
  await cluster.restart();
  const said = await done('the command whose cluster was lost', running);
  fact(said.includes('answers again'), 'the head was killed, and its loss was reported');
  fact(/is lost .* submitted again/.test(said), 'the job was submitted to the new head');
  const store = await openStore(join(place, 'sampled'));
  const counts = await store.traces.counts(0);
  await store.close();
  fact(
    counts.size === PROMPTS && [...counts.values()].every((count) => count === 2),
    `${counts.size} prompts were sampled and traced twice by workers`,
  );
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Stands for verl: counts to fifteen, and goes on from its checkpoint. */
const stub = `#!/usr/bin/env bash
set -euo pipefail
HERE="$(cd "$(dirname "\${BASH_SOURCE[0]}")" && pwd)"
"$PYTHON" -c "import ray; ray.init(); print('workers', ray.get(ray.remote(lambda: 1).remote()))"
STEP="$(cat "$HERE/checkpoint" 2>/dev/null || echo 0)"
echo "begins at step $STEP"
while [ "$STEP" -lt 15 ]; do
  sleep 1
  STEP=$((STEP + 1))
  echo "$STEP" > "$HERE/checkpoint"
  echo "step:$STEP"
done
`;

async function stubTraining(cluster: LocalCluster): Promise<void> {
  const folder = join(place, "verl's export");
  mkdirSync(folder);
  writeFileSync(join(folder, 'launch.sh'), stub);
  const draft = {
    ...({ kind: 'pivottrace-export', format: 1, to: 'verl', votes: 'frozen' } as const),
    versions: { pivottrace: '0', trainer: null },
    plan: { name: 'main', revision: 0, round: 0, account: 'main' },
    ...{ model: { path: 'm', sha256: null }, entrypoint: 'bash launch.sh', self_weight: 1 },
    counts: { pool: 1, train: 1, val: 0, routes: {}, labels: {}, verifiers: {}, left_out: {} },
    ...{ notes: [], files: {}, kept: [], changes: null },
  };
  writeFileSync(join(folder, 'manifest.json'), manifestText(draft));
  const words = ['train', '--engine', 'verl', '--address', cluster.address, '--export', folder];
  const first = pivottrace(...words, ...settings('here'));
  const step = () => Number(readText(join(folder, 'checkpoint')));
  await until('the third step', () => step() >= 3, first);
  const [launch] = cluster.processes('bash launch.sh');
  if (launch === undefined) throw new Error('there is no training to kill');
  kill(launch);
  await until('the next attempt', () => first.said().includes('submitted again'), first);
  first.process.kill('SIGKILL');
  await first.ended;
  const second = await done('the same command', pivottrace(...words, ...settings('here')));
  fact(
    /begins at step ([3-9]|1\d)/.test(`${first.said()}${second}`),
    'a training that was killed goes on',
  );
  fact(second.includes('has succeeded'), 'a training was followed to its end by the same command');
  const third = await done('once more', pivottrace(...words, ...settings('here')));
  fact(third.includes('has succeeded before'), 'a training that is done is not done again');
}

/** The Python package by itself: style, types and tests, the kernel in Triton's interpreter. */
async function pythonTests(): Promise<void> {
  for (const words of [
    ['ruff', 'check', '.'],
    ['ruff', 'format', '--check', '.'],
    ['mypy'],
    ['pytest', '-q'],
  ]) {
    const child = spawn(python, ['-m', ...words], {
      cwd: join(root, 'ray'),
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TRITON_INTERPRET: '1', HF_HUB_OFFLINE: '1' },
    });
    let said = '';
    child.stdout.on('data', (part: Buffer) => {
      said += part;
    });
    const code = await new Promise<number | null>((end) =>
      child.once('exit', (status) => end(status)),
    );
    fact(code === 0, `python -m ${words.join(' ')}: ${said.trim().split('\n').at(-1)}`);
    if (code !== 0) console.log(said.slice(-4000));
  }
}

await pythonTests();
const cluster = await startCluster(python, 2);
try {
  const file = await inProcess();
  await givenResponses(cluster, file);
  await probes();
  await stubTraining(cluster);
  await lostHead(cluster);
} finally {
  await cluster.close();
  rmSync(place, { recursive: true, force: true });
}
console.log(failed === 0 ? 'all facts hold' : `${failed} facts do not hold`);
process.exitCode = failed === 0 ? 0 : 1;
