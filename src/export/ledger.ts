// routes.jsonl: every prompt of the pool, where it went and a checksum of its row, so that the next export can say what has
// changed. Knows nothing of files or trainers.
import { z } from 'zod';
import { jsonText } from './columns.ts';
import { sha256 } from './manifest.ts';
import type { ExportRow, LeftOut } from './types.ts';

export const ledgerName = 'routes.jsonl';

/** One line a prompt, in the order of the pool. */
export function ledgerText(rows: readonly ExportRow[], left: readonly LeftOut[]): string {
  const lines = [
    ...rows.map((row) => ({
      index: row.index,
      line: {
        ...{ id: row.id, route: row.route, label: row.label, weight: row.weight },
        vote: row.vote === null ? null : { share: row.vote.share, samples: row.vote.samples },
        left_out: null,
        sha256: sha256(jsonText(row)),
      },
    })),
    ...left.map(({ id, index, state, reason }) => ({
      index,
      line: { id, route: state, label: null, left_out: reason, sha256: null },
    })),
  ];
  lines.sort((a, b) => a.index - b.index);
  return lines.map(({ line }) => `${jsonText(line)}\n`).join('');
}

const lineSchema = z.object({ id: z.string(), sha256: z.string().nullable() });

export interface Changes {
  added: string[];
  changed: string[];
  removed: string[];
}

/** Which prompts of the training data differ between two ledgers. */
export function changesBetween(before: string, after: string): Changes {
  const old = rowsIn(before);
  const now = rowsIn(after);
  const added: string[] = [];
  const changed: string[] = [];
  for (const [id, sum] of now) {
    const known = old.get(id);
    if (known === undefined) added.push(id);
    else if (known !== sum) changed.push(id);
  }
  return { added, changed, removed: [...old.keys()].filter((id) => !now.has(id)) };
}

function rowsIn(ledger: string): Map<string, string> {
  const rows = new Map<string, string>();
  for (const text of ledger.split('\n')) {
    if (text === '') continue;
    const { id, sha256: sum } = lineSchema.parse(JSON.parse(text));
    if (sum !== null) rows.set(id, sum);
  }
  return rows;
}
