/** What a matrix asks for, one folder each: shared stages, and cells of (pool, arm, seed). */
import { dirname, join } from 'node:path';
import { UserError } from '../../../core/errors.ts';
import type { ArmSpec, BenchVerb, Matrix, WrittenSettings } from './matrix.ts';
import {
  checkSettings,
  fileValues,
  type Layer,
  layerOf,
  merged,
  namedPaths,
  overrideLayer,
} from './settings.ts';

interface Work {
  /** Path under `out`, and what messages call it: `cells/bundled/full/101`. */
  id: string;
  folder: string;
  pool: string;
  seed: number;
  verbs: readonly BenchVerb[];
  /** The values of its pivottrace.yaml, by dotted key. */
  values: Readonly<Record<string, unknown>>;
  /** Files and folders that the settings name. */
  paths: readonly (readonly [string, string])[];
}

/** Done once per seed and pool; its finished workspace is what cells begin with. */
export interface SharedJob extends Work {
  kind: 'shared';
}

export interface CellJob extends Work {
  kind: 'cell';
  arm: string;
  /** The shared stage that it begins from; null = from nothing. */
  from: SharedJob | null;
  /** Rollouts that it may spend, and whether those before training are among them; null = as many as it takes. */
  budget: { rollouts: number; countScoring: boolean } | null;
  countScoring: boolean;
}

export interface Plan {
  shared: SharedJob[];
  /** By seed, then pool, then arm: whatever is there when a bench stops can be compared. */
  cells: CellJob[];
}

/** UserError with the place of every setting that is not right, before anything is run. */
export function planOf(matrix: Matrix, overrides: readonly string[], cwd: string): Plan {
  const layers = layersOf(matrix, overrides, cwd);
  const shared = new Map<string, SharedJob>();
  const stage = (name: string, pool: string, seed: number): SharedJob => {
    const made =
      shared.get(stageId(name, pool, seed)) ?? stageJob(matrix, layers, name, pool, seed);
    shared.set(made.id, made);
    return made;
  };
  const cells = matrix.seeds.flatMap((seed) =>
    [...matrix.pools.keys()].flatMap((pool) =>
      [...matrix.arms]
        .filter(([, arm]) => arm.pools.includes(pool))
        .map(([name, arm]) => {
          const from = arm.from === null ? null : stage(arm.from, pool, seed);
          return cellJob(matrix, layers, name, arm, pool, seed, from);
        }),
    ),
  );
  return { shared: [...shared.values()], cells };
}

/** The settings that were written at every place, before they are laid on each other. */
interface Layers {
  base: Layer;
  overrides: Layer;
  pool(name: string): Layer;
  stage(name: string): Layer;
  arm(name: string): Layer;
}

function layersOf(matrix: Matrix, overrides: readonly string[], cwd: string): Layers {
  const base = dirname(matrix.file);
  const layer = (written: WrittenSettings): Layer => layerOf(written, matrix.place, base);
  const lookup = (specs: ReadonlyMap<string, { set: WrittenSettings }>) => {
    const layers = new Map([...specs].map(([name, { set }]) => [name, layer(set)]));
    return (name: string): Layer => layers.get(name) ?? new Map();
  };
  return {
    base: layer(matrix.base),
    overrides: overrideLayer(overrides, cwd),
    pool: lookup(matrix.pools),
    stage: lookup(matrix.shared),
    arm: lookup(matrix.arms),
  };
}

function stageId(name: string, pool: string, seed: number): string {
  return join('shared', pool, name, String(seed));
}

function stageJob(
  matrix: Matrix,
  layers: Layers,
  name: string,
  pool: string,
  seed: number,
): SharedJob {
  const settings = merged([layers.base, layers.pool(pool), layers.stage(name), layers.overrides]);
  const verbs = matrix.shared.get(name)?.verbs ?? [];
  const id = stageId(name, pool, seed);
  return { kind: 'shared', ...work(matrix, id, pool, seed, verbs, settings) };
}

function cellJob(
  matrix: Matrix,
  layers: Layers,
  name: string,
  arm: ArmSpec,
  pool: string,
  seed: number,
  from: SharedJob | null,
): CellJob {
  const settings = merged([
    layers.base,
    layers.pool(pool),
    arm.from === null ? new Map() : layers.stage(arm.from),
    new Map([['train.run', { value: name, where: undefined }]]),
    layers.arm(name),
    layers.overrides,
  ]);
  requireTestSet(settings, matrix, name);
  const id = join('cells', pool, name, String(seed));
  const { countScoring } = arm;
  return {
    kind: 'cell',
    ...work(matrix, id, pool, seed, arm.verbs, settings),
    ...{ arm: name, from, countScoring },
    budget: matrix.budget === null ? null : { rollouts: matrix.budget, countScoring },
  };
}

function work(
  { out }: Matrix,
  id: string,
  pool: string,
  seed: number,
  verbs: readonly BenchVerb[],
  settings: Layer,
): Work {
  checkSettings(settings);
  const folder = join(out, id);
  const values = fileValues(settings, seed, folder);
  return { id, folder, pool, seed, verbs, values, paths: namedPaths(settings) };
}

function requireTestSet(settings: Layer, { place }: Matrix, arm: string): void {
  if (typeof settings.get('eval.file')?.value === 'string') return;
  const where = place(['arms', arm]);
  throw new UserError({
    wanted: 'held-out questions (eval.file) to compare arms on',
    found: 'none',
    ...(where === undefined ? {} : { where }),
    fix: 'Set eval.file under `base`.',
  });
}
