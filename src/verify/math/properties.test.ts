// What must hold for every answer: it is the same as itself, the sides may be swapped, and writing it otherwise changes
// nothing. That equal values are right and others wrong is in identities.test.ts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../core/random.ts';
import { mathKind } from './kind.ts';
import { families, randomExpression } from './testing/expressions.ts';
import { decimalOf, latex } from './testing/print.ts';

const kind = mathKind('auto');
const verdict = (gold: string, answer: string) => kind.compare(gold, answer).verdict;

/** Wrong; or undecided, where one is the other rounded: whether that is good enough is for the prompt to say. */
function expectRefused(gold: string, answer: string): void {
  const { verdict, rung } = kind.compare(gold, answer);
  expect([gold, answer, rung === 'rounded' && verdict === 'undecided' ? 'wrong' : verdict]).toEqual(
    [gold, answer, 'wrong'],
  );
}

const drawn = fc.record({
  seed: fc.nat(),
  family: fc.constantFrom(...families),
  depth: fc.integer({ min: 0, max: 3 }),
});

const integer = fc.integer({ min: -9999, max: 9999 }).map(String);
const fraction = fc
  .tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: 2, max: 99 }))
  .map(([n, d]) => `${n < 0 ? '-' : ''}\\frac{${Math.abs(n)}}{${d}}`);
const surd = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 2, max: 50 }))
  .map(([k, n]) => `${k}\\sqrt{${n}}`);
const expression = drawn.map(({ seed, family, depth }) => {
  const random = stream(seed, family, depth);
  return latex(randomExpression(family, Math.min(depth, 2), random), random);
});
const value = fc.oneof(integer, fraction, surd, expression);
const numeral = fc.oneof(integer, fraction, surd);

/** Answers of all forms, as LaTeX without anything around it. */
const answer = fc.oneof(
  value,
  fc.tuple(value, value).map(([a, b]) => `(${a}, ${b})`),
  fc.tuple(integer, surd).map(([a, b]) => `\\{${a}, ${b}\\}`),
  fc.tuple(numeral, numeral).map(([a, b]) => `[${a}, ${b})`),
  fc.tuple(numeral, numeral).map(([a, b]) => `(-\\infty, ${a}) \\cup [${b}, \\infty)`),
  value.map((a) => `x = ${a}`),
  numeral.map((a) => `x \\le ${a}`),
  fc.tuple(integer, integer).map(([a, b]) => `x = ${a}, y = ${b}`),
  fc.tuple(surd, surd).map(([a, b]) => `${a} \\pm ${b}`),
  fc.tuple(integer, surd).map(([a, b]) => `${a} + ${b}i`),
  fc
    .tuple(value, value, integer, fraction)
    .map(([a, b, c, d]) => `\\begin{pmatrix} ${a} & ${b} \\\\ ${c} & ${d} \\end{pmatrix}`),
  integer.map((a) => `${a}\\%`),
  integer.map((a) => `${a} \\text{ cm}^2`),
  integer.map((a) => `${a}^\\circ`),
  fc.constantFrom(
    '\\text{Tuesday}',
    '\\text{(B)}',
    'B',
    '\\emptyset',
    '\\infty',
    '\\text{no solution}',
  ),
);

const pieces = [
  ...[
    '1',
    '2',
    '10',
    '0.5',
    '1,000',
    'x',
    'y',
    'e',
    'i',
    '\\pi',
    '+',
    '-',
    '=',
    '<',
    '\\le',
    '/',
    '^',
    '_',
  ],
  ...[
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    '\\{',
    '\\}',
    '|',
    ',',
    ';',
    '.',
    ' ',
    '$',
    '%',
    '\\%',
    '\\frac',
    '\\sqrt',
  ],
  ...[
    '\\text{',
    '\\left(',
    '\\right)',
    '\\pm',
    '\\cup',
    '\\infty',
    '\\circ',
    'cm',
    'or',
    'B',
    '!',
    '&',
    '\\\\',
  ],
  ...[
    '\\begin{pmatrix}',
    '\\end{pmatrix}',
    '\\log',
    '\\sin',
    '\u00b2',
    '\u221a',
    '\u2212',
    '\ud800',
    '\n',
  ],
];

/** Anything: what no person writes too. */
const anything = fc.oneof(
  answer,
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join('')),
);

