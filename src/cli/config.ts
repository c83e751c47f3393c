/**
 * Loads the configuration: a YAML file, then `key.path=value` from the command line, then the defaults.
 *
 * Every complaint names the place (file, line and column, or the override) and what may stand there.
 * Knows nothing of verbs.
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';
import { UserError } from '../core/errors.ts';
import { findModel, isHubName } from '../model/resolve.ts';
import { complain, type Place, unknownKey, valueAt } from './config/complaints.ts';
import { fields, fieldsIn } from './config/fields.ts';
import { type Config, configSchema } from './config/schema.ts';
import { readYaml, type Written } from './config/yaml-file.ts';

export type { Config } from './config/schema.ts';

export const configFileName = 'pivottrace.yaml';

/** Root folder of the pivottrace package. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

export interface ConfigSource {
  /** A file to read; undefined = `pivottrace.yaml` in `cwd`, where there is one. */
  file?: string;
  /** `key.path=value`, the values as YAML. Paths in them are relative to `cwd`, as on any command line. */
  overrides?: readonly string[];
  cwd: string;
}

export interface LoadedConfig {
  config: Config;
  /** Absolute path of the file that was read; undefined = none. */
  file: string | undefined;
  /** Was a workspace named, by a file or an override? Without one nothing should be written. */
  hasWorkspace: boolean;
}

/** Reads, merges and checks the settings. Throws UserError for anything that is not right. */
export function loadConfig(source: ConfigSource): LoadedConfig {
  const usual = join(source.cwd, configFileName);
  const file =
    source.file === undefined
      ? existsSync(usual)
        ? usual
        : undefined
      : resolve(source.cwd, source.file);
  const written = file === undefined ? nothingWritten : readYaml(file, configFileKind);
  const overrides = (source.overrides ?? []).map(parseOverride);
  const merged = withoutEmptyGroups(
    overrides.reduce<unknown>((value, o) => withValue(value, o.path, o.value), written.value),
  );
  const place: Place = (path) => {
    const key = path.join('.');
    const override = overrides.findLast((o) => isWithin(key, o.key) || isWithin(o.key, key));
    return override === undefined ? written.place(path) : `override "${override.text}"`;
  };
  const parsed = configSchema.safeParse(merged);
  if (!parsed.success) throw complain(parsed.error.issues, merged, place);
  const base = file === undefined ? source.cwd : dirname(file);
  const isOverridden = (key: string): boolean => overrides.some((o) => isWithin(key, o.key));
  return {
    config: withAbsolutePaths(parsed.data, (key) => (isOverridden(key) ? source.cwd : base)),
    file,
    hasWorkspace: file !== undefined || isOverridden('workspace'),
  };
}

/** Is `key` the key `group` or below it? */
function isWithin(key: string, group: string): boolean {
  return key === group || key.startsWith(`${group}.`);
}

const nothingWritten: Written = { value: {}, place: () => undefined };

const configFileKind = {
  wanted: 'a readable configuration file',
  fix: '`pivottrace init` writes one.',
};

export interface Override {
  text: string;
  key: string;
  path: readonly string[];
  value: unknown;
}

/** Throws UserError for a key that there is not, and for what is no YAML. */
export function parseOverride(text: string): Override {
  const equals = text.indexOf('=');
  const key = text.slice(0, equals);
  const path = key.split('.');
  const where = `override "${text}"`;
  if (!fields.some((field) => field.path.join('.') === key))
    throw new UserError(unknownKey(path, where));
  const document = parseDocument(text.slice(equals + 1), { prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new UserError({ wanted: 'a YAML value', found: error.message, where });
  }
  return { text, key, path, value: document.toJS() ?? null };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `root` with `value` at `path`. What stands in the way and is no map is left for the schema to refuse. */
export function withValue(root: unknown, path: readonly string[], value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  if (root !== undefined && root !== null && !isRecord(root)) return root;
  return { ...root, [first]: withValue(root?.[first], rest, value) };
}

/** A group of which every key is commented out reads as null in YAML: that means its defaults. */
function withoutEmptyGroups(root: unknown): unknown {
  return fieldsIn(root)
    .filter((field) => field.group && valueAt(root, field.path) === null)
    .reduce((value, field) => withValue(value, field.path, {}), root);
}

/**
 * Relative paths start at `base(key)`; `bundled:` at the package. A model of the hub is where its cache has it, and stays
 * a name where it does not.
 */
function withAbsolutePaths(config: Config, base: (key: string) => string): Config {
  const absolute = (path: string, key: string): string => {
    if (path.startsWith(bundled)) return join(packageRoot, path.slice(bundled.length));
    if (key !== modelKey) return resolve(base(key), path);
    return modelPath(path, base(key));
  };
  const resolved = fieldsIn(config)
    .filter((field) => field.isPath)
    .reduce<unknown>((value, field) => {
      const key = field.path.join('.');
      const path = valueAt(config, field.path);
      if (typeof path === 'string') return withValue(value, field.path, absolute(path, key));
      if (!Array.isArray(path)) return value;
      return withValue(
        value,
        field.path,
        path.map((one) => absolute(String(one), key)),
      );
    }, config);
  return configSchema.parse(resolved);
}

/** The setting that may be a name of the hub. */
export const modelKey = 'model';

/** Where a model is, seen from the folder `base`; a name of the hub that its cache lacks stays as it is. */
export function modelPath(name: string, base: string): string {
  const found = findModel(name, { base });
  return found?.path ?? (isHubName(name) ? name : resolve(base, name));
}

/** Marks a path inside the package, so that the bundled model and pool are found wherever it is installed. */
export const bundled = 'bundled:';
