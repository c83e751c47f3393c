/**
 * Kills the commands at random moments and gives each again; what comes of it has to equal a run that was
 * left alone: database, plans, ledger, metrics, evaluations, checkpoints and final weights, to the bit.
 *
 * The last line is one JSON object. Exit code 1 where something differs.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type RandomStream, stream } from '../../src/core/random.ts';
import { runCommand } from './commands.ts';
import { differences, endState } from './end-state.ts';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    model: { type: 'string', default: join(PACKAGE, 'models/reasoner') },
    prompts: { type: 'string', default: '300' },
    keep: { type: 'boolean', default: false },
  },
});

/** A command, and its share of all kills. */
interface Phase {
  name: string;
  words: string[];
  share: number;
}

const settings = [
  `model=${values.model}`,
  'trace.traces_per_prompt=2',
  'trace.profile_prompts=8',
  'triage.probe_share=0.1',
  'triage.probe_samples=16',
  'triage.resamples=200',
  'eval.file=test.jsonl',
  'eval.samples=2',
  'eval.every=4',
  'train.steps=12',
  'train.prompts_per_step=6',
  'train.checkpoint_every=3',
];
const dynamic = ['train.run=dynamic', 'train.dynamic.labels=160', 'train.dynamic.warmup_groups=6'];
const phases: Phase[] = [
  { name: 'trace', words: ['trace'], share: 0.3 },
  { name: 'triage', words: ['triage'], share: 0.2 },
  { name: 'label', words: ['label'], share: 0.1 },
  { name: 'train', words: ['train', 'train.run=fixed', 'train.dynamic.enabled=false'], share: 0.2 },
  { name: 'train dynamic', words: ['train', ...dynamic], share: 0.2 },
];

/** What one phase took undisturbed, and a second time when there was nothing left to do. */
interface Timing {
  seconds: number;
  again: number;
}

interface Row {
  phase: string;
  seconds: number;
  kills: number;
  attempts: number;
}

const say = (text: string) => process.stdout.write(`${text}\n`);

await main();

async function main(): Promise<void> {
  const rounds = Number(values.rounds);
  const folder = mkdtempSync(join(tmpdir(), 'pivottrace-kill-'));
  process.on('exit', () => {
    if (!values.keep) rmSync(folder, { recursive: true, force: true });
  });
  writeFiles(folder, Number(values.prompts));
  for (const name of ['alone', 'killed']) await prepare(folder, name);

  const timings: Timing[] = [];
  for (const phase of phases) {
    const { seconds } = await finish(phase, folder, 'alone');
    const { seconds: again } = await finish(phase, folder, 'alone');
    timings.push({ seconds, again });
    say(`left alone: ${phase.name} ${seconds.toFixed(1)} s, again ${again.toFixed(1)} s`);
  }

  const random = stream(Number(values.seed), 'kill');
  const rows: Row[] = [];
  let owed = 0;
  for (const [i, phase] of phases.entries()) {
    const left = rounds - rows.reduce((sum, row) => sum + row.kills, 0);
    const own = i === phases.length - 1 ? left : Math.round(rounds * phase.share) + owed;
    const row = await disturb(phase, folder, timings[i], Math.min(left, own), random);
    owed = Math.max(0, own - row.kills);
    rows.push(row);
  }

  const wanted = await endState(join(folder, 'alone'));
  const found = await endState(join(folder, 'killed'));
  const different = differences(wanted, found);
  if (wanted.sold.whileTraining === 0)
    different.push('no label was bought while training: tests nothing');
  report(rows, wanted, found, different);
  process.exitCode = different.length === 0 ? 0 : 1;
}

function writeFiles(folder: string, prompts: number): void {
  const lines = (name: string): string[] =>
    readFileSync(join(PACKAGE, 'data', name), 'utf8')
      .split('\n')
      .filter(Boolean);
  const answers = new Map(
    lines('answers.jsonl').map((line) => {
      const { id, answer }: { id: string; answer: string } = JSON.parse(line);
      return [id, answer];
    }),
  );
  const pool = lines('pool.jsonl')
    .slice(0, prompts)
    .map((line) => {
      const row: { id: string } = JSON.parse(line);
      return JSON.stringify({ ...row, answer: answers.get(row.id) });
    });
  writeFileSync(join(folder, 'pool.jsonl'), `${pool.join('\n')}\n`);
  writeFileSync(join(folder, 'test.jsonl'), `${lines('test.jsonl').slice(0, 24).join('\n')}\n`);
}

