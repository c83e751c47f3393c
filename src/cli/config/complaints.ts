/** Turns what the schema found wrong into complaints that a person can act on. */
import type { z } from 'zod';
import { type Complaint, UserError } from '../../core/errors.ts';
import { type Field, fieldAt, fields, fieldsOf } from './fields.ts';
import { nearest } from './suggest.ts';

export type KeyPath = readonly PropertyKey[];

/** Where the value at a path was written. */
export type Place = (path: KeyPath) => string | undefined;

/** The first issue as a complaint; the others follow in its `fix`, so that one run shows them all. */
export function complain(
  issues: readonly z.core.$ZodIssue[],
  written: unknown,
  place: Place,
): UserError {
  const complaints = issues.flatMap((issue) => complaintsOf(issue, written, place));
  const [first = { wanted: 'settings', found: 'something else' }, ...others] = complaints;
  const rest = others.map((complaint) => new UserError(complaint).message);
  const fix = [first.fix ?? '', ...rest].filter((line) => line !== '').join('\n');
  return new UserError({ ...first, ...(fix === '' ? {} : { fix }) });
}

/** The complaint about a key that there is not, with the key that was probably meant. */
export function unknownKey(path: KeyPath, where: string | undefined): Complaint {
  const key = path.join('.');
  const group = path.slice(0, -1).join('.');
  const meant = suggestion(path);
  return {
    wanted:
      fieldAt(path.slice(0, -1)) === undefined
        ? 'a known setting'
        : `a known setting of "${group}"`,
    found: `"${key}"`,
    ...(where === undefined ? {} : { where }),
    fix:
      meant === undefined
        ? 'All settings: `pivottrace env --print-config`.'
        : `Did you mean "${meant}"?`,
  };
}

/** A sibling with a similar name, else the same or a similar name in another group. */
function suggestion(path: KeyPath): string | undefined {
  const group = path.slice(0, -1).join('.');
  const name = String(path.at(-1));
  const lastName = (field: Field): string => field.path.at(-1) ?? '';
  const sibling = nearest(name, fieldsOf(path.slice(0, -1)).map(lastName));
  if (sibling !== undefined) return group === '' ? sibling : `${group}.${sibling}`;
  const full = nearest(
    path.join('.'),
    fields.map((field) => field.path.join('.')),
  );
  const elsewhere = fields.find((field) => lastName(field) === name);
  return elsewhere?.path.join('.') ?? full;
}

function complaintsOf(issue: z.core.$ZodIssue, written: unknown, place: Place): Complaint[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      return unknownKey(path, place(path));
    });
  }
  const path = issue.path;
  const field = nearestField(path);
  const wanted = issue.code === 'custom' ? issue.message : (field?.wanted ?? 'a map of settings');
  const name = path.length === 0 ? 'settings' : `"${path.join('.')}"`;
  const where = place(path);
  return [
    {
      wanted: `${wanted} for ${name}`,
      found: foundText(valueAt(written, path)),
      ...(where === undefined ? {} : { where }),
    },
  ];
}

/** The field of a path, or of the list that the path leads into. */
function nearestField(path: KeyPath): Field | undefined {
  for (let length = path.length; length > 0; length--) {
    const field = fieldAt(path.slice(0, length));
    if (field !== undefined) return field;
  }
  return undefined;
}

export function valueAt(root: unknown, path: KeyPath): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.getOwnPropertyDescriptor(value, key)?.value;
  }
  return value;
}

function foundText(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 80))}`;
  return JSON.stringify(value).slice(0, 120);
}
