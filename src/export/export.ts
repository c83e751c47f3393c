// An export as files: rows are chosen, written for the trainer that asked, described, and put into their folder. Knows nothing
// of the database or of configuration files.
import { UserError } from '../core/errors.ts';
import type { VerifierSpecs } from '../verify/verifiers.ts';
import { type Written, writeExport } from './folder.ts';
import { ledgerName, ledgerText } from './ledger.ts';
import type { Manifest } from './manifest.ts';
import { readmeText } from './readme.ts';
import { pythonKinds, type RewardRules, rewardSettings, specFor } from './reward-settings.ts';
import { type PoolState, type RowRules, selectRows } from './rows.ts';
import { type TrainerFormat, trainerFormats } from './trainer-formats.ts';
import type { ExportRow, LeftOut, RowPrompt, Trainer, TrainingNumbers, Votes } from './types.ts';

export interface ExportJob {
  trainer: Trainer;
  path: string;
  pool: PoolState;
  /** Held-out prompts with their answers. */
  held: readonly { id: string; prompt: RowPrompt; answer: string; source: string }[];
  specs: VerifierSpecs;
  rewards: RewardRules;
  /** `votes`: as asked, or null for what is usual with the trainer. */
  rules: Pick<RowRules, 'keepDiscarded' | 'whenMissing' | 'selfWeight'> & { votes: Votes };
  chat: 'messages' | 'text';
  model: Manifest['model'];
  numbers: TrainingNumbers;
  plan: Manifest['plan'];
  version: string;
}

/** Writes the folder. UserError where there is nothing to train on, or the folder is not ours. */
export function exportRun(job: ExportJob): Written {
  const format = trainerFormats[job.trainer];
  const judged = (source: string) =>
    !format.rewards || pythonKinds.includes(specFor(job.specs, source).kind);
  const { images, imagePlaceholders } = format;
  const { rows, left } = selectRows(job.pool, { ...job.rules, images, imagePlaceholders, judged });
  if (rows.length === 0) throw nothingLeft(left);
  const held = heldRows(job, judged);
  const { chat, model, numbers, trainer } = job;
  const { votes } = job.rules;
  const files = format.files({ trainer, rows, held, votes, chat, model: model.path, numbers });
  if (format.rewards) {
    const settings = rewardSettings(job.specs, job.rewards);
    files.set('reward.json', `${JSON.stringify(settings, null, 2)}\n`);
  }
  files.set(ledgerName, ledgerText(rows, left));
  const draft = {
    ...({ kind: 'pivottrace-export', format: 1, to: trainer } as const),
    versions: { pivottrace: job.version, trainer: format.versions },
    ...{ plan: job.plan, model, entrypoint: format.entrypoint, votes },
    self_weight: job.rules.selfWeight,
    counts: countsOf(job, rows, left, held.length),
    notes: notesOf(job, format, rows, held.length),
  };
  files.set('README.md', readmeText(draft));
  return writeExport(job.path, files, draft);
}

function nothingLeft(left: readonly LeftOut[]): UserError {
  const counts = Object.entries(tally(left.map(({ reason }) => reason)));
  const found = counts
    .map(([reason, count]) => `${count} ${reason.replaceAll('_', ' ')}`)
    .join(', ');
  return new UserError({
    wanted: 'prompts to train on',
    found: found === '' ? 'an empty pool' : `none: ${found}`,
    fix: '`pivottrace label` buys labels, label.when_missing=self trains on votes, train.min_vote_share says when a vote counts.',
  });
}

function heldRows({ held }: ExportJob, judged: (source: string) => boolean): ExportRow[] {
  return held
    .filter(({ source }) => judged(source))
    .map(({ id, prompt, answer, source }, index) => ({
      ...{ id, index, prompt, source, answer },
      ...{ route: 'annotate', label: 'verified', vote: null, weight: 1 },
    }));
}

function countsOf(
  { pool, specs }: ExportJob,
  rows: readonly ExportRow[],
  left: readonly LeftOut[],
  val: number,
): Manifest['counts'] {
  return {
    ...{ pool: pool.prompts.length, train: rows.length, val },
    routes: tally(rows.map(({ route }) => route)),
    labels: tally(rows.map(({ label }) => label)),
    verifiers: tally(rows.map(({ source }) => specFor(specs, source).kind)),
    left_out: tally(left.map(({ reason }) => reason)),
  };
}

function tally<T extends string>(names: readonly T[]): Record<T, number> {
  const counts = new Map<T, number>();
  for (const name of [...names].sort()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts) as Record<T, number>;
}

function notesOf(
  { trainer, numbers, rules, chat, held, rewards }: ExportJob,
  { rewards: judges }: TrainerFormat,
  rows: readonly ExportRow[],
  val: number,
): string[] {
  const notes: string[] = [];
  const note = (holds: boolean, text: string) => void (holds && notes.push(text));
  note(
    rules.selfWeight < 1 && numbers.advantage === 'std' && trainer !== 'jsonl',
    `Self-trained prompts weigh ${rules.selfWeight}, and the weight is in their reward: the trainer divides advantages by the standard deviation of the group, which takes it out again. Set train.advantage=none to carry it.`,
  );
  note(
    rows.length < numbers.promptsPerStep && trainer !== 'jsonl' && trainer !== 'trl',
    `A step has ${rows.length} prompts instead of ${numbers.promptsPerStep}: there are no more.`,
  );
  note(
    chat === 'text' && trainer === 'verl',
    'verl puts every prompt through the chat template of the model; the responses behind this plan were sampled without it.',
  );
  note(
    numbers.minP > 0 && (trainer === 'verl' || trainer === 'openrlhf'),
    'rollout.min_p is not carried over.',
  );
  note(numbers.topK > 0 && trainer === 'openrlhf', 'rollout.top_k is not carried over.');
  note(
    judges && rewards.undecided !== 'zero' && trainer !== 'trl',
    'A response that cannot be judged gets 0 here: the trainer cannot leave it out of its group.',
  );
  note(
    val < held.length,
    `${held.length - val} held-out prompts are left out: only pivottrace can judge their answers.`,
  );
  return notes;
}
