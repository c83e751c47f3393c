/** `label --export`: what waits for a label, or the labels of the account, as files for people who work elsewhere. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { errorCode, writeWhole } from '../../core/files.ts';
import { formatByName } from '../../label/formats/registry.ts';
import type { Format, FormatName, Item, OutgoingLabel } from '../../label/formats/types.ts';
import { written } from '../../label/formats/written.ts';
import { labelTimes } from '../../label/label-times.ts';
import type { Store } from '../../store/types.ts';
import type { Config } from '../config.ts';
import { counted } from '../table.ts';
import { waitingTasks } from './label-waiting.ts';
import { labelAccount } from './labels.ts';

export interface ExportRequest {
  path: string;
  /** undefined: by the ending of the file. */
  format?: FormatName;
  what: 'tasks' | 'labels';
  /** Show annotators what the policy answers. */
  withVotes: boolean;
}

const byEnding: Readonly<Record<string, FormatName>> = { '.csv': 'csv', '.jsonl': 'jsonl' };

/** The outcome as text and as data. UserError, with nothing written, where a file is there already. */
export async function exportLabels(
  store: Store,
  config: Config,
  request: ExportRequest,
): Promise<{ text: string; data: Record<string, unknown> }> {
  const format = formatOf(request);
  const { what, withVotes } = request;
  if (withVotes) refuseVotes(format, what);
  const account = labelAccount(config);
  const { items, rows } =
    what === 'tasks'
      ? await taskItems(store, config, account, format, withVotes)
      : await labelItems(store, account, format);
  const files = items.length === 0 ? [] : writeItems(request.path, format, items);
  return {
    text: textOf(format, request, account, rows, files),
    data: { account, what, format: format.name, rows, files, with_votes: withVotes },
  };
}

interface Outgoing {
  items: Item[];
  rows: number;
}

async function taskItems(
  store: Store,
  config: Config,
  account: string,
  format: Format,
  withVotes: boolean,
): Promise<Outgoing> {
  const tasks = await waitingTasks(store, config, account, withVotes);
  return { items: [...format.taskItems(tasks, withVotes)], rows: tasks.length };
}

async function labelItems(store: Store, account: string, format: Format): Promise<Outgoing> {
  const labels = await labelsOf(store, account);
  return { items: [...format.labelItems(labels)], rows: labels.length };
}

/** In the order in which they were given, so that the first one of a prompt still counts when they are read again. */
async function labelsOf(store: Store, account: string): Promise<OutgoingLabel[]> {
  const owned = await store.labels.owned(account);
  const prompts = await store.prompts.list(owned.map(({ promptId }) => promptId));
  const byId = new Map(prompts.map((prompt) => [prompt.id, prompt]));
  const timeOf = await labelTimes(store, account);
  return owned.flatMap(({ promptId, answer, source: annotator, cost, run, step }) => {
    const prompt = byId.get(promptId);
    if (prompt === undefined) return [];
    const { id, prompt: content, source } = prompt;
    const at = timeOf(promptId, annotator);
    return [{ id, prompt: content, source, answer, annotator, cost, run, step, at }];
  });
}

function formatOf({ path, format }: ExportRequest): Format {
  const name = format ?? byEnding[extname(path).toLowerCase()];
  if (name !== undefined) return formatByName(name);
  throw new UserError({
    wanted: 'a file that ends in .csv or .jsonl, or a --format',
    found: `"${basename(path)}"`,
    fix: 'For example --format label-studio, or --format argilla.',
  });
}

function refuseVotes({ title, takesVotes }: Format, what: ExportRequest['what']): void {
  if (takesVotes && what === 'tasks') return;
  throw new UserError({
    wanted: 'tasks in a format with a place for predictions, as --with-votes needs',
    found: what === 'tasks' ? title : '--what labels',
  });
}

/** Writes one file, or several numbered ones where the format takes only so many items in one. Returns the paths. */
function writeItems(path: string, format: Format, items: readonly Item[]): string[] {
  const most = format.mostItems ?? items.length;
  const count = Math.ceil(items.length / most);
  const parts = Array.from({ length: count }, (_, i) => ({
    path: count === 1 ? path : numbered(path, i + 1),
    items: items.slice(i * most, (i + 1) * most),
  }));
  const { companion } = format;
  const beside = companion === null ? undefined : join(dirname(path), companion.name);
  for (const part of parts) refuseExisting(part.path);
  if (companion !== null && beside !== undefined) refuseExisting(beside, companion.text);
  try {
    for (const part of parts) writeWhole(part.path, bytesOf(written(format.container, part.items)));
    if (companion !== null && beside !== undefined) writeWhole(beside, companion.text);
  } catch (error) {
    throw new UserError(
      { wanted: 'a folder that can be written to', found: errorCode(error), where: dirname(path) },
      { cause: error },
    );
  }
  return [...parts.map((part) => part.path), ...(beside === undefined ? [] : [beside])];
}

/** `tasks.json` becomes `tasks-2.json`. */
function numbered(path: string, number: number): string {
  const ending = extname(path);
  return `${path.slice(0, path.length - ending.length)}-${number}${ending}`;
}

/** Somebody may have filled it in. A file that holds `same` already is no harm. */
function refuseExisting(path: string, same?: string): void {
  if (!existsSync(path) || (same !== undefined && readFileSync(path, 'utf8') === same)) return;
  throw new UserError({
    wanted: 'a file that is not there yet',
    found: 'one of this name',
    where: path,
    fix: 'Nothing was written. Choose another name, or move the file away.',
  });
}

function* bytesOf(texts: Iterable<string>): Generator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text, 'utf8');
}

function textOf(
  { title, companion }: Format,
  { what, withVotes }: ExportRequest,
  account: string,
  rows: number,
  files: readonly string[],
): string {
  if (files.length === 0) {
    return what === 'tasks'
      ? 'Nothing waits for a label; nothing was written.'
      : `The account ${account} has no labels; nothing was written.`;
  }
  const word = what === 'tasks' ? 'question' : 'label';
  const main = companion === null ? files : files.slice(0, -1);
  const names = main.length > 3 ? `${main[0]} to ${main.at(-1)}` : main.join(', ');
  return [
    `${counted(rows, word)} of the account ${account} written to ${names} (${title}).`,
    ...(companion === null ? [] : [`${files.at(-1)} ${companion.use}.`]),
    ...(withVotes ? ['They show what the policy answers, which sways people.'] : []),
  ].join('\n');
}
