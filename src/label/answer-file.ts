/**
 * The oracle: sells answers from a sealed file, one label at a time, and keeps count.
 *
 * The only module that opens the sealed answers; nothing on the training side may import it. It
 * knows nothing of budgets (the desk does) or of what a label is used for.
 */
import { chmodSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { UserError } from '../core/errors.ts';
import { writeWhole } from '../core/files.ts';
import { type LedgerEntry, openLedger } from './ledger.ts';
import { type MistakeSettings, mistakeFor } from './mistakes.ts';
import { readAnswers } from './records.ts';
import type { LabelSource, SoldLabel } from './types.ts';

export interface AnswerFileSettings {
  /** The sealed answers, JSONL of {"id", "answer"}. */
  path: string;
  /** The audit log; by default `ledger.jsonl` beside the answers. */
  ledger?: string;
  /** Name of the labels' source. Default 'file'. */
  name?: string;
  /** Price of one label. Default 1. */
  cost?: number;
  /** Simulated mistakes. Default none. */
  mistakes?: MistakeSettings;
  /** Seconds that every purchase takes. Default 0. A delay in training steps is the desk's. */
  delaySeconds?: number;
}

export interface AnswerFile extends LabelSource {
  /** How many labels were sold to `account`, over all runs of the program. */
  sold(account: string): number;
  /** The ledger's lines of `account`, with `noisy`: for the audit. */
  ledger(account: string): LedgerEntry[];
}

/** Opens a sealed file. UserError when it cannot be read or a line is no record. */
export async function openAnswerFile(settings: AnswerFileSettings): Promise<AnswerFile> {
  const { path, name = 'file', cost = 1, mistakes, delaySeconds = 0 } = settings;
  const records = await readAnswers(path);
  const answers = new Map(records.map(({ id, answer }) => [id, answer]));
  const distinct = [...new Set(answers.values())];
  const ledger = openLedger(settings.ledger ?? join(dirname(path), 'ledger.jsonl'));

  const labelFor = (promptId: string): SoldLabel | undefined => {
    const right = answers.get(promptId);
    if (right === undefined) return undefined;
    const wrong = mistakes && mistakeFor(promptId, right, mistakes, distinct);
    return { promptId, answer: wrong ?? right, source: name, cost, noisy: wrong !== undefined };
  };

  return {
    name,
    async buy(promptIds, { account, run, step }) {
      if (delaySeconds > 0) await pause(1000 * delaySeconds);
      const labels = [...new Set(promptIds)]
        .map(labelFor)
        .filter((label): label is SoldLabel => label !== undefined);
      ledger.append(
        labels.map(({ promptId, noisy }) => ({
          account,
          prompt_id: promptId,
          run,
          step,
          source: name,
          cost,
          noisy,
        })),
      );
      return labels;
    },
    sold: (account) => ledger.entries.filter((entry) => entry.account === account).length,
    ledger: (account) => ledger.entries.filter((entry) => entry.account === account),
  };
}

/**
 * Seals answers apart from the prompts: adds them to the file at `path`, readable by its owner alone.
 * UserError, and the file as it was, when an id is there with another answer. Returns how many were added.
 */
export async function sealAnswers(
  path: string,
  entries: readonly { id: string; answer: string }[],
): Promise<number> {
  const answers = new Map<string, string>();
  if (existsSync(path)) {
    for (const { id, answer } of await readAnswers(path)) answers.set(id, answer);
  }
  const before = answers.size;
  for (const { id, answer } of entries) {
    const known = answers.get(id);
    if (known !== undefined && known !== answer.trim()) {
      throw new UserError({
        wanted: 'one answer per prompt',
        found: `two different answers for '${id}'`,
        where: path,
        fix: 'Correct the pool file, or start a new workspace.',
      });
    }
    answers.set(id, answer.trim());
  }
  const lines = [...answers].map(([id, answer]) => `${JSON.stringify({ id, answer })}\n`);
  writeWhole(path, lines.join(''));
  chmodSync(path, 0o600);
  return answers.size - before;
}
