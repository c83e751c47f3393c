/**
 * The folder of a job: its settings, what of it is done, and whether it is still the job that the bench file asks
 * for. A folder is there whole or not at all, and its note of what is done never runs ahead of the disk.
 */
import { constants, cpSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { differences } from '../../../core/differences.ts';
import { UserError } from '../../../core/errors.ts';
import { fileHash, makeFolders, readJson, writeWhole } from '../../../core/files.ts';
import { configFileName } from '../../config.ts';
import { modelIdentity } from '../model-identity.ts';
import type { CellJob, SharedJob } from './jobs.ts';
import { cellFile } from './settings.ts';

export type Job = SharedJob | CellJob;

const noteSchema = z.strictObject({
  /** Everything that its result follows from. */
  job: z.unknown(),
  /** Verbs that have ended well, and the wall seconds of each. */
  done: z.array(z.strictObject({ verb: z.string(), seconds: z.number() })),
});

const NOTE = 'job.json';

/** What belongs to a folder and not to the workspace in it. */
const OWN = [NOTE, 'cell.log', 'before.json', 'result.json', 'owner.lock', configFileName];

/** Hashes of the files and models that settings name; each is read once. */
export class Inputs {
  private readonly known = new Map<string, Promise<string>>();

  /** Key and hash of each of `paths`; what is not there is left to the verb that needs it. */
  async of(paths: Job['paths']): Promise<Record<string, string[]>> {
    const found: Record<string, string[]> = {};
    for (const [key, path] of paths) {
      if (!existsSync(path)) continue;
      const hash = this.known.get(path) ?? (key === 'model' ? modelIdentity(path) : fileHash(path));
      this.known.set(path, hash);
      found[key] = [...(found[key] ?? []), await hash];
    }
    return found;
  }
}

/** Everything that the result of `job` follows from, as plain JSON. Threads do not change results. */
export async function identityOf(job: Job, inputs: Inputs): Promise<unknown> {
  const { 'engine.threads': _, ...settings } = job.values;
  return {
    verbs: job.verbs,
    settings,
    inputs: await inputs.of(job.paths),
    ...(job.kind === 'shared'
      ? {}
      : {
          budget: job.budget,
          from: job.from === null ? null : await identityOf(job.from, inputs),
        }),
  };
}

/** What differs between the job in the folder and `identity`; null where there is no folder. */
export function changes(job: Job, identity: unknown): string[] | null {
  if (!existsSync(job.folder)) return null;
  return differences(noteOf(job.folder).job, JSON.parse(JSON.stringify(identity)));
}

export function doneVerbs(folder: string): string[] {
  return existsSync(folder) ? noteOf(folder).done.map(({ verb }) => verb) : [];
}

/** Wall seconds of the verbs that have ended. */
export function jobSeconds(folder: string): number {
  return noteOf(folder).done.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** Is all of the job's work on disk? */
export function isFinished(job: Job): boolean {
  return job.kind === 'cell'
    ? existsSync(join(job.folder, 'result.json'))
    : doneVerbs(job.folder).length === job.verbs.length;
}

/** Makes the folder, with a copy of the workspace that the job begins from, unless it is there. */
export function openFolder(job: Job, identity: unknown, threads: number): void {
  if (!existsSync(job.folder)) {
    const temporary = `${job.folder}.tmp`;
    rmSync(temporary, { recursive: true, force: true });
    makeFolders(temporary);
    if (job.kind === 'cell' && job.from !== null) copyWorkspace(job.from.folder, temporary);
    writeWhole(join(temporary, NOTE), noteText(identity, []));
    renameSync(temporary, job.folder);
  }
  writeSettings(job, threads, {});
}

function copyWorkspace(from: string, to: string): void {
  cpSync(from, to, {
    recursive: true,
    // Copies on write where the file system can.
    mode: constants.COPYFILE_FICLONE,
    filter: (path) => dirname(path) !== from || !OWN.includes(basename(path)),
  });
}

/** Writes pivottrace.yaml, with which a person can run the verbs by hand. */
export function writeSettings(
  job: Job,
  threads: number,
  more: Readonly<Record<string, unknown>>,
): void {
  const values = { 'engine.threads': threads, ...job.values, ...more };
  writeWhole(join(job.folder, configFileName), cellFile(values));
}

export function noteDone(folder: string, verb: string, seconds: number): void {
  const { job, done } = noteOf(folder);
  writeWhole(join(folder, NOTE), noteText(job, [...done, { verb, seconds }]));
}

function noteText(job: unknown, done: z.infer<typeof noteSchema>['done']): string {
  return `${JSON.stringify({ job, done }, null, 1)}\n`;
}

function noteOf(folder: string): z.infer<typeof noteSchema> {
  const path = join(folder, NOTE);
  const parsed = noteSchema.safeParse(existsSync(path) ? readJson(path) : undefined);
  if (parsed.success) return parsed.data;
  throw new UserError({
    wanted: 'a folder of this bench',
    found: existsSync(path) ? 'a job.json that cannot be read' : 'a folder without job.json',
    where: folder,
    fix: 'Delete the folder, or choose another `out`.',
  });
}

/** The last lines that the verbs of a job wrote. */
export function logTail(folder: string, lines: number): string {
  const path = join(folder, 'cell.log');
  if (!existsSync(path)) return '';
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}
