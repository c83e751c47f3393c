import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stream } from '../core/random.ts';
import { summarisePivots } from './pivots.ts';
import { pivotScore, tieReport } from './score.ts';
import { sensitivityLines, sensitivityTable } from './sensitivity.ts';
import { defaultTraceSettings, type Head, type RawTrace } from './types.ts';

test('a score is the mean over the traces of a prompt', () => {
  const four = summarisePivots([0, 5, 0, 0], 3, 4);
  const two = summarisePivots([0, 0], 3, 4);
  expect(pivotScore([four, two])).toEqual({
    traces: 2,
    tokens: 3,
    count: 0.5,
    density: 12.5,
    excess: 1,
  });
  expect(() => pivotScore([])).toThrow(RangeError);
});

test('a pool of zeros in both lower bands is said to tie', () => {
  const scores = [0, 0, 0, 0, 0, 0, 0, 1, 2, 3];
  const report = tieReport(scores, { low: 4, middle: 3 });
  expect(report).toMatchObject({ prompts: 10, tied: 7, zero: 7, distinct: 4, lowMiddleTie: 1 });
  expect(report.indistinguishable).toBe(true);
  expect(report.warning).toMatch(/^70\.0 % of 10 prompts score zero .*more traces/);
});

test('ties within a band, or few at the cut, do no harm', () => {
  const within = tieReport([1, 1, 1, 1, 2, 2, 2, 3, 3, 3], { low: 4, middle: 3 });
  expect(within).toMatchObject({ tied: 10, zero: 0, lowMiddleTie: 0, warning: null });
  // Three of the four low and one of the three middle prompts score 2.
  const few = tieReport([1, 2, 2, 2, 2, 3, 4, 5, 6, 7], { low: 4, middle: 3 });
  expect(few.lowMiddleTie).toBeCloseTo((3 / 4) * (1 / 3), 12);
  expect(tieReport([1, 1, 1, 2, 2, 2, 2, 3], { low: 4, middle: 3 }).lowMiddleTie).toBe(1 / 4);
  expect(few).toMatchObject({ indistinguishable: false, warning: null });
  expect(tieReport([0, 0], { low: 0, middle: 2 }).indistinguishable).toBe(false);
  expect(() => tieReport([1, 2], { low: 2, middle: 1 })).toThrow(RangeError);
});

test('the tie report depends on the scores, not on their order, and counts add up', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 3, maxLength: 40 }),
      (scores) => {
        const cuts = { low: Math.floor(scores.length / 3), middle: Math.floor(scores.length / 3) };
        const report = tieReport(scores, cuts);
        expect(tieReport(scores.toReversed(), cuts)).toEqual(report);
        const single = scores.length - report.tied;
        expect(single).toBeLessThanOrEqual(report.distinct);
        expect(report.distinct).toBe(new Set(scores).size);
        expect(report.lowMiddleTie).toBeLessThanOrEqual(1);
      },
    ),
  );
});

const layers = 4;
const heads = 5;
const allHeads: Head[] = Array.from({ length: layers * heads }, (_, i) => ({
  layer: Math.floor(i / heads),
  head: i % heads,
}));

/** Traces whose heads see the same jumps at random places, each with noise of its own. */
function madeUpTraces(prompts: number, traced: readonly Head[] = allHeads): RawTrace[][] {
  return Array.from({ length: prompts }, (_, prompt) => {
    const random = stream(3, 'trace', prompt);
    const tokens = 40 + random.below(40);
    let base = 10;
    const distance = Float32Array.from({ length: tokens * traced.length }, (_, i) => {
      if (i % traced.length === 0 && random.uniform() < 0.002 * prompt)
        base = 30 * random.uniform();
      return base + 0.5 * (1 + (i % traced.length)) * random.normal();
    });
    return [{ heads: [...traced], tokens, signals: { distance } }];
  });
}

