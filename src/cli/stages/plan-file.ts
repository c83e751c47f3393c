/**
 * Triage plans as JSON: the manifest file and the copy in the database. Keys in snake_case on disk.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { writeWhole } from '../../core/files.ts';
import type { Transition, TriagePlan } from '../../triage/types.ts';

/** Where the manifest of a plan lies. */
export function planPath(workspace: string, name: string): string {
  return join(workspace, 'plans', `${name}.json`);
}

/** Writes the manifest: the plan and every transition made under its name, so that it can be replayed. */
export function writePlanFile(
  workspace: string,
  plan: TriagePlan,
  revision: number,
  transitions: readonly Transition[],
): string {
  const path = planPath(workspace, plan.name);
  const manifest = { revision, plan: planToJson(plan), transitions: toSnake(transitions) };
  writeWhole(path, `${JSON.stringify(manifest, null, 1)}\n`);
  return path;
}

export function planToJson(plan: TriagePlan): unknown {
  return toSnake(plan);
}

/** The plan in `json`, which `planToJson` made. UserError when it is none, or of a later version. */
export function planFromJson(json: unknown): TriagePlan {
  const plan = toCamel(json);
  if (isPlan(plan)) return plan;
  throw new UserError({
    wanted: 'a triage plan of version 1',
    found: 'something else',
    fix: 'Run `pivottrace triage` again.',
  });
}

const shape = z.looseObject({
  version: z.literal(1),
  name: z.string(),
  settings: z.looseObject({}),
  calibration: z.looseObject({}),
  decisions: z.array(z.looseObject({ promptId: z.string(), route: z.string() })),
});

/** We wrote it ourselves: what is checked is that it is a plan and whole, not every number in it. */
function isPlan(value: unknown): value is TriagePlan {
  return shape.safeParse(value).success;
}

/** Keys of evidence are data, the same in memory and on disk. */
const data = new Set(['evidence']);

function toSnake(value: unknown): unknown {
  return renamed(value, (key) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}

function toCamel(value: unknown): unknown {
  return renamed(value, (key) =>
    key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  );
}

function renamed(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one) => renamed(one, rename));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      rename(key),
      data.has(key) ? one : renamed(one, rename),
    ]),
  );
}
