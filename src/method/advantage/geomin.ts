/** Representation affinity, after GeoMin (arXiv 2606.04516): do the voted answers look like right ones from inside? */
import { z } from 'zod';
import { defineMethod } from '../define.ts';
import type { Group } from '../types.ts';

/** Responses of one class: how many (decayed), and the sums of their states and of the squares. [hiddenSize] each */
const classSchema = z.strictObject({
  count: z.number(),
  sum: z.array(z.number()),
  squares: z.array(z.number()),
});

type ClassMoments = z.output<typeof classSchema>;
interface Moments {
  right: ClassMoments;
  wrong: ClassMoments;
}

/**
 * The mean hidden states of responses that a label called right, and of those it called wrong, are followed by moving
 * averages. A group that trains on its own vote is weighed by where the responses that won the vote lie between the
 * two, along the line that separates them best (Fisher's discriminant with a diagonal covariance): 0 at the centre
 * of the wrong, 1 at that of the right. Until both centres rest on enough responses every vote has weight 1.
 */
export const geomin = defineMethod({
  name: 'geomin',
  surface: 'advantage',
  summary: 'Weighs votes by how much the voted responses look like right ones in hidden states',
  source: 'GeoMin, arXiv 2606.04516',
  settings: z.strictObject({
    decay: z
      .number()
      .min(0)
      .max(1)
      .default(0.95)
      .describe('What older responses count for after a step with labels'),
    min_responses: z
      .number()
      .min(1)
      .default(16)
      .describe('Labelled responses of either kind before votes are weighed'),
  }),
  state: z.strictObject({ right: classSchema, wrong: classSchema }),
  create({ decay, min_responses: enough }, { represent }, saved) {
    const nothing = (): ClassMoments => ({ count: 0, sum: [], squares: [] });
    let moments: Moments = saved ?? { right: nothing(), wrong: nothing() };
    return {
      async weigh(_step, groups) {
        const picked = groups.map(pick);
        const own = dealt(
          await represent(picked.flatMap(({ responses }) => responses)),
          picked.map(({ responses }) => responses.length),
        );
        const labelled = picked.flatMap(({ marks }, i) =>
          marks === null ? [] : own[i].map((state, k) => ({ state, right: marks[k] })),
        );
        if (labelled.length > 0) moments = after(moments, labelled, decay);
        const ready = Math.min(moments.right.count, moments.wrong.count) >= enough;
        return picked.map(({ marks }, i) =>
          marks !== null || own[i].length === 0 || !ready ? 1 : affinity(own[i], moments),
        );
      },
      save: () => moments,
    };
  },
});

/** What is looked at of a group: all that its label judged, with the verdicts, or what its vote holds right. */
function pick({ target, reward, responses }: Group) {
  const { rewards } = reward;
  const counted =
    rewards === null ? [] : [...rewards.keys()].filter((k) => !Number.isNaN(rewards[k]));
  const isRight = (k: number) => rewards !== null && rewards[k] > 0;
  if (target.kind === 'label') {
    return { responses: counted.map((k) => responses[k]), marks: counted.map(isRight) };
  }
  // What the policy thinks of its own tokens holds no answer to be right or wrong.
  const held = reward.kind === 'majority' ? counted.filter(isRight) : [];
  return { responses: held.map((k) => responses[k]), marks: null };
}

/** `items` in runs of these lengths. */
function dealt<T>(items: readonly T[], lengths: readonly number[]): T[][] {
  let end = 0;
  return lengths.map((length) => {
    end += length;
    return items.slice(end - length, end);
  });
}

/** The moments after a step with labelled responses. */
function after(
  moments: Moments,
  labelled: readonly { state: Float32Array; right: boolean }[],
  decay: number,
): Moments {
  const moved = (old: ClassMoments, states: readonly Float32Array[]): ClassMoments => {
    const width = labelled[0].state.length;
    const total = (previous: readonly number[], read: (state: Float32Array, d: number) => number) =>
      Array.from({ length: width }, (_, d) =>
        states.reduce((sum, state) => sum + read(state, d), decay * (previous[d] ?? 0)),
      );
    return {
      count: decay * old.count + states.length,
      sum: total(old.sum, (state, d) => state[d]),
      squares: total(old.squares, (state, d) => state[d] ** 2),
    };
  };
  const statesOf = (right: boolean) =>
    labelled.filter((one) => one.right === right).map(({ state }) => state);
  return {
    right: moved(moments.right, statesOf(true)),
    wrong: moved(moments.wrong, statesOf(false)),
  };
}

/** Where the mean of `states` lies from the centre of the wrong, 0, to that of the right, 1; cut to that range. */
function affinity(states: readonly Float32Array[], { right, wrong }: Moments): number {
  const size = right.count + wrong.count;
  const spread = right.sum.map((_, d) => (scatter(right, d) + scatter(wrong, d)) / size);
  const typical = spread.reduce((sum, one) => sum + one, 0) / spread.length;
  // Dimensions that hardly vary would decide alone; where none varies all count the same.
  const floor = typical > 0 ? 1e-3 * typical : 1;
  let whole = 0;
  let way = 0;
  for (const [d, variance] of spread.entries()) {
    const from = wrong.sum[d] / wrong.count;
    const across = right.sum[d] / right.count - from;
    const mean = states.reduce((sum, state) => sum + state[d], 0) / states.length;
    const scale = across / Math.max(variance, floor);
    whole += scale * across;
    way += scale * (mean - from);
  }
  return whole > 0 ? Math.min(1, Math.max(0, way / whole)) : 1;
}

/** Sum of squared distances to the centre in dimension d; rounding never makes it negative. */
function scatter({ count, sum, squares }: ClassMoments, d: number): number {
  return Math.max(0, squares[d] - sum[d] ** 2 / count);
}
