/**
 * The matrix of a bench as it is written in its file: what is run, with which settings, on which seeds.
 *
 * Every complaint names the line. Knows nothing of how it is run.
 */
import { basename, dirname, resolve } from 'node:path';
import { z } from 'zod';
import { type Complaint, UserError } from '../../../core/errors.ts';
import type { KeyPath, Place } from '../../config/complaints.ts';
import { nearest } from '../../config/suggest.ts';
import { readYaml } from '../../config/yaml-file.ts';
import { summaryKeys } from './summary.ts';

/** What may stand in `verbs`, in the order of a project's life. */
const benchVerbs = ['pool', 'trace', 'triage', 'label', 'train', 'eval', 'report'] as const;

export type BenchVerb = (typeof benchVerbs)[number];

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a name of letters, digits, dots and dashes')
  .max(80, 'a name of at most 80 characters');
const settings = z.record(z.string(), z.unknown()).nullable().default({});
const verbs = z
  .array(z.enum(benchVerbs, `one of ${benchVerbs.join(', ')}`), 'a list of verbs')
  .min(1, 'at least one verb');
const words = z.string('text').max(400, 'at most 400 characters');

const shared = z.strictObject({ verbs, set: settings });

const arm = z.strictObject({
  title: words.optional(),
  note: words.optional(),
  group: words.optional(),
  from: name.optional(),
  verbs: verbs.refine((list) => list.includes('train'), 'verbs with `train` among them'),
  set: settings,
  pools: z.array(name, 'a list of pools').min(1, 'at least one pool').optional(),
  count_scoring: z.boolean('true or false').default(true),
});

/** `title` and `redundancy` beside settings: no setting has these names. */
const pool = z
  .looseObject({
    title: words.optional(),
    redundancy: z.number('a number from 0 to 1').min(0).max(1, 'a number from 0 to 1').optional(),
  })
  .nullable();

const seed = z
  .int('a whole number')
  .min(0, 'a seed of at least 0')
  .max(2 ** 31 - 1);

const matrixSchema = z.strictObject({
  name,
  out: z.string('a path').min(1, 'a path'),
  base: settings,
  seeds: z
    .array(seed, 'a list of seeds')
    .min(1, 'at least one seed')
    .refine((list) => new Set(list).size === list.length, 'seeds that differ'),
  workers: z.int('a whole number').min(1, 'at least 1').max(256, 'at most 256').default(1),
  reference: name,
  random: name.nullable().default(null),
  shared: z.record(name, shared).default({}),
  pools: z
    .record(name, pool)
    .refine((pools) => Object.keys(pools).length > 0, 'at least one pool')
    .default({ pool: {} }),
  arms: z.record(name, arm).refine((arms) => Object.keys(arms).length > 0, 'at least one arm'),
  budget: z
    .strictObject({ rollouts: z.int('a whole number').min(1, 'at least 1 rollout') })
    .nullable()
    .default(null),
});

/** Settings by key, dotted or in groups, with the way to them in the file. */
export interface WrittenSettings {
  path: KeyPath;
  values: Readonly<Record<string, unknown>>;
}

export interface SharedSpec {
  verbs: readonly BenchVerb[];
  set: WrittenSettings;
}

export interface PoolSpec {
  title: string;
  /** Share of the pool that is mastered or hopeless, as its maker says; null = not said. */
  redundancy: number | null;
  set: WrittenSettings;
}

export interface ArmSpec {
  title: string;
  note: string | null;
  group: string | null;
  /** The shared stage that it begins from. */
  from: string | null;
  verbs: readonly BenchVerb[];
  set: WrittenSettings;
  pools: readonly string[];
  countScoring: boolean;
}

export interface Matrix {
  name: string;
  /** The file it was read from; paths in it are relative to its folder. */
  file: string;
  out: string;
  base: WrittenSettings;
  seeds: readonly number[];
  workers: number;
  reference: string;
  random: string | null;
  shared: ReadonlyMap<string, SharedSpec>;
  pools: ReadonlyMap<string, PoolSpec>;
  arms: ReadonlyMap<string, ArmSpec>;
  /** Rollouts that every arm may spend, those before training included; null = no budget. */
  budget: number | null;
  place: Place;
}

