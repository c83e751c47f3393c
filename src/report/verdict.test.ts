import { describe, expect, it } from 'vitest';
import type { Comparison, Estimate } from './data.ts';
import { sampleReport } from './testing/fixture.ts';
import { verdictOf } from './verdict.ts';

function sample(change: (comparison: Comparison) => void): ReturnType<typeof verdictOf> {
  const { comparison } = sampleReport();
  if (comparison === null) throw new Error('the sample has a comparison');
  change(comparison);
  return verdictOf(comparison);
}

function withGap(gap: Estimate | null) {
  return sample((c) => {
    for (const arm of c.arms) if (arm.id === 'pivottrace') arm.versusReference = gap;
  });
}

describe('verdictOf', () => {
  it('claims no more than the paired interval shows', () => {
    expect(withGap({ value: 0.005, low: -0.01, high: 0.02 }).lead).toContain('within the noise');
    expect(withGap({ value: 0.02, low: 0.01, high: 0.03 }).lead).toContain('in its favour');
    expect(withGap({ value: -0.02, low: -0.03, high: -0.01 }).lead).toContain('did worse');
    expect(withGap({ value: 0.02, low: null, high: null }).lead).toContain('without an interval');
    expect(withGap(null).lead).toContain('not measured prompt by prompt');
  });

  it('says when an arm that it needs is missing', () => {
    const without = (id: string) =>
      sample((c) => {
        c.arms = c.arms.filter((arm) => arm.id !== id && (id !== 'pivottrace' || arm.kind !== id));
      }).lead;
    expect(without('pivottrace')).toContain('no verdict');
    expect(without('full')).toContain('nothing to measure it against');
  });

  it('names arms that did as well or better', () => {
    const { points } = sample((c) => {
      for (const arm of c.arms) {
        if (arm.id === 'random') arm.pivotTraceLead = { value: -0.03, low: -0.04, high: -0.02 };
      }
    });
    expect(points.find((p) => p.startsWith('Random triage'))).toContain('did better');
    expect(points.find((p) => p.startsWith('PivotTrace, dynamic'))).toContain(
      'cannot be told apart',
    );
    expect(points.find((p) => p.startsWith('Majority'))).toContain('did worse');
  });

  it('claims no speed-up that was not reached', () => {
    const { points } = sample((c) => {
      for (const arm of c.arms) if (arm.id === 'pivottrace') arm.reached = 'not reached';
    });
    expect(points.join(' ')).toContain('no speed-up is claimed');
  });

  it('says how many seeds there were', () => {
    expect(sample(() => {}).points.join(' ')).toContain('one seed is one seed');
    const three = sample((c) => {
      for (const arm of c.arms) arm.seeds = 3;
    });
    expect(three.points.join(' ')).toContain('At least 3 training seeds');
  });
});
