/**
 * The verdict in words, from the figures alone and no better than they are: what an interval does not
 * show is not claimed, and an arm that did as well for less is named. Knows nothing of markup.
 */
import type { Arm, Comparison, Estimate } from './data.ts';
import { averageAt, isKnown, percent, plural, shareOf, signed, visible, whole } from './format.ts';

export interface Verdict {
  /** The main finding in one or two sentences. */
  lead: string;
  /** What else a reader has to know, one sentence each. */
  points: string[];
}

/** Per cent points with a sign, for differences between accuracies. */
export function pointsOf(value: number): string {
  return signed(value * 100, 1);
}

/** The verdict on a comparison; says what is missing when an arm it needs was not run. */
export function verdictOf(comparison: Comparison): Verdict {
  const reference = comparison.arms.find((arm) => arm.id === comparison.reference);
  const pivot = comparison.arms.find((arm) => arm.kind === 'pivottrace');
  if (pivot === undefined || !known(pivot.avgAtK)) {
    return {
      lead: 'PivotTrace was not trained here, so there is no verdict.',
      points: seedPoints(comparison),
    };
  }
  const score = `PivotTrace reached ${percent(pivot.avgAtK.value)} ${averageAt(comparison.k)}`;
  if (reference === undefined || !known(reference.avgAtK)) {
    return {
      lead: `${score}. Full supervision was not trained here, so there is nothing to measure it against.`,
      points: [...otherArms(comparison, pivot), ...seedPoints(comparison)],
    };
  }
  const base = comparison.arms.find((arm) => arm.kind === 'base')?.avgAtK ?? null;
  const start = known(base) ? `; the base policy had ${percent(base.value)}` : '';
  const lead =
    `${score} with ${labels(pivot, comparison)}. ${visible(reference.label)} reached ` +
    `${percent(reference.avgAtK.value)} with ${labels(reference, comparison)}${start}. ` +
    difference(pivot.versusReference);
  return {
    lead,
    points: [
      ...speed(pivot, reference),
      ...otherArms(comparison, pivot),
      ...seedPoints(comparison),
    ],
  };
}

function known(estimate: Estimate | null): estimate is Estimate {
  return estimate !== null && isKnown(estimate.value);
}

function labels(arm: Arm, { poolPrompts }: Comparison): string {
  if (!isKnown(arm.labelsUsed)) return 'an unknown number of labels';
  return `${plural(arm.labelsUsed, 'label')} (${shareOf(arm.labelsUsed, poolPrompts)} of the pool)`;
}

function difference(gap: Estimate | null): string {
  if (!known(gap)) return 'The difference was not measured prompt by prompt.';
  const size = `${pointsOf(gap.value)} points`;
  if (!isKnown(gap.low) || !isKnown(gap.high))
    return `The difference is ${size}, without an interval.`;
  const range = `${size}, 95 % interval ${pointsOf(gap.low)} to ${pointsOf(gap.high)}`;
  if (gap.low > 0) return `The difference is in its favour: ${range}.`;
  if (gap.high < 0) return `It did worse: ${range}.`;
  return `The difference is within the noise of the test set: ${range}.`;
}

function speed(pivot: Arm, reference: Arm): string[] {
  const { reached } = pivot;
  if (reached === null) return [];
  if (reached === 'not reached') {
    return [
      'It never had full supervision’s final accuracy at an evaluation, so no speed-up is claimed.',
    ];
  }
  const base = reference.reached;
  const at = `It had full supervision’s final accuracy after ${plural(reached.steps, 'step')} and ${plural(reached.rollouts, 'rollout')}`;
  if (base === null || base === 'not reached') return [`${at}.`];
  const ratio = `${whole(base.steps)} and ${whole(base.rollouts)} for full supervision itself`;
  return [`${at}, against ${ratio}. Rollouts for scoring and probing are counted.`];
}

function otherArms(comparison: Comparison, pivot: Arm): string[] {
  const mine = pivot.avgAtK;
  if (!known(mine)) return [];
  const rivals = comparison.arms.filter(
    (arm) => arm.id !== pivot.id && arm.id !== comparison.reference && arm.kind !== 'base',
  );
  return rivals.flatMap((arm) => {
    if (!known(arm.avgAtK)) return [];
    return [rival(arm, mine, arm.avgAtK, labels(arm, comparison))];
  });
}

function rival(arm: Arm, mine: Estimate, theirs: Estimate, spent: string): string {
  const who = `${visible(arm.label)}, with ${spent},`;
  const lead = arm.pivotTraceLead;
  if (known(lead) && isKnown(lead.low) && isKnown(lead.high)) {
    const range = `PivotTrace minus it is ${pointsOf(lead.value)} points, 95 % interval ${pointsOf(lead.low)} to ${pointsOf(lead.high)}`;
    if (lead.low > 0) return `${who} did worse: ${range}.`;
    if (lead.high < 0) return `${who} did better: ${range}.`;
    return `${who} cannot be told apart from it: ${range}.`;
  }
  const range = `PivotTrace minus it is ${pointsOf(mine.value - theirs.value)} points, not paired`;
  if (overlaps(mine, theirs))
    return `${who} cannot be told apart from it: ${range}, and the intervals overlap.`;
  return `${who} did ${mine.value > theirs.value ? 'worse' : 'better'}: ${range}, and the intervals do not overlap.`;
}

function overlaps(a: Estimate, b: Estimate): boolean {
  if (!isKnown(a.low) || !isKnown(a.high) || !isKnown(b.low) || !isKnown(b.high)) return true;
  return a.low <= b.high && b.low <= a.high;
}

function seedPoints(comparison: Comparison): string[] {
  const seeds = Math.min(...comparison.arms.filter((a) => a.kind !== 'base').map((a) => a.seeds));
  if (!Number.isFinite(seeds)) return [];
  const note = 'The intervals are over test prompts and say nothing about another training run.';
  return seeds <= 1
    ? [`One training seed per arm: one seed is one seed. ${note}`]
    : [`At least ${plural(seeds, 'training seed')} per arm. ${note}`];
}
