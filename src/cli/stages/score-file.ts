/** Scores that were made elsewhere, on a cluster say: a JSONL file of one line per prompt, taken into the store. */
import { createReadStream } from 'node:fs';
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { errorCode } from '../../core/files.ts';
import { type Progress, stopHere } from '../../core/progress.ts';
import { cutRecords } from '../../pool/lines.ts';
import type { Repositories, Store } from '../../store/types.ts';
import type { Score } from '../../triage/types.ts';
import { estimatorByName, estimatorNames } from '../../uncertainty/registry.ts';
import { isOfResponses } from './score-source.ts';

export interface ScoreFileNeeds {
  store: Store;
  file: string;
  round: number;
  progress: Progress;
  stop: AbortSignal;
}

/** Lines that are written at a time. */
const BATCH = 20_000;
const maxLineBytes = 2 ** 20;
/** A foreign key is violated: a score of no prompt. */
const noPrompt = '23503';

const wantedLine = '{"id": "...", "pivot_excess": 0.12, "mean_entropy": 0.31, "length": 812}';
const lineSchema = z.object({ id: z.string().min(1) }).catchall(z.number());

/**
 * Takes the scores of every prompt of the pool from `file`, all or nothing, and returns the names of the estimators.
 * Every line has an id and the same scores, by names of estimators; `length` is the mean number of response tokens.
 * UserError for a line that is none, a score of no estimator, an id that is not in the pool or comes twice, or a prompt
 * without scores.
 */
export async function takeScores(needs: ScoreFileNeeds): Promise<string[]> {
  const { store, progress } = needs;
  progress.start('scores', await store.prompts.count(), 'prompts');
  const names = await store.transaction((tables) => takeAll(needs, tables));
  await store.refresh();
  progress.finish(`scores by ${names.join(', ')} taken in`);
  return names;
}

async function takeAll(
  { file, round, progress, stop }: ScoreFileNeeds,
  tables: Repositories,
): Promise<string[]> {
  const ids = new Set<string>();
  let names: string[] = [];
  let batch: z.infer<typeof lineSchema>[] = [];
  const write = async () => {
    stopHere(stop, 'Taking in scores');
    await put(tables, round, names, batch, file);
    batch = [];
    progress.update(ids.size);
  };
  for await (const { line, where } of linesOf(file)) {
    if (ids.size === 0) names = namesIn(line, where);
    requireScores(line, names, where);
    if (ids.has(line.id)) {
      throw new UserError({ wanted: 'one line per prompt', found: `"${line.id}" again`, where });
    }
    ids.add(line.id);
    batch.push(line);
    if (batch.length >= BATCH) await write();
  }
  await write();
  await requireAll(tables, ids, file);
  return names;
}

async function* linesOf(
  file: string,
): AsyncGenerator<{ line: z.infer<typeof lineSchema>; where: string }> {
  const cut = { maxBytes: maxLineBytes, quoted: false, delimiter: 0 };
  try {
    for await (const { line, bytes, refused } of cutRecords(createReadStream(file), cut)) {
      const where = `${file}:${line}`;
      const shown = bytes.toString('utf8');
      if (refused !== undefined) throw new UserError({ wanted: wantedLine, found: refused, where });
      yield { line: parsed(shown, where), where };
    }
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new UserError(
      { wanted: 'a readable file of scores', found: errorCode(error), where: file },
      { cause: error },
    );
  }
}

function parsed(text: string, where: string): z.infer<typeof lineSchema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const result = lineSchema.safeParse(json);
  if (result.success) return result.data;
  throw new UserError({ wanted: wantedLine, found: text.slice(0, 80), where });
}

/** The estimators that the first line has scores of. */
function namesIn(line: z.infer<typeof lineSchema>, where: string): string[] {
  const possible = estimatorNames.filter((name) => isOfResponses(estimatorByName(name)));
  const names = Object.keys(line).filter((key) => key !== 'id');
  const strange = names.find((name) => !possible.includes(name));
  if (names.length > 0 && strange === undefined) return names.sort();
  throw new UserError({
    wanted: `scores by name of an estimator (${possible.join(', ')})`,
    found: strange === undefined ? 'none' : `"${strange}"`,
    where,
  });
}

function requireScores(
  line: z.infer<typeof lineSchema>,
  names: readonly string[],
  where: string,
): void {
  if (Object.keys(line).length === names.length + 1 && names.every((name) => name in line)) return;
  throw new UserError({
    wanted: `an id and ${names.join(', ')}, as in the first line`,
    found: Object.keys(line).join(', '),
    where,
  });
}

async function put(
  tables: Repositories,
  round: number,
  names: readonly string[],
  batch: readonly z.infer<typeof lineSchema>[],
  file: string,
): Promise<void> {
  try {
    for (const name of names) {
      const scores = batch.map((line): Score => ({ promptId: line.id, value: Number(line[name]) }));
      await tables.scores.put(round, name, scores);
    }
  } catch (error) {
    if (errorCode(error) !== noPrompt) throw error;
    throw new UserError(
      {
        wanted: 'scores of prompts of the pool',
        found: 'an id that is not in it',
        where: file,
        fix: 'Read the prompts in first: `pivottrace pool FILE...`.',
      },
      { cause: error },
    );
  }
}

async function requireAll(
  tables: Repositories,
  ids: ReadonlySet<string>,
  file: string,
): Promise<void> {
  const prompts = (await tables.prompts.count()) - (await tables.prompts.withImages()).length;
  if (ids.size >= prompts) return;
  throw new UserError({
    wanted: `scores of all ${prompts} prompts of the pool`,
    found: `${ids.size} lines`,
    where: file,
  });
}
