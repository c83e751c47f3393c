/** All formats, and which one a file is in. A new format is one file beside this, and a line in the list. */
import { UserError } from '../../core/errors.ts';
import { argilla } from './argilla.ts';
import { badItem, containerOf, itemsOf, type PlacedItem } from './container.ts';
import { csv, jsonl, labelStudioMin } from './flat.ts';
import { labelStudio } from './label-studio.ts';
import type { Entry, Format, FormatName, Place } from './types.ts';
import { BadItem, whereIs } from './values.ts';

/** In the order in which a JSON file is tried: the most particular shape first. */
export const formats: readonly Format[] = [csv, argilla, labelStudio, labelStudioMin, jsonl];

export function formatByName(name: FormatName): Format {
  const format = formats.find((one) => one.name === name);
  if (format === undefined) throw new Error(`no format ${name}`);
  return format;
}

export interface PlacedEntry {
  entry: Entry;
  place: Place;
  /** The same for the whole file. */
  format: Format;
}

/**
 * What people gave, entry by entry; `name` or else its content says how the file is read. UserError with the place for
 * what cannot be taken.
 */
export async function* readEntries(path: string, name?: FormatName): AsyncGenerator<PlacedEntry> {
  const container = name === 'csv' ? 'csv' : containerOf(path);
  if (container === 'csv' && name !== undefined && name !== 'csv') throw notJson(path, name);
  let format = name === undefined ? undefined : formatByName(name);
  for await (const placed of itemsOf(path, container)) {
    format ??= container === 'csv' ? csv : guessed(placed);
    const place = named(placed.place, format);
    for (const entry of entriesAt(format, placed, place)) yield { entry, place, format };
  }
}

function* entriesAt(format: Format, { item }: PlacedItem, place: Place): Generator<Entry> {
  try {
    yield* format.entries(item);
  } catch (error) {
    if (!(error instanceof BadItem)) throw error;
    throw badItem(error.message, whereIs(place));
  }
}

/** jsonl fits whatever nothing else does. */
function guessed({ item }: PlacedItem): Format {
  return formats.find((format) => format.fits(item)) ?? jsonl;
}

/** 'item 3' as the format calls it: 'task 3'. */
function named(place: Place, { noun }: Format): Place {
  return place.item === null ? place : { ...place, item: place.item.replace(/^item/, noun) };
}

function notJson(path: string, name: FormatName): UserError {
  return new UserError({
    wanted: `a JSON file, as ${name} is`,
    found: 'a file that begins otherwise',
    where: path,
    fix: 'Leave --format out, and it is guessed from the file.',
  });
}
