/**
 * The audit log of labels sold: one JSON line per (account, prompt), synced before the label is handed out.
 *
 * Holds no answers. Knows nothing of where the answers are.
 */
import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { errorCode } from '../core/files.ts';

const entrySchema = z.object({
  account: z.string(),
  prompt_id: z.string(),
  run: z.string().nullable(),
  step: z.int().nullable(),
  source: z.string(),
  cost: z.number(),
  noisy: z.boolean(),
});

export type LedgerEntry = z.infer<typeof entrySchema>;

export interface Ledger {
  /** Appends those entries whose account and prompt are not there yet, and syncs. Returns how many were new. */
  append(entries: readonly LedgerEntry[]): number;
  /** In the order in which they were sold. */
  readonly entries: readonly LedgerEntry[];
}

/** Opens the ledger at `path`, or an empty one. A last line that was cut short by a crash is dropped. */
export function openLedger(path: string): Ledger {
  const entries = readEntries(path);
  const keyOf = (entry: LedgerEntry) => JSON.stringify([entry.account, entry.prompt_id]);
  const known = new Set(entries.map(keyOf));
  return {
    entries,
    append(wanted) {
      const fresh = new Map(wanted.map((entry) => [keyOf(entry), entry]));
      for (const key of fresh.keys()) if (known.has(key)) fresh.delete(key);
      if (fresh.size === 0) return 0;
      appendSynced(path, [...fresh.values()].map((entry) => `${JSON.stringify(entry)}\n`).join(''));
      for (const [key, entry] of fresh) {
        known.add(key);
        entries.push(entry);
      }
      return fresh.size;
    },
  };
}

function readEntries(path: string): LedgerEntry[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) truncate(path, Buffer.byteLength(whole));
  return whole
    .split('\n')
    .slice(0, -1)
    .map((line, index) => {
      try {
        return entrySchema.parse(JSON.parse(line));
      } catch (error) {
        throw new UserError(
          {
            wanted: 'a ledger entry',
            found: 'something else',
            where: `${path}:${index + 1}`,
            fix: 'Put back a copy of the ledger: it is the only account of labels sold.',
          },
          { cause: error },
        );
      }
    });
}

function truncate(path: string, bytes: number): void {
  const file = openSync(path, 'r+');
  try {
    ftruncateSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function appendSynced(path: string, text: string): void {
  const file = openSync(path, 'a', 0o600);
  try {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.byteLength; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
