// Plain JSONL for everybody else: one prompt a line, with its label and where it comes from. No reward, no script.
import { jsonText, originOf } from './columns.ts';
import type { Bundle, ExportRow, FileSet } from './types.ts';

/** The files of the folder. Prompts stay as they are in the pool, images included. */
export function jsonlFiles({ rows, held }: Bundle): FileSet {
  const files: FileSet = new Map([['train.jsonl', linesOf(rows)]]);
  return held.length > 0 ? files.set('val.jsonl', linesOf(held)) : files;
}

function linesOf(rows: readonly ExportRow[]): string {
  return rows
    .map((row) => {
      const { id, ...origin } = originOf(row);
      const line = { id, prompt: row.prompt, answer: row.answer, ...origin };
      return `${jsonText(line)}\n`;
    })
    .join('');
}
