import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cohenKappa, fleissKappa, krippendorffAlpha, percentAgreement } from './agreement.ts';

/** Items by rater, one letter per item, '.' where a rating is missing. */
function itemsOf(...raters: string[]): string[][] {
  const rows = raters.map((row) => row.replaceAll(' ', ''));
  return Array.from(rows[0], (_, i) => rows.map((row) => row[i]).filter((name) => name !== '.'));
}

/** Pairs of two raters from a table of counts: row = the first one's class, column = the second one's. */
function pairsOf(table: number[][]): [string, string][] {
  return table.flatMap((row, a) =>
    row.flatMap((count, b) =>
      Array.from({ length: count }, (): [string, string] => [`${a}`, `${b}`]),
    ),
  );
}

test("Cohen's kappa of Artstein and Poesio, Inter-coder agreement for computational linguistics (2008), table 1", () => {
  const pairs = pairsOf([
    [20, 20],
    [10, 50],
  ]);
  expect(percentAgreement(pairs)).toBeCloseTo(0.7, 12);
  expect(cohenKappa(pairs)).toBeCloseTo(0.348, 3);
});

// Each row: how many of 6 psychiatrists gave one patient each of 5 diagnoses.
const fleissTable = `00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
  00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006`;

test("Fleiss' kappa of Fleiss, Measuring nominal scale agreement among many raters (1971), table 1", () => {
  const items = fleissTable
    .split(/\s+/)
    .map((row) =>
      Array.from(row).flatMap((count, name) => Array<string>(Number(count)).fill(`${name}`)),
    );
  expect(items).toHaveLength(30);
  expect(percentAgreement(items)).toBeCloseTo(0.5556, 4);
  expect(fleissKappa(items)).toBeCloseTo(0.43, 3);
});

test("Krippendorff's alpha of Computing Krippendorff's Alpha-Reliability (2011), sections A, B and C", () => {
  expect(krippendorffAlpha(itemsOf('0100000010', '1110010000'))).toBeCloseTo(0.095, 3);
  expect(krippendorffAlpha(itemsOf('aabbdcccedda', 'babbbccceddd'))).toBeCloseTo(0.692, 3);
  const missing = itemsOf('123321412...', '1233224125.3', '.3332342251.', '12332441251.');
  expect(krippendorffAlpha(missing)).toBeCloseTo(0.743, 3);
});

test('full agreement on several classes is 1, and figures go below 0', () => {
  const same = itemsOf('abc', 'abc');
  const opposite = itemsOf('ab', 'ba');
  expect(cohenKappa([...pairsOf([[1]]), ['x', 'x']])).toBe(1);
  expect([fleissKappa(same), krippendorffAlpha(same), percentAgreement(same)]).toEqual([1, 1, 1]);
  expect(fleissKappa(opposite)).toBe(-1);
  expect(percentAgreement(opposite)).toBe(0);
  expect(
    cohenKappa([
      ['a', 'b'],
      ['b', 'a'],
    ]),
  ).toBe(-1);
  expect(krippendorffAlpha(opposite)).toBe(-0.5);
});

test('what is undefined is null', () => {
  const oneClass = itemsOf('aaa', 'aaa');
  expect(percentAgreement([])).toBeNull();
  expect(percentAgreement([['a'], []])).toBeNull();
  expect(percentAgreement(oneClass)).toBe(1);
  expect(cohenKappa([])).toBeNull();
  expect(cohenKappa([['a', 'a']])).toBeNull();
  expect(fleissKappa([])).toBeNull();
  expect(fleissKappa([['a'], ['b']])).toBeNull();
  expect(
    fleissKappa([
      ['a', 'b'],
      ['a', 'b', 'b'],
    ]),
  ).toBeNull();
  expect(fleissKappa(oneClass)).toBeNull();
  expect(krippendorffAlpha([])).toBeNull();
  expect(krippendorffAlpha([['a'], ['b'], []])).toBeNull();
  expect(krippendorffAlpha(oneClass)).toBeNull();
});

const items = fc.array(fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 2, maxLength: 4 }), {
  minLength: 1,
  maxLength: 12,
});

test('alpha is what its definition by pairs gives, and does not see items that nobody shares', () => {
  fc.assert(
    fc.property(items, (all) => {
      const alpha = krippendorffAlpha(all);
      expect(krippendorffAlpha([...all, ['a'], []])).toBe(alpha);
      // Observed: pairs within an item, weighted so that every rating counts once; expected: all pairs of ratings.
      let observed = 0;
      for (const item of all) {
        for (const [i, a] of item.entries())
          for (const [j, b] of item.entries())
            if (i !== j && a !== b) observed += 1 / (item.length - 1);
      }
      const flat = all.flat();
      let expected = 0;
      for (const [i, a] of flat.entries())
        for (const [j, b] of flat.entries()) if (i !== j && a !== b) expected++;
      if (expected === 0) expect(alpha).toBeNull();
      else {
        const n = flat.length;
        expect(alpha).toBeCloseTo(1 - observed / n / (expected / (n * (n - 1))), 10);
      }
    }),
    { seed: 5 },
  );
});
