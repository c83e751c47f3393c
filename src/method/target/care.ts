/** Active label acquisition in the course of training, after CARE (arXiv 2605.25864). */
import { z } from 'zod';
import { advantagesOf } from '../../reward/advantages.ts';
import type { Vote } from '../../reward/votes.ts';
import { defineMethod } from '../define.ts';
import type { Group } from '../types.ts';

/** Visits that the share of the majority stands for as a first guess of how reliable it is. */
const PRIOR = 4;

const tallySchema = z.strictObject({ right: z.number(), groups: z.number() });
/** By votes for the majority and size of the group, `5/8`. */
type Tallies = ReadonlyMap<string, z.output<typeof tallySchema>>;
const keyOf = ({ votes, classes }: Vote) => `${votes}/${classes.length}`;

/**
 * Asks for the labels that would correct the step's advantages most: the chance that the majority is wrong times the
 * distance between the advantages that the vote gives and those that the label is expected to give. How often a
 * majority of so many votes is right is learnt from the groups that have a label. A group that is of one mind has nothing
 * to correct (its advantages are zero either way) and is never asked for.
 */
export const care = defineMethod({
  name: 'care',
  surface: 'target',
  summary: 'Asks for labels where the vote is unreliable and a correction would change most',
  source: 'CARE, arXiv 2605.25864',
  settings: z.strictObject({
    per_step: z.int().min(1).default(2).describe('Labels that may be asked for in a step'),
  }),
  state: z.record(z.string(), tallySchema),
  create({ per_step: perStep }, _context, saved) {
    const tallies = new Map(Object.entries(saved ?? {}));
    let current = { step: 0, asked: 0 };
    return {
      wanted(step, seen, labelled) {
        if (current.step !== step) current = { step, asked: 0 };
        const worth = seen
          .filter(({ promptId }) => !labelled.has(promptId))
          .map(({ promptId, vote }) => ({ promptId, value: worthOf(vote, tallies) }))
          .filter(({ value }) => value > 0)
          .sort((a, b) => b.value - a.value)
          .slice(0, perStep - current.asked);
        current.asked += worth.length;
        return worth.map(({ promptId }) => promptId);
      },
      observe(_step, groups) {
        for (const group of groups) {
          const right = majorityRight(group);
          if (right === null) continue;
          const key = keyOf(group.vote);
          const before = tallies.get(key) ?? { right: 0, groups: 0 };
          tallies.set(key, { right: before.right + Number(right), groups: before.groups + 1 });
        }
      },
      save: () => Object.fromEntries(tallies),
    };
  },
});

/** Whether the label bears the majority out; null without a label, a majority, or a verdict on it. */
function majorityRight({ target, reward, vote }: Group): boolean | null {
  if (target.kind !== 'label' || reward.rewards === null || vote.winner === null) return null;
  const verdicts = reward.rewards.filter(
    (value, k) => vote.classes[k] === vote.winner && !Number.isNaN(value),
  );
  return verdicts.length === 0 ? null : verdicts.every((value) => value > 0);
}

const none = { right: 0, odds: 1 };

/** Expected corrective advantage gap of a group: the mean over what the right answer may turn out to be. */
function worthOf(vote: Vote, tallies: Tallies): number {
  const size = vote.classes.length;
  const counts = new Map<number, number>();
  for (const one of vote.classes) if (one >= 0) counts.set(one, (counts.get(one) ?? 0) + 1);
  const majority = vote.winner === null ? 0 : vote.votes;
  if (vote.winner !== null) counts.delete(vote.winner);
  // One vote for "none of them": with it the last of several wrong answers is not taken for the right one.
  const outcomes = [...[...counts.values()].map((right) => ({ right, odds: right })), none];
  const total = outcomes.reduce((sum, { odds }) => sum + odds, 0);
  const gap = outcomes.reduce(
    (sum, { right, odds }) => sum + (odds / total) * advantageGap(size, majority, right),
    0,
  );
  return (1 - reliability(vote, tallies)) * gap;
}

/** The chance that a majority of so many votes is right, 0..1; 0 where there is no single majority. */
function reliability(vote: Vote, tallies: Tallies): number {
  if (vote.winner === null) return 0;
  const { right, groups } = tallies.get(keyOf(vote)) ?? { right: 0, groups: 0 };
  return (right + PRIOR * vote.share) / (groups + PRIOR);
}

/**
 * Distance of the group-normalised advantages of `size` rollouts of which the first `voted` are held right, and the
 * next `right` are.
 */
function advantageGap(size: number, voted: number, right: number): number {
  const advantages = (from: number, to: number) => {
    const rewards = Float64Array.from({ length: size }, (_, k) => Number(from <= k && k < to));
    return advantagesOf({ rewards }, size, { scale: 'std' }).values;
  };
  const held = advantages(0, voted);
  return Math.hypot(...advantages(voted, voted + right).map((value, k) => value - held[k]));
}
