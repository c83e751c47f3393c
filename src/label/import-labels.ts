/**
 * Labels that people give as files: all of it goes into an account, or nothing.
 *
 * Knows nothing of sealed answers; the files are the people's own.
 */
import { UserError } from '../core/errors.ts';
import type { LabelRecord, OwnedLabel, Repositories, Store } from '../store/types.ts';
import { readEntries } from './formats/registry.ts';
import type { FormatName, GivenAnswer, GivenBy, IgnoredKind, Place } from './formats/types.ts';
import { placeText, shown, whereIs } from './formats/values.ts';

export interface ImportSettings {
  /** One file or several, in any of the formats. */
  path: string | readonly string[];
  account: string;
  /** Name of the annotator where a file names none. Default 'people'. */
  source?: string;
  /** Labels that the account may own in all; null or absent = no limit. */
  budget?: number | null;
  /** Absent: guessed from each file's content. */
  format?: FormatName;
  /** Names of annotators by what the files call them. */
  names?: ReadonlyMap<string, string>;
}

/** One of several answers to a prompt. */
export interface GivenLabel {
  source: string;
  answer: string;
  /** 'line 3' of the file, or 'the account'. */
  at: string;
}

/** A prompt that was answered with different texts; the first one counts. */
export interface Contested {
  promptId: string;
  given: GivenLabel[];
}

export interface Imported {
  added: number;
  /** Were there already with the same answer. */
  unchanged: number;
  /** What makes no label, by reason. */
  ignored: Partial<Record<IgnoredKind, number>>;
  /** Titles of the formats that were read. */
  formats: string[];
  /** Annotators of this import, in order of appearance. */
  sources: string[];
  contested: Contested[];
}

/** A label in a file. */
interface Row {
  id: string;
  answer: string;
  source: string;
  cost: number;
  /** In milliseconds since 1970; null = not known. */
  at: number | null;
  place: Place;
}

const listed = 10;

/**
 * Imports labels. UserError, with nothing written, when an entry cannot be read, names an unknown prompt,
 * contradicts another entry or a label of the same annotator, or when the budget does not allow all of them.
 */
export async function importLabels(
  store: Pick<Store, 'transaction'>,
  settings: ImportSettings,
): Promise<Imported> {
  const { account, budget = null } = settings;
  const { rows, ...read } = await readRows(settings);
  return store.transaction(async ({ desk, prompts, labels }) => {
    // Before anything is read: what is checked here must still hold when the labels go in.
    await desk.lock(account);
    const ids = [...new Set(rows.map((row) => row.id))];
    refuseUnknown(rows, new Set(await prompts.unknown(ids)));
    const owned = await labels.owned(account, ids);
    const overruled = await overruledIn({ desk, labels }, account, ids);
    const taken = rows.filter((row) => !overruled.has(keyOf(row.id, row.source, row.answer)));
    refuseContradictions(taken, owned);
    refuseOverspending(taken, owned, await labels.count(account), budget);
    const added = await labels.add(account, taken.map(recordOf));
    return { ...read, added, unchanged: rows.length - added, contested: contests(taken, owned) };
  });
}

/** Labels that an admin has ruled against: the file that they came from does not bring them back. */
async function overruledIn(
  { desk, labels }: Pick<Repositories, 'desk' | 'labels'>,
  account: string,
  ids: readonly string[],
): Promise<Set<string>> {
  const standing = await desk.standing(account, ids);
  const rulings = standing.filter(({ adjudicates }) => adjudicates);
  const ruled = new Map(rulings.map(({ promptId, at }) => [promptId, at]));
  if (ruled.size === 0) return new Set();
  const lost = (await labels.audit(account)).filter(
    ({ promptId, withdrawnAt }) => withdrawnAt !== null && ruled.get(promptId) === withdrawnAt,
  );
  return new Set(lost.map(({ promptId, source, answer }) => keyOf(promptId, source, answer)));
}

function keyOf(...parts: string[]): string {
  return JSON.stringify(parts);
}

function recordOf({ id, answer, source, cost }: Row): LabelRecord {
  return { promptId: id, answer, source, cost, noisy: false, run: null, step: null };
}

type ReadRows = Pick<Imported, 'ignored' | 'formats' | 'sources'> & { rows: Row[] };

async function readRows(settings: ImportSettings): Promise<ReadRows> {
  const { path, format } = settings;
  const rows = new Map<string, Row>();
  const ignored: Imported['ignored'] = {};
  const formats = new Set<string>();
  for (const file of typeof path === 'string' ? [path] : path) {
    for await (const placed of readEntries(file, format)) {
      formats.add(placed.format.title);
      const { kind } = placed.entry;
      if (kind === 'answer') takeRow(rows, rowOf(placed.entry, placed.place, settings));
      else ignored[kind] = (ignored[kind] ?? 0) + 1;
    }
  }
  const inOrder = earliestFirst([...rows.values()]);
  const sources = new Set(inOrder.map((row) => row.source));
  return { rows: inOrder, ignored, formats: [...formats], sources: [...sources] };
}

