/** Writes settings as commented YAML: the resolved ones, or the file that a new project starts with. */
import { stringify } from 'yaml';
import { valueAt } from './complaints.ts';
import { type Field, fields } from './fields.ts';
import type { Config } from './schema.ts';

/** Every setting with its meaning; reading it back gives the same settings. */
export function printConfig(config: Config): string {
  return fields
    .map((field) => lines(field, valueAt(config, field.path), false))
    .join('')
    .trimStart();
}

/**
 * The file of a new project: `values` (by dotted key) are written out, everything else is there as a comment with its
 * default, so that a later version's better default is not pinned by accident.
 */
export function starterConfig(values: Readonly<Record<string, unknown>>): string {
  const body = fields.map((field) => {
    const key = field.path.join('.');
    const given = Object.hasOwn(values, key);
    return lines(field, given ? values[key] : field.value, !field.group && !given);
  });
  return `${header}\n${body.join('')}`;
}

const header = `# Settings of pivottrace. Lines that begin with "#" and a key show the default.
# Paths are relative to this file. On the command line any key can be given as key.path=value.`;

function lines(field: Field, value: unknown, isComment: boolean): string {
  const depth = field.path.length - 1;
  const indent = '  '.repeat(depth);
  const mark = isComment ? '# ' : '';
  const name = field.path[depth];
  if (field.group) return `\n${indent}# ${field.description}\n${indent}${name}:\n`;
  const gap = depth === 0 ? '\n' : '';
  return `${gap}${indent}# ${field.description} (${field.wanted})\n${indent}${mark}${name}: ${inline(value)}\n`;
}

/** A value on one line. */
export function inline(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0, blockQuote: false }).trimEnd();
}
