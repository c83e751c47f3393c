/** What the fitted scores of a plan have learnt on its probes, kept beside the plan for the report. */
import { z } from 'zod';
import type { Repositories } from '../../store/types.ts';
import type { FusedFit } from '../../uncertainty/types.ts';

const fitsSchema = z.record(
  z.string(),
  z.object({
    method: z.enum(['logistic', 'isotonic']),
    probes: z.number(),
    folds: z.number(),
    ridge: z.number().nullable(),
    weights: z.record(z.string(), z.number()),
    intercept: z.number(),
    spearman: z.number().nullable(),
    brier: z.number().nullable(),
  }),
);

/** By name of the estimator. */
export type Fits = ReadonlyMap<string, FusedFit>;

const fitsKey = (plan: string) => `fits/${plan}`;

export async function saveFits(store: Repositories, plan: string, fits: Fits): Promise<void> {
  await store.meta.put(fitsKey(plan), Object.fromEntries(fits));
}

/** Empty where nothing was fitted. */
export async function savedFits(store: Repositories, plan: string): Promise<Fits> {
  const stored = await store.meta.get(fitsKey(plan));
  return new Map(stored == null ? [] : Object.entries(fitsSchema.parse(stored)));
}
