/**
 * The settings of one cell: layers of dotted keys on top of each other, checked, and written as a pivottrace.yaml.
 *
 * Paths are kept as they are meant (absolute, or inside the package) and written relative to the folder of the
 * cell, so that a bench that is moved as a whole is still the same bench.
 */
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { UserError } from '../../../core/errors.ts';
import { complain, type Place, unknownKey, valueAt } from '../../config/complaints.ts';
import { fields } from '../../config/fields.ts';
import { starterConfig } from '../../config/print.ts';
import { configSchema } from '../../config/schema.ts';
import {
  bundled,
  isRecord,
  modelKey,
  modelPath,
  packageRoot,
  parseOverride,
  withValue,
} from '../../config.ts';
import type { WrittenSettings } from './matrix.ts';

interface Setting {
  value: unknown;
  /** Where it was written. */
  where: string | undefined;
}

/** Settings by dotted key. */
export type Layer = ReadonlyMap<string, Setting>;

/** What the bench decides by itself. */
const ours: Readonly<Record<string, string>> = {
  workspace: 'Every cell has its own folder under `out`.',
  seed: 'Name the seeds under `seeds`.',
  'report.out': 'Every cell keeps its report in its folder.',
};

/** The settings that were written at one place of the bench file, whose folder is `base`. */
export function layerOf({ path, values }: WrittenSettings, place: Place, base: string): Layer {
  const layer = new Map<string, Setting>();
  const add = (key: readonly string[], value: unknown, where: string | undefined): void => {
    const name = key.join('.');
    const field = fields.find((one) => one.path.join('.') === name);
    if (field === undefined) throw new UserError(unknownKey(key, where));
    refuseOurs(name, where);
    if (!field.group) {
      layer.set(name, { value: field.isPath ? absolute(name, value, base) : value, where });
      return;
    }
    if (!isRecord(value)) {
      throw new UserError({
        wanted: `a map of settings for "${name}"`,
        found: JSON.stringify(value),
        ...(where === undefined ? {} : { where }),
      });
    }
    for (const [child, inner] of Object.entries(value)) add([...key, child], inner, where);
  };
  for (const [key, value] of Object.entries(values)) {
    add(key.split('.'), value, place([...path, key]));
  }
  return layer;
}

/** `key.path=value` of the command line; paths are relative to `cwd`. */
export function overrideLayer(overrides: readonly string[], cwd: string): Layer {
  return new Map(
    overrides.map((text) => {
      const { key, value } = parseOverride(text);
      const where = `override "${text}"`;
      refuseOurs(key, where);
      const isPath = fields.some((field) => field.isPath && field.path.join('.') === key);
      return [key, { value: isPath ? absolute(key, value, cwd) : value, where }];
    }),
  );
}

function refuseOurs(key: string, where: string | undefined): void {
  if (!Object.hasOwn(ours, key)) return;
  throw new UserError({
    wanted: 'a setting that arms can differ in',
    found: `"${key}"`,
    ...(where === undefined ? {} : { where }),
    fix: ours[key],
  });
}

/** Later layers count. */
export function merged(layers: readonly Layer[]): Layer {
  return new Map(layers.flatMap((layer) => [...layer]));
}

/** UserError with the place of what is not right in the settings of a cell. */
export function checkSettings(layer: Layer): void {
  const written = nested(layer);
  const place: Place = (path) => {
    const key = path.join('.');
    return [...layer].find(([name]) => name === key || key.startsWith(`${name}.`))?.[1].where;
  };
  const parsed = configSchema.safeParse(written);
  if (!parsed.success) throw complain(parsed.error.issues, written, place);
}

/** Every file or folder that the settings name, defaults included: its key and where it is. */
export function namedPaths(layer: Layer): [string, string][] {
  const config = configSchema.parse(nested(layer));
  return fields
    .filter(({ isPath }) => isPath)
    .flatMap(({ path }) => {
      const value = valueAt(config, path);
      const paths = Array.isArray(value) ? value : [value];
      return paths.flatMap((one): [string, string][] =>
        typeof one === 'string' ? [[path.join('.'), located(one)]] : [],
      );
    })
    .filter(([key]) => !Object.hasOwn(ours, key));
}

function nested(layer: Layer): unknown {
  return [...layer].reduce<unknown>(
    (root, [key, { value }]) => withValue(root, key.split('.'), value),
    {},
  );
}

/** The values of the file in `folder`, by dotted key. */
export function fileValues(layer: Layer, seed: number, folder: string): Record<string, unknown> {
  const isPath = new Set(fields.filter((f) => f.isPath).map(({ path }) => path.join('.')));
  const values = [...layer].map(([key, { value }]): [string, unknown] => [
    key,
    isPath.has(key) ? fromFolder(value, folder) : value,
  ]);
  return { workspace: '.', seed, ...Object.fromEntries(values) };
}

/** The text of a cell's pivottrace.yaml. */
export function cellFile(values: Readonly<Record<string, unknown>>): string {
  return starterConfig(values);
}

function absolute(key: string, value: unknown, base: string): unknown {
  if (Array.isArray(value)) return value.map((one) => absolute(key, one, base));
  if (typeof value !== 'string' || value.startsWith(bundled)) return value;
  return key === modelKey ? modelPath(value, base) : resolve(base, value);
}

/** Where a path of the package is on this machine. */
function located(path: string): string {
  return path.startsWith(bundled) ? join(packageRoot, path.slice(bundled.length)) : path;
}

function fromFolder(value: unknown, folder: string): unknown {
  if (Array.isArray(value)) return value.map((one) => fromFolder(one, folder));
  if (typeof value !== 'string' || !isAbsolute(value)) return value;
  return relative(folder, value).replaceAll(sep, '/') || '.';
}
