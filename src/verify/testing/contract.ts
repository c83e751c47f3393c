// What every verifier must hold, over whatever it is asked: for all kinds in the registry, and in the pool.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerifierSpec } from '../spec.ts';
import type { Verifier } from '../types.ts';

const pieces = fc.constantFrom(
  ...['1', '9', '0', '45', '22', ',', '.', '/', ' ', '-', '%', '(', ')', 'B', 'b', 'A', '$', '\n'],
  ...[
    '\\frac',
    '\\boxed{',
    '{',
    '}',
    '\\',
    'answer: ',
    '<answer>',
    '</answer>',
    '####',
    '</think>',
  ],
  ...['\ud800', '\0', 'é', 'e\u0301', 'İ', 'e9', '10^', '**', '"', 'final answer is', 'x =', 'x'],
  ...[
    '\\sqrt{',
    '^',
    '_',
    '\\pi',
    '\\cup',
    '[',
    ']',
    ':',
    'true',
    '\\text{',
    '\\left(',
    '&',
    '\\\\',
  ],
);
const messy = fc.oneof(
  fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

const hostile = [
  '\\boxed{'.repeat(50_000),
  'answer '.repeat(50_000),
  `answer:${' '.repeat(300_000)}`,
  '<answer>'.repeat(50_000),
  '\n'.repeat(300_000),
  '1'.repeat(300_000),
  '{'.repeat(300_000),
  '1,'.repeat(2000),
  `answer: ${'('.repeat(3000)}`,
  `answer: ${'\\frac{'.repeat(600)}`,
  `answer: ${'9^'.repeat(1500)}9`,
  `answer: 9${'!'.repeat(3000)}`,
  `answer: ${'-'.repeat(4000)}1`,
  `answer: ${'\\sqrt{'.repeat(500)}2${'}'.repeat(500)}`,
];

/** What the suite knows of a kind: two answers that differ for certain, as this kind writes them. */
export interface Samples {
  spec: VerifierSpec;
  one: string;
  other: string;
  /** The gold is of another sort than the answer (a pattern, tests): an answer need not be right against itself. */
  isOneSided?: boolean;
}

/** Runs the suite over `open(spec)`; `runs` scales the number of random cases. */
export function verifierContract(
  name: string,
  { spec, one, other, isOneSided = false }: Samples,
  open: (spec: VerifierSpec) => Promise<Verifier>,
  runs: number,
): void {
  describe(`the contract, by ${name}`, () => {
    let verifier: Verifier;
    beforeAll(async () => {
      verifier = await open(spec);
    });
    afterAll(() => verifier.close());

    it('always answers, and a span is where its text is', async () => {
      await fc.assert(
        fc.asyncProperty(messy, messy, async (gold, response) => {
          const [verdict] = await verifier.verify(gold, [response]);
          expect(['right', 'wrong', 'undecided']).toContain(verdict.verdict);
          expect(verdict.reason).not.toBe('');
          expect(verdict.rung).not.toBe('');
          const found = await verifier.candidates(response);
          expect(await verifier.extract([response])).toEqual([found[0]]);
          for (const { text, start, end } of found) {
            expect(text).not.toBe('');
            expect(start >= 0 && end <= response.length && start < end).toBe(true);
          }
        }),
        { numRuns: runs },
      );
    });

    it.skipIf(isOneSided)(
      'is symmetric, reflexive on what it reads, agrees with its keys',
      async () => {
        await fc.assert(
          fc.asyncProperty(messy, messy, async (a, b) => {
            const verdict = await verifier.compare(a, b);
            expect(await verifier.compare(b, a)).toEqual(verdict);
            const [left, right] = [await verifier.read(a), await verifier.read(b)];
            if (left === null || right === null) return;
            expect((await verifier.compare(a, a)).verdict).toBe('right');
            if (left.key === right.key) expect(verdict.verdict).toBe('right');
            if (left.bucket !== right.bucket) expect(verdict.verdict).not.toBe('right');
            expect(left.shown.length).toBeLessThanOrEqual(200);
          }),
          { numRuns: runs },
        );
      },
    );

    it('parts a group into classes', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(messy, { minLength: 2, maxLength: 6 }), async (some) => {
          const answers = [...some, undefined, ...some];
          const classes = [...(await verifier.classes(answers))];
          expect(classes[some.length]).toBe(-1);
          // The same text is in the same class, and classes count up as they appear.
          expect(classes.slice(some.length + 1)).toEqual(classes.slice(0, some.length));
          const seen = [...new Set(classes)].filter((index) => index >= 0);
          expect(seen).toEqual(seen.map((_, i) => i));
          const readings = await Promise.all(some.map((answer) => verifier.read(answer)));
          for (const [i, reading] of readings.entries()) {
            expect(classes[i] === -1).toBe(reading === null);
            const first = some[classes.indexOf(classes[i])];
            if (reading !== null && !isOneSided) {
              expect((await verifier.compare(first, some[i])).verdict).toBe('right');
            }
          }
        }),
        { numRuns: Math.ceil(runs / 3) },
      );
    });

    it('numbers its classes in order of first appearance', async () => {
      const classes = await verifier.classes([one, undefined, other, one]);
      expect([...classes]).toEqual([0, -1, 1, 0]);
    });

    it('tells right from wrong', async () => {
      expect((await verifier.compare(one, one)).verdict).toBe('right');
      expect((await verifier.compare(one, other)).verdict).toBe('wrong');
    });

    it('is undecided beyond its bounds', async () => {
      const long = '1'.repeat(5000);
      const bound = { verdict: 'undecided', rung: 'bound' };
      expect(await verifier.compare(long, long)).toMatchObject(bound);
      expect(await verifier.read(long)).toBeNull();
      expect([...(await verifier.classes([long, long]))]).toEqual([-1, -1]);
      const small = await open({ ...spec, bounds: { ...spec.bounds, maxResponseChars: 20 } });
      const [verdict] = await small.verify(one, [`answer: ${one}${' '.repeat(30)}`]);
      expect(verdict).toMatchObject(bound);
      await small.close();
    });

    it('gets through hostile input', async () => {
      const verdicts = await verifier.verify(one, hostile);
      for (const { verdict } of verdicts) expect(verdict).not.toBe('right');
      const tower = `${'9'.repeat(2000)}/${'7'.repeat(2000)}`;
      expect((await verifier.compare(tower, one)).verdict).not.toBe('right');
    });

    it('closes once and for all', async () => {
      const own = await open(spec);
      await own.close();
      await own.close();
    });
  });
}
