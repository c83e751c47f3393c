/**
 * What stages took: wall seconds by name, and the most memory a process has used. Kept in a file beside the
 * database, which holds results alone: two runs of one job end with equal databases.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../core/files.ts';
import { withFileLock } from './file-lock.ts';

const costsSchema = z.object({
  seconds: z.record(z.string(), z.number()),
  peak_memory_bytes: z.number().nullable(),
});

export interface StageCosts {
  /** Wall seconds by stage. */
  seconds: Readonly<Record<string, number>>;
  /** Most resident memory of one process, bytes; null where no stage was timed. */
  peakMemory: number | null;
}

const costsPath = (workspace: string) => join(workspace, 'costs.json');

/** What was timed in the workspace; a file that cannot be read counts as none. */
export function stageCosts(workspace: string): StageCosts {
  const path = costsPath(workspace);
  const parsed = costsSchema.safeParse(existsSync(path) ? parseJson(path) : undefined);
  if (!parsed.success) return { seconds: {}, peakMemory: null };
  return { seconds: parsed.data.seconds, peakMemory: parsed.data.peak_memory_bytes };
}

/** Changes what was timed; several commands may do so at once, and none undoes what another one did. */
export function changeCosts(workspace: string, change: (costs: StageCosts) => StageCosts): void {
  withFileLock(costsPath(workspace), () => {
    const { seconds, peakMemory } = change(stageCosts(workspace));
    const text = `${JSON.stringify({ seconds, peak_memory_bytes: peakMemory })}\n`;
    writeWhole(costsPath(workspace), text);
  });
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
