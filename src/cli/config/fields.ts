/**
 * The settings as a flat list, read off the schema: what the printed configuration, the reference page and
 * the error messages say about a key.
 */
import { z } from 'zod';
import { configSchema } from './schema.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

export interface Field {
  /** `['train', 'lr']` */
  path: readonly string[];
  /** A group has fields below it and no value of its own. */
  group: boolean;
  description: string;
  /** What may stand there, as people say it: `a number from 0 to 1`. */
  wanted: string;
  /** undefined for groups. */
  value: unknown;
  /** A path, made absolute when loaded. */
  isPath: boolean;
}

/** In the path of a field: any name that a person gives, where a setting is a map of groups. */
const anyName = '*';

const everywhere = walk(z.toJSONSchema(configSchema, { io: 'input' }), []);

/** All groups and keys in the order of the schema, a group before its keys. Nothing that is in a map. */
export const fields: readonly Field[] = everywhere.filter(({ path }) => !path.includes(anyName));

/** The field at `path`, in a map too, or undefined where there is none. */
export function fieldAt(path: readonly PropertyKey[]): Field | undefined {
  return everywhere.find((field) => isAt(field, path));
}

/** The fields of the group at `path`, in a map too. */
export function fieldsOf(path: readonly PropertyKey[]): Field[] {
  return everywhere.filter((field) => isAt({ path: field.path.slice(0, -1) }, path));
}

function isAt(field: Pick<Field, 'path'>, path: readonly PropertyKey[]): boolean {
  return (
    field.path.length === path.length &&
    field.path.every((name, i) => name === anyName || name === path[i])
  );
}

/** All fields with their paths in `root`, where maps have names. */
export function fieldsIn(root: unknown): Field[] {
  return everywhere.flatMap((field) =>
    pathsIn(root, field.path).map((path) => ({ ...field, path })),
  );
}

function pathsIn(root: unknown, path: readonly string[]): string[][] {
  const [first, ...rest] = path;
  if (first === undefined) return [[]];
  const inside = new Map(typeof root === 'object' && root !== null ? Object.entries(root) : []);
  const names = first === anyName ? [...inside.keys()] : [first];
  return names.flatMap((name) => pathsIn(inside.get(name), rest).map((tail) => [name, ...tail]));
}

function walk(schema: JsonSchema, path: readonly string[]): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    if (typeof child === 'boolean') return [];
    const here = [...path, name];
    const group = child.properties !== undefined;
    const field: Field = {
      path: here,
      group,
      description: child.description ?? '',
      wanted: wantedText(child),
      value: group ? undefined : child.default,
      isPath: child.path === true,
    };
    return [field, ...walk(child, here), ...walkMap(child, here)];
  });
}

/** What stands in a map of groups, whatever the names in it. */
function walkMap({ additionalProperties: entry }: JsonSchema, path: readonly string[]): Field[] {
  if (typeof entry !== 'object' || entry.properties === undefined) return [];
  return walk({ properties: { [anyName]: entry } }, path);
}

function wantedText(schema: JsonSchema | boolean): string {
  if (typeof schema === 'boolean') return 'anything';
  if (schema.anyOf !== undefined) {
    const isPath = schema.path === true;
    return schema.anyOf.map((one) => wantedText({ ...Object(one), path: isPath })).join(' or ');
  }
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`;
  switch (schema.type) {
    case 'null':
      return 'null';
    case 'boolean':
      return 'true or false';
    case 'integer':
      return `a whole number${rangeText(schema)}`;
    case 'number':
      return `a number${rangeText(schema)}`;
    case 'array':
      return listText(schema);
    case 'object':
      return Object(schema.additionalProperties).properties === undefined
        ? 'a group of settings'
        : 'a map of groups of settings';
    default:
      if (schema.path === true) return 'a path';
      return schema.pattern === undefined ? 'text' : 'a name of letters, digits, dots and dashes';
  }
}

function listText(schema: JsonSchema): string {
  const choices =
    typeof schema.items === 'object' && 'enum' in schema.items ? schema.items.enum : undefined;
  if (choices !== undefined) return `a list of any of ${choices.join(', ')}`;
  if (schema.prefixItems === undefined)
    return schema.path === true ? 'a list of paths' : 'a list of texts';
  const items = schema.prefixItems.map(wantedText);
  return `a list of ${items.length}: ${items.join('; ')}`;
}

function rangeText(schema: JsonSchema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  // zod writes the largest safe integer as the maximum of every integer: that says nothing to a person.
  const top = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (minimum !== undefined && top !== undefined) return ` from ${minimum} to ${top}`;
  const parts: string[] = [];
  if (minimum !== undefined) parts.push(`of at least ${minimum}`);
  if (typeof exclusiveMinimum === 'number') parts.push(`above ${exclusiveMinimum}`);
  if (top !== undefined) parts.push(`of at most ${top}`);
  if (typeof exclusiveMaximum === 'number') parts.push(`below ${exclusiveMaximum}`);
  return parts.length === 0 ? '' : ` ${parts.join(' and ')}`;
}
