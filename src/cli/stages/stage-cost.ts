/**
 * What stages took: wall seconds by name, and the most memory a process has used. Kept in a file beside the
 * database, which holds results alone: two runs of one job end with equal databases.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../../core/files.ts';

const costsSchema = z.object({
  seconds: z.record(z.string(), z.number()),
  peak_memory_bytes: z.number().nullable(),
});

interface StageCosts {
  /** Wall seconds by stage. */
  seconds: Readonly<Record<string, number>>;
  /** Most resident memory of one process, bytes; null where no stage was timed. */
  peakMemory: number | null;
}

/** Parts of the stage `trace` that are timed by themselves too. */
export const CHOICE_OF_HEADS = 'trace/choice of heads';
export const HIDDEN_STATES = 'trace/hidden states';

const costsPath = (workspace: string) => join(workspace, 'costs.json');

/** What was timed in the workspace; a file that cannot be read counts as none. */
export function stageCosts(workspace: string): StageCosts {
  const path = costsPath(workspace);
  const parsed = costsSchema.safeParse(existsSync(path) ? parseJson(path) : undefined);
  if (!parsed.success) return { seconds: {}, peakMemory: null };
  return { seconds: parsed.data.seconds, peakMemory: parsed.data.peak_memory_bytes };
}

/** Runs `job` and adds its wall seconds to those of `stage`, also when it fails: a resumed stage took both. */
export async function timed<T>(
  workspace: string,
  stage: string,
  job: () => Promise<T>,
): Promise<T> {
  const started = performance.now();
  try {
    return await job();
  } finally {
    const spent = (performance.now() - started) / 1000;
    const { seconds, peakMemory } = stageCosts(workspace);
    // The system counts memory in kilobytes.
    const peak = Math.max(peakMemory ?? 0, process.resourceUsage().maxRSS * 1024);
    const all = { ...seconds, [stage]: (seconds[stage] ?? 0) + spent };
    writeWhole(
      costsPath(workspace),
      `${JSON.stringify({ seconds: all, peak_memory_bytes: peak })}\n`,
    );
  }
}

/** Forgets the time of a stage that starts again from nothing, and of its parts ("stage/part"). */
export function forgetSeconds(workspace: string, stage: string): void {
  const { seconds, peakMemory } = stageCosts(workspace);
  const others = Object.entries(seconds).filter(
    ([name]) => name !== stage && !name.startsWith(`${stage}/`),
  );
  const left = { seconds: Object.fromEntries(others), peak_memory_bytes: peakMemory };
  writeWhole(costsPath(workspace), `${JSON.stringify(left)}\n`);
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