describe('any two answers', () => {
  it('an answer is the same as itself, unless there is nothing to read', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(verdict(text, text)).toBe(kind.read(text) === null ? 'undecided' : 'right');
      }),
      { numRuns: 1500 },
    );
  });

  it('the sides may be swapped', () => {
    fc.assert(
      fc.property(anything, anything, (a, b) => {
        expect(verdict(a, b)).toBe(verdict(b, a));
      }),
      { numRuns: 2000 },
    );
  });

  it('answers of one key are the same', () => {
    fc.assert(
      fc.property(answer, answer, (a, b) => {
        const [x, y] = [kind.read(a), kind.read(b)];
        if (x !== null && y !== null && x.key === y.key) expect(verdict(a, b)).toBe('right');
        if (x !== null && y !== null && x.bucket !== y.bucket)
          expect(verdict(a, b)).not.toBe('right');
      }),
      { numRuns: 1000 },
    );
  });
});

/** Ways to write an answer that change nothing. */
const writings: readonly (readonly [string, (text: string) => string])[] = [
  ['blanks around it', (text) => `  ${text}\n`],
  ['blanks in it', (text) => text.replace(/([-+=,()&])/g, ' $1 ')],
  ['\\left and \\right', (text) => sized(text, '\\left', '\\right')],
  ['\\bigl and \\bigr', (text) => sized(text, '\\bigl', '\\bigr')],
  ['\\dfrac', (text) => text.replaceAll('\\frac', '\\dfrac').replaceAll('\\tfrac', '\\dfrac')],
  ['\\tfrac', (text) => text.replaceAll('\\frac', '\\tfrac').replaceAll('\\dfrac', '\\tfrac')],
  ['$', (text) => `$${text}$`],
  ['$$', (text) => `$$ ${text} $$`],
  ['\\( \\)', (text) => `\\(${text}\\)`],
  ['\\[ \\]', (text) => `\\[ ${text} \\]`],
  ['a full stop', (text) => `${text}.`],
  ['$ and a full stop', (text) => `$${text}$.`],
  ['a full stop in $', (text) => `$${text}.$`],
  ['\\boxed', (text) => `\\boxed{${text}}`],
  ['bold', (text) => `**$${text}$**`],
];

/** With the sizes of brackets, where all of them have partners. */
function sized(text: string, left: string, right: string): string {
  return text
    .replace(/\\[{}]|[([)\]]/g, (mark) => `${/[([{]$/.test(mark) ? left : right}${mark}`)
    .replace(/\\(left|right|bigl|bigr)\\(?=left|right)/g, '\\');
}

describe('writing it otherwise changes nothing:', () => {
  it.each(writings)('%s', (_, write) => {
    fc.assert(
      fc.property(answer, answer, (a, b) => {
        expect(verdict(a, write(a))).toBe('right');
        expect(verdict(write(a), b)).toBe(verdict(a, b));
        expect(verdict(b, write(a))).toBe(verdict(a, b));
      }),
      { numRuns: 150 },
    );
  });
});

describe('numbers', () => {
  const exact = fc.tuple(
    fc.integer({ min: -99_999, max: 99_999 }),
    fc.integer({ min: 0, max: 5 }),
    fc.integer({ min: 0, max: 4 }),
  );

  it('a fraction is the decimal that it is exactly, and no other', () => {
    fc.assert(
      fc.property(exact, fc.integer({ min: 1, max: 9 }), ([n, twos, fives], digit) => {
        const d = 2 ** twos * 5 ** fives;
        const decimal = decimalOf(n, d) ?? '';
        const written = `${n < 0 ? '-' : ''}\\frac{${Math.abs(n)}}{${d}}`;
        expect(verdict(written, decimal)).toBe('right');
        expect(verdict(`${n}/${d}`, `${decimal}${decimal.includes('.') ? '' : '.'}00`)).toBe(
          'right',
        );
        expectRefused(written, `${decimal}${decimal.includes('.') ? '' : '.'}000${digit}`);
      }),
    );
  });

  it('a fraction that has no exact decimal is none of its roundings', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9999 }),
        fc.constantFrom(3, 7, 9, 11, 13, 27, 37),
        fc.integer({ min: 1, max: 25 }),
        (n, d, places) => {
          fc.pre(n % d !== 0 && decimalOf(n, d) === undefined);
          const digits = `${(BigInt(n) * 10n ** BigInt(places)) / BigInt(d)}`.padStart(
            places + 1,
            '0',
          );
          const rounded = `${digits.slice(0, -places)}.${digits.slice(-places)}`;
          expectRefused(`\\frac{${n}}{${d}}`, rounded);
        },
      ),
    );
  });

  it('numbers of any size are the same exactly when all their digits are', () => {
    const size = 10n ** 60n;
    fc.assert(
      fc.property(
        fc.bigInt({ min: -size, max: size }),
        fc.bigInt({ min: -9n, max: 9n }),
        (n, by) => {
          expect(verdict(`${n}`, `${n + by}`)).toBe(by === 0n ? 'right' : 'wrong');
        },
      ),
    );
  });
});