const distances = {
  layers,
  heads,
  meanDistance: Float64Array.from(allHeads, (_, i) => allHeads.length - i),
};

test('the score in use correlates with itself at 1, other settings less', () => {
  const settings = defaultTraceSettings;
  const rows = sensitivityTable({
    prompts: madeUpTraces(60),
    settings,
    distances,
    score: 'excess',
  });
  expect(rows.map((row) => `${row.parameter} ${row.value}`)).toEqual([
    ...['zeta 80', 'zeta 85', 'zeta 90', 'zeta 95'],
    ...['psi 0.05', 'psi 0.1', 'psi 0.15', 'psi 0.2'],
    ...['delta 5', 'delta 10', 'delta 15', 'delta 20'],
  ]);
  const inUse = rows.filter((row) => row.inUse);
  expect(inUse.map((row) => row.value)).toEqual([95, 0.05, 10]);
  for (const row of inUse) expect(row.spearman).toBeCloseTo(1, 12);
  for (const row of rows) expect(row.reason).toBeNull();
  // psi 5 % and 10 % of 20 heads both keep the two heads that are the least.
  const others = rows.filter((row) => !row.inUse && row.value !== 0.1);
  for (const row of others) {
    expect(row.spearman).toBeGreaterThan(0.3);
    expect(row.spearman).toBeLessThan(0.9999);
  }
  const taus = rows.slice(0, 4).map((row) => row.tau ?? 0);
  expect(taus).toEqual(taus.toSorted((a, b) => a - b));
  expect(rows.map((row) => row.heads).slice(4, 8)).toEqual([2, 2, 3, 4]);
  expect(rows[0].published).toBe(0.936);
});

test('the table does not depend on the order of the prompts', () => {
  const prompts = madeUpTraces(30);
  const settings = defaultTraceSettings;
  const table = (of: RawTrace[][]) =>
    sensitivityTable({ prompts: of, settings, distances, score: 'count' });
  const turned = table(prompts.toReversed());
  for (const [i, row] of table(prompts).entries()) {
    expect(turned[i].tau).toBe(row.tau);
    expect(turned[i].spearman).toBeCloseTo(row.spearman ?? Number.NaN, 12);
  }
});

test('a value in use outside of the grid gets a row', () => {
  const settings = { ...defaultTraceSettings, zeta: 97 };
  const rows = sensitivityTable({
    prompts: madeUpTraces(20),
    settings,
    distances,
    score: 'excess',
  });
  const row = rows.find((one) => one.value === 97);
  expect(row).toMatchObject({ inUse: true, published: null });
  expect(row?.spearman).toBeCloseTo(1, 12);
});

test('rows that the traces cannot answer say why', () => {
  const settings = defaultTraceSettings;
  const few = madeUpTraces(20, allHeads.slice(0, 2));
  const rows = sensitivityTable({ prompts: few, settings, distances, score: 'excess' });
  const psi = rows.find((row) => row.parameter === 'psi' && row.value === 0.2);
  expect(psi).toMatchObject({ spearman: null, tau: null, heads: 4 });
  expect(psi?.reason).toContain('needs 4 heads, the traces hold 2');
  expect(rows.filter((row) => row.reason === null)).toHaveLength(10);
  expect(sensitivityLines(rows).join('\n')).toMatch(/psi 0\.2 +4 +- +0\.812 {2}needs 4 heads/);

  const far = madeUpTraces(20).map((traces) =>
    traces.map((trace) => ({ ...trace, signals: { far_mass: trace.signals.distance } })),
  );
  const farRows = sensitivityTable({
    prompts: far,
    settings: { ...settings, signal: 'far_mass' },
    distances,
    score: 'excess',
  });
  expect(farRows.filter((row) => row.reason?.includes('Delta 10'))).toHaveLength(3);

  const still = few.slice(0, 1);
  const none = sensitivityTable({ prompts: still, settings, distances, score: 'excess' });
  expect(none[0].reason).toContain('fewer than two prompts');
});