async function prepare(folder: string, workspace: string): Promise<void> {
  mkdirSync(join(folder, workspace));
  const pool = { name: 'pool', words: ['pool', 'pool.jsonl'], share: 0 };
  await finish(pool, folder, workspace);
}

function commandOf(phase: Phase, workspace: string): string[] {
  return [...phase.words, `workspace=${workspace}`, ...settings, '--quiet'];
}

async function finish(phase: Phase, folder: string, workspace: string) {
  const ending = await runCommand(commandOf(phase, workspace), folder, null);
  if (ending.code !== 0) {
    throw new Error(`${phase.name} in ${workspace} ended with ${ending.code}:\n${ending.stderr}`);
  }
  return ending;
}

/** Kills the phase `kills` times, spread over its start and its work, and then lets it end. */
async function disturb(
  phase: Phase,
  folder: string,
  timing: Timing,
  kills: number,
  random: RandomStream,
): Promise<Row> {
  const row: Row = { phase: phase.name, seconds: timing.seconds, kills: 0, attempts: 0 };
  let whole = false;
  let { again } = timing;
  while (row.kills < kills && row.attempts < 4 * kills) {
    row.attempts += 1;
    const delay = moment({ ...timing, again }, kills, whole, random);
    const ending = await runCommand(commandOf(phase, 'killed'), folder, delay);
    if (ending.killed) row.kills += 1;
    else if (ending.code === 0) {
      // With nothing left to do, kills fall into what such a command takes now.
      again = whole ? Math.min(again, ending.seconds) : again;
      whole = true;
    } else throw new Error(`${phase.name} ended with ${ending.code}:\n${ending.stderr}`);
    const what = ending.killed ? 'killed' : 'ended before the kill';
    say(`${phase.name}: ${what} after ${ending.seconds.toFixed(2)} s (${row.kills}/${kills})`);
  }
  await finish(phase, folder, 'killed');
  return row;
}

/**
 * Seconds until the kill. One in five falls into the start; the others reach beyond it by as much as lets
 * the work that is kept between kills last for all of them.
 */
function moment(
  { seconds, again }: Timing,
  kills: number,
  whole: boolean,
  random: RandomStream,
): number {
  const start = Math.min(again, seconds);
  if (whole || random.uniform() < 0.2) return (0.1 + 0.9 * random.uniform()) * start;
  const work = Math.max(0.3, seconds - start);
  return start * 0.7 + random.uniform() * Math.min(work, 0.2 + (3 * work) / kills);
}

type Found = Awaited<ReturnType<typeof endState>>;

function report(rows: readonly Row[], wanted: Found, found: Found, different: string[]): void {
  say('');
  say('phase            alone (s)  kills');
  for (const { phase, seconds, kills } of rows) {
    say(`${phase.padEnd(16)} ${seconds.toFixed(1).padStart(9)} ${String(kills).padStart(6)}`);
  }
  say('');
  say(`labels ${wanted.labels} and ${found.labels}, sold ${found.sold.lines}`);
  for (const one of different) say(`DIFFERENT ${one}`);
  const kills = rows.reduce((sum, row) => sum + row.kills, 0);
  const weights = (state: Found) =>
    [...state.files].filter(([path]) => path.endsWith('final/model.safetensors'));
  say(
    JSON.stringify({
      kills,
      equal: different.length === 0,
      differences: different.length,
      labels: found.labels,
      sold: found.sold.lines,
      sold_while_training: found.sold.whileTraining,
      rows: [...found.tables.values()].reduce((sum, table) => sum + table.length, 0),
      weights: Object.fromEntries(weights(found)),
      seed: Number(values.seed),
    }),
  );
}