/** Reads a bench file. UserError with file, line and column for whatever is not right. */
export function readMatrix(file: string): Matrix {
  const written = readYaml(file, {
    wanted: 'a readable bench file',
    fix: 'docs/guide/bench.md has one to begin with.',
  });
  const parsed = matrixSchema.safeParse(written.value);
  if (!parsed.success) throw new UserError(complaintOf(parsed.error.issues[0], written.place));
  const { data } = parsed;
  const set = (path: KeyPath, values: Record<string, unknown> | null): WrittenSettings => ({
    path,
    values: values ?? {},
  });
  const matrix: Matrix = {
    name: data.name,
    file: resolve(file),
    out: resolve(dirname(file), data.out),
    base: set(['base'], data.base),
    seeds: data.seeds,
    workers: data.workers,
    reference: data.reference,
    random: data.random,
    shared: mapped(data.shared, (one, key) => ({
      verbs: one.verbs,
      set: set(['shared', key, 'set'], one.set),
    })),
    pools: mapped(data.pools, (one, key) => {
      const { title, redundancy, ...values } = one ?? {};
      return {
        title: title ?? key,
        redundancy: redundancy ?? null,
        set: set(['pools', key], values),
      };
    }),
    arms: mapped(data.arms, (one, key) => ({
      title: one.title ?? key,
      note: one.note ?? null,
      group: one.group ?? null,
      from: one.from ?? null,
      verbs: one.verbs,
      set: set(['arms', key, 'set'], one.set),
      pools: one.pools ?? Object.keys(data.pools).slice(0, 1),
      countScoring: one.count_scoring,
    })),
    budget: data.budget?.rollouts ?? null,
    place: written.place,
  };
  checkNames(matrix);
  return matrix;
}

function mapped<A, B>(record: Record<string, A>, make: (one: A, key: string) => B): Map<string, B> {
  return new Map(Object.entries(record).map(([key, one]) => [key, make(one, key)]));
}

/** Names that stand for something must stand for something that there is. */
function checkNames({ arms, pools, shared, reference, random, place }: Matrix): void {
  const check = (what: string, found: string, known: readonly string[], path: KeyPath): void => {
    if (known.includes(found)) return;
    const meant = nearest(found, known);
    throw new UserError({
      wanted: `${what} (${known.join(', ') || 'there is none'})`,
      found: `"${found}"`,
      ...whereOf(place, path),
      ...(meant === undefined ? {} : { fix: `Did you mean "${meant}"?` }),
    });
  };
  const armNames = [...arms.keys()];
  const taken = armNames.find((key) => summaryKeys.includes(key));
  if (taken !== undefined) {
    throw new UserError({
      wanted: `a name of an arm that the summary has no other use for (not ${summaryKeys.join(', ')})`,
      found: `"${taken}"`,
      ...whereOf(place, ['arms', taken]),
    });
  }
  check('the name of an arm', reference, armNames, ['reference']);
  if (random !== null) check('the name of an arm', random, armNames, ['random']);
  for (const [key, one] of arms) {
    const path = ['arms', key];
    if (one.from !== null) {
      check('the name of a shared stage', one.from, [...shared.keys()], [...path, 'from']);
    }
    for (const pool of one.pools) {
      check('the name of a pool', pool, [...pools.keys()], [...path, 'pools']);
    }
  }
}

function complaintOf(issue: z.core.$ZodIssue, place: Place): Complaint {
  if (issue.code === 'unrecognized_keys') {
    const path = [...issue.path, issue.keys[0]];
    const known = knownKeys(issue.path);
    const meant = nearest(issue.keys[0], known);
    return {
      wanted: `one of ${known.join(', ')}${issue.path.length === 0 ? '' : ` in "${issue.path.join('.')}"`}`,
      found: `"${issue.keys[0]}"`,
      ...whereOf(place, path),
      ...(meant === undefined ? {} : { fix: `Did you mean "${meant}"?` }),
    };
  }
  // A key of a record that is no name: what is wrong with it is inside.
  const inner = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? '') : issue.message;
  const key = issue.path.join('.');
  return {
    wanted: `${inner.replace(/^Invalid input: expected /, '')} for ${key === '' ? basename('the bench file') : `"${key}"`}`,
    found: 'something else',
    ...whereOf(place, issue.path),
  };
}

function whereOf(place: Place, path: KeyPath): Pick<Complaint, 'where'> {
  const where = place(path);
  return where === undefined ? {} : { where };
}

function knownKeys(path: KeyPath): string[] {
  if (path.length === 0) return Object.keys(matrixSchema.shape);
  if (path[0] === 'arms') return Object.keys(arm.shape);
  return path[0] === 'shared' ? Object.keys(shared.shape) : ['rollouts'];
}
