/** A difficulty filter: only prompts that the policy gets right sometimes (arXiv 2504.03380, balanced filtering). */
import { z } from 'zod';
import { UserError } from '../../core/errors.ts';
import { defineMethod } from '../define.ts';
import { passRateOf } from '../pass-rate.ts';
import type { Group } from '../types.ts';

/** What a new visit counts against all that was seen before: groups are small, but the policy moves. */
const NEWEST = 0.5;

const seenSchema = z.strictObject({
  /** Moving average of the pass rate, or of the majority's share, 0..1. */
  rate: z.number(),
  /** When it was last seen; 0 = before training. */
  step: z.int(),
});

/**
 * A prompt may be drawn while its pass rate lies in [low, high]: measured before training, then followed from visit to
 * visit. Without a label the share of the majority stands in. A prompt that was never measured may be drawn, and so
 * may one that has been left out for `rest` steps: the policy that found it too hard is no more.
 */
export const difficulty = defineMethod({
  name: 'difficulty',
  surface: 'target',
  summary: 'Draws only prompts whose pass rate lies in an interval',
  source: 'Online difficulty filtering, arXiv 2504.03380',
  settings: z
    .strictObject({
      low: z.number().min(0).max(1).default(0.2).describe('Smallest pass rate that is drawn'),
      high: z.number().min(0).max(1).default(0.8).describe('Largest pass rate that is drawn'),
      samples: z
        .int()
        .min(0)
        .default(8)
        .describe('Responses to each prompt before training; 0 = learn from visits alone'),
      rest: z
        .int()
        .min(0)
        .default(50)
        .describe('Steps after which a prompt outside is tried again; 0 = never'),
    })
    .refine(({ low, high }) => low <= high, { error: 'low must not be above high' }),
  state: z.record(z.string(), seenSchema),
  create({ low, high, samples, rest }, _context, saved) {
    const seen = new Map(Object.entries(saved ?? {}));
    const isInside = (rate: number) => low <= rate && rate <= high;
    const learn = (step: number, groups: readonly Group[]) => {
      for (const group of groups) {
        const rate = passRateOf(group);
        if (rate === null) continue;
        const before = seen.get(group.promptId)?.rate ?? rate;
        seen.set(group.promptId, { rate: before + NEWEST * (rate - before), step });
      }
    };
    return {
      async prepare(lab) {
        if (samples === 0) return;
        learn(0, await lab.sample(lab.promptIds, samples));
        const rates = [...seen.values()].map(({ rate }) => rate);
        if (rates.length > 0 && !rates.some(isInside)) throw nothingInside(low, high, rates);
      },
      admits(promptId, step) {
        const found = seen.get(promptId);
        if (found === undefined || isInside(found.rate)) return true;
        return rest > 0 && step - found.step > rest;
      },
      observe: learn,
      save: () => Object.fromEntries(seen),
    };
  },
});

function nothingInside(low: number, high: number, rates: readonly number[]): UserError {
  const above = rates.filter((rate) => rate > high).length;
  return new UserError({
    wanted: `prompts with a pass rate from ${low} to ${high}`,
    found: `${above} above and ${rates.length - above} below`,
    where: 'methods.difficulty',
    fix: 'Widen the interval, or train on a pool that suits the policy better.',
  });
}
