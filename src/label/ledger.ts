/**
 * The audit log of labels sold: one JSON line per (account, prompt), synced before the label is handed out.
 *
 * Holds no answers. Knows nothing of where the answers are.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { z } from 'zod';
import { UserError } from '../core/errors.ts';
import { errorCode } from '../core/files.ts';
import { withFileLock } from '../store/file-lock.ts';

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

/**
 * Opens the ledger at `path`, or an empty one. A last line that was cut short by a crash is dropped. Several processes
 * may have it open: each appends alone, and after it has read what the others appended.
 */
export function openLedger(path: string): Ledger {
  const entries: LedgerEntry[] = [];
  const known = new Set<string>();
  let bytes = 0;
  const catchUp = () => {
    const read = readEntries(path, bytes, entries.length);
    bytes = read.bytes;
    for (const entry of read.entries) {
      known.add(keyOf(entry));
      entries.push(entry);
    }
  };
  // A file that is not there is made by the first one who sells.
  if (existsSync(path)) withFileLock(path, catchUp);
  return {
    entries,
    append(wanted) {
      const unknown = () => wanted.filter((entry) => !known.has(keyOf(entry)));
      if (unknown().length === 0) return 0;
      return withFileLock(path, () => {
        catchUp();
        const fresh = new Map(unknown().map((entry) => [keyOf(entry), entry]));
        const lines = [...fresh.values()].map((entry) => `${JSON.stringify(entry)}\n`);
        if (fresh.size > 0) appendSynced(path, lines.join(''));
        catchUp();
        return fresh.size;
      });
    },
  };
}

function keyOf({ account, prompt_id: promptId }: LedgerEntry): string {
  return JSON.stringify([account, promptId]);
}

/** The entries behind the first `from` bytes, which hold `before` lines, and where the last one ends. */
function readEntries(
  path: string,
  from: number,
  before: number,
): { entries: LedgerEntry[]; bytes: number } {
  let all: Buffer;
  try {
    all = readFileSync(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { entries: [], bytes: 0 };
    throw error;
  }
  const bytes = all.lastIndexOf(0x0a) + 1;
  if (bytes < all.byteLength) truncate(path, bytes);
  const lines = all.toString('utf8', from, bytes).split('\n').slice(0, -1);
  const entries = lines.map((line, index) => {
    try {
      return entrySchema.parse(JSON.parse(line));
    } catch (error) {
      throw new UserError(
        {
          wanted: 'a ledger entry',
          found: 'something else',
          where: `${path}:${before + index + 1}`,
          fix: 'Put back a copy of the ledger: it is the only account of labels sold.',
        },
        { cause: error },
      );
    }
  });
  return { entries, bytes };
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