function rowOf(given: GivenAnswer, place: Place, settings: ImportSettings): Row {
  const { promptId: id, answer, by, cost, at } = given;
  return { id, answer, source: sourceOf(by, settings), cost: cost ?? 1, at, place };
}

/** A number or a UUID is no name: it goes behind the one that was given for the file. */
function sourceOf(by: GivenBy | null, { source = 'people', names }: ImportSettings): string {
  if (by === null) return source;
  return names?.get(by.text) ?? (by.isName ? by.text : `${source} ${by.text}`);
}

/**
 * The answers to a prompt in the order in which they were given, where that is known of all of them: some programs list
 * the last one first. Prompts stay in the order of the file.
 */
function earliestFirst(rows: readonly Row[]): Row[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.id);
    if (group === undefined) groups.set(row.id, [row]);
    else group.push(row);
  }
  return [...groups.values()].flatMap((group) =>
    group.every(({ at }) => at !== null) ? group.sort((a, b) => (a.at ?? 0) - (b.at ?? 0)) : group,
  );
}

/** An exact repetition is dropped. */
function takeRow(rows: Map<string, Row>, row: Row): void {
  const key = keyOf(row.id, row.source);
  const before = rows.get(key);
  if (before === undefined) rows.set(key, row);
  else if (before.answer !== row.answer) {
    throw new UserError({
      wanted: 'one answer per id and annotator',
      found: `'${shown(row.id)}' with another answer than in ${placeText(before.place)}`,
      where: whereIs(row.place),
      fix: 'Keep the right one of the two. Nothing was taken from the file.',
    });
  }
}

function refuseUnknown(rows: readonly Row[], unknown: ReadonlySet<string>): void {
  const wrong = rows.filter((row) => unknown.has(row.id));
  if (wrong.length === 0) return;
  throw new UserError({
    wanted: 'ids of prompts in the pool',
    found: `${wrong.length} unknown: ${listOf(wrong)}`,
    where: whereIs(wrong[0].place),
    fix: 'Correct the ids, or add the prompts to the pool first. Nothing was taken from the file.',
  });
}

function refuseContradictions(rows: readonly Row[], owned: readonly OwnedLabel[]): void {
  const before = new Map(
    owned.map(({ promptId, source, answer }) => [keyOf(promptId, source), answer]),
  );
  const wrong = rows.filter(
    ({ id, source, answer }) => (before.get(keyOf(id, source)) ?? answer) !== answer,
  );
  if (wrong.length === 0) return;
  throw new UserError({
    wanted: `answers that agree with the labels of '${shown(wrong[0].source)}' in the store`,
    found: `other answers for ${listOf(wrong)}`,
    where: whereIs(wrong[0].place),
    fix: 'Remove these, or give the labels another source name. Nothing was taken from the file.',
  });
}

function refuseOverspending(
  rows: readonly Row[],
  owned: readonly OwnedLabel[],
  count: number,
  budget: number | null,
): void {
  const labelled = new Set(owned.map((label) => label.promptId));
  const fresh = new Set(rows.map((row) => row.id).filter((id) => !labelled.has(id)));
  const total = count + fresh.size;
  if (budget === null || total <= budget || fresh.size === 0) return;
  throw new UserError({
    wanted: `at most ${budget} labels in all`,
    found: `${total} with this file`,
    where: rows[0].place.path,
    fix: 'Raise the budget, or import fewer labels. Nothing was taken from the file.',
  });
}

function contests(rows: readonly Row[], owned: readonly OwnedLabel[]): Contested[] {
  const byPrompt = new Map<string, GivenLabel[]>();
  const add = (id: string, label: GivenLabel): void => {
    const given = byPrompt.get(id) ?? [];
    // What is in the account already comes again with the same file.
    if (!given.some(({ source }) => source === label.source)) given.push(label);
    byPrompt.set(id, given);
  };
  for (const { promptId, source, answer } of owned) {
    add(promptId, { source, answer, at: 'the account' });
  }
  for (const { id, source, answer, place } of rows)
    add(id, { source, answer, at: placeText(place) });
  return [...byPrompt]
    .filter(([, given]) => new Set(given.map(({ answer }) => answer)).size > 1)
    .map(([promptId, given]) => ({ promptId, given }));
}

function listOf(rows: readonly Row[]): string {
  const items = rows
    .slice(0, listed)
    .map(({ id, place }) => `'${shown(id)}' (${placeText(place)})`);
  const more = rows.length - listed;
  return items.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
