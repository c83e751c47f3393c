// Numbers as people and models write them, with tolerance, units and percent signs.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../core/errors.ts';
import { type NumberSettings, numberKind } from './number.ts';

type Case = [gold: string, answer: string, settings?: NumberSettings];

const close = (relative = 0, absolute = 0): NumberSettings => ({
  tolerance: { relative, absolute },
});

const right: Case[] = [
  ...[
    '45',
    '45.',
    '45.00',
    '+45',
    '$45$',
    '\\boxed{45}',
    '**45**',
    '\\(45\\)',
    '4.5e1',
    '4.5 \\times 10^{1}',
  ].map((answer): Case => ['45', answer]),
  ...['x = 45', 'x=45', 'x_1 = 45', 'f(2) = 45', 'total cost: 45', '40 + 5 = 45', '= 45'].map(
    (answer): Case => ['45', answer],
  ),
  ...[
    'about 45',
    '\u2248 45',
    '\\approx 45',
    '~45',
    'approximately 45',
    'is 45',
    'x \\approx 45',
  ].map((answer): Case => ['45', answer]),
  ...[
    '$45',
    '\\$45',
    '$\\$45$',
    '45 dollars',
    '45 USD',
    'US$45',
    '\u20ac45',
    '45\u5143',
    '$45.00',
  ].map((answer): Case => ['45', answer]),
  ...[
    '45 cm',
    '45\\text{ cm}',
    '45~\\mathrm{cm}^2',
    '45 m/s',
    '45 m/s^2',
    '45^\\circ',
    '45\u00b0',
    '45 apples',
    '45 m\u00b2',
    '45\\,\\text{kg}',
    '45 square miles',
    '45-mile',
    '45 km.',
  ].map((answer): Case => ['45', answer]),
  ['-5', '\u22125'],
  ['-5', '-$5'],
  ['-5', '$-5$'],
  ['1/2', '\\frac{1}{2}'],
  ['0.5', '\u00bd'],
  ['1.5', '1\u00bd'],
  ['1.5', '1 1/2'],
  ['1.5', '1\\frac12'],
  ['-0.5', '-\\dfrac{1}{2}'],
  ['1000', '1,000'],
  ['1000', '1{,}000'],
  ['1000', '1\\,000'],
  ['1000', '1 000'],
  ['1000', '1\u202f000'],
  ['1000', '10^3'],
  ['1000', '10\u00b3'],
  ['1200', '1.2 \u00d7 10\u00b3'],
  ['0.0012', '1.2 * 10**-3'],
  ['1200', '1.2x10^3'],
  ['1200', '1.2 \\cdot 10^{3}'],
  ['1200', '1.2E3'],
  ['1500000', '1.5 million'],
  ['1500000', '$1.5 million'],
  ['24', '2 dozen eggs'],
  ['50000', '5\u4e07'],
  ['50000', '5\u4e07\u5143'],
  ['0.5', '50%'],
  ['0.5', '50\\%'],
  ['50', '50%'],
  ['50%', '50 percent'],
  ['0.5', '50 per cent'],
  ['5 cm', '5 centimeters'],
  ['5 dollars', '$5'],
  ['5 m/s', '5 meters per second'],
  ['1.38 \\times 10^{-23}', '1.38 \\times 10^{-23}\\ \\text{J/K}'],
  ['1/3', '1/3 \u2248 0.333'],
  ['45', '\uff14\uff15'],
  ['0', '-0'],
  ['0.1', '0.10'],
  ['99', '100', close(0.01)],
  ['100', '99', close(0.01)],
  ['1/3', '0.333', close(0.001)],
  ['3.14', '3.1', close(0, 0.04)],
  ['0', '0.001', close(0, 0.001)],
  ['50', '50.4%', close(0.01)],
  ['-99', '-100', close(0.01)],
];

const wrong: Case[] = [
  ['45', '46'],
  ['45', '-45'],
  ['45', '54'],
  ['45', '45, 46'],
  ['1/3', '0.333'],
  ['0.1', '0.10000000000000001'],
  ['9007199254740993', '9007199254740992'],
  ['10', '1,0'],
  ['1.5', '1,5'],
  ['102', '10\u00b2'],
  ['5.5', '1\u00bd'],
  ['5', '5 million'],
  ['5', '5%5'],
  ['0.05', '50%'],
  ['0.5', '0.5%'],
  ['45', 'five'],
  ['45', ''],
  ['45', '45x + 46'],
  ['98.9', '100', close(0.01)],
  ['0', '0.001', close(0.5)],
  ['1', '-1', close(0.5)],
  ['3.14', '3.2', close(0, 0.04)],
];

const undecided: Case[] = [
  ['5 cm', '5 m'],
  ['5 cm', '50 mm'],
  ['5 cm', '5 kg'],
  ['5 apples', '5 pears'],
  ['45', '45x'],
  ['45', '45\\pi'],
  ['45', '45 and more'],
  ['45', 'x > 45'],
  ['2', '\\sqrt{2}'],
  ['', 'five'],
];

describe.each([
  ['right', right],
  ['wrong', wrong],
  ['undecided', undecided],
] as const)('%s', (wanted, cases) => {
  it.each(cases)('%j against %j', (gold, answer, settings) => {
    const kind = numberKind(settings);
    expect(kind.compare(gold, answer)).toMatchObject({ verdict: wanted });
    expect(kind.compare(answer, gold)).toEqual(kind.compare(gold, answer));
  });
});

const integer = fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n });
const positive = fc.bigInt({ min: 1n, max: 10n ** 9n });

it('takes every way to write one fraction for the same', () => {
  const kind = numberKind();
  fc.assert(
    fc.property(integer, positive, positive, (num, den, factor) => {
      const gold = `${num}/${den}`;
      const sign = num < 0n ? '-' : '';
      const size = num < 0n ? -num : num;
      for (const answer of [
        `${num * factor}/${den * factor}`,
        `${sign}\\frac{${size * factor}}{${den * factor}}`,
        `x = ${sign}\\dfrac{${size}}{${den}} \\text{ cm}`,
      ]) {
        expect(kind.compare(gold, answer).verdict).toBe('right');
      }
      expect(kind.compare(gold, `${num + 1n}/${den}`).verdict).toBe('wrong');
      expect(kind.read(gold)?.key).toBe(kind.read(`${num * factor}/${den * factor}`)?.key);
    }),
  );
});

it('has a tolerance that is exact at its limit, whichever side is larger', () => {
  fc.assert(
    fc.property(positive, fc.integer({ min: 1, max: 99 }), (size, percent) => {
      const kind = numberKind(close(percent / 100));
      const most = size * 100n;
      const least = size * BigInt(100 - percent);
      expect(kind.compare(`${most}`, `${least}`).verdict).toBe('right');
      expect(kind.compare(`${least}`, `${most}`).verdict).toBe('right');
      expect(kind.compare(`${most}`, `${least - 1n}`).verdict).toBe('wrong');
    }),
  );
});

const pieces = [
  '1',
  '0',
  '45',
  '.',
  ',',
  '/',
  ' ',
  '-',
  '%',
  '$',
  'cm',
  ' m',
  'x',
  '=',
  'e',
  '^',
  '{',
  '}',
];
const messy = fc.oneof(
  fc
    .array(
      fc.constantFrom(
        ...pieces,
        '10^',
        '\\frac',
        '\\times',
        '\\approx',
        '\u00b2',
        '\u00bd',
        ' million',
      ),
      {
        maxLength: 8,
      },
    )
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 12 }),
);

it.each([{}, close(0.1), close(0, 1)])('is symmetric, and keys mean equality: %j', (settings) => {
  const kind = numberKind(settings);
  fc.assert(
    fc.property(messy, messy, (a, b) => {
      const verdict = kind.compare(a, b);
      expect(kind.compare(b, a)).toEqual(verdict);
      const [left, other] = [kind.read(a), kind.read(b)];
      if (left !== null) expect(kind.compare(a, a).verdict).toBe('right');
      if (left !== null && left.key === other?.key) expect(verdict.verdict).toBe('right');
    }),
    { numRuns: 1000 },
  );
});

it('does not bring 0.5 and 50 together through 50%', () => {
  const { read } = numberKind();
  expect(new Set(['0.5', '50%', '50'].map((answer) => read(answer)?.key)).size).toBe(3);
});

it('takes values of expressions: exact ones always, rounded ones with a tolerance', () => {
  const evaluate = (answer: string) => {
    if (answer === '5!') return { num: 120n, den: 1n, exact: true };
    return answer === 'pi' ? { num: 314159265n, den: 10n ** 8n, exact: false } : undefined;
  };
  const exact = numberKind({}, evaluate);
  expect(exact.compare('5!', '120').verdict).toBe('right');
  expect(exact.compare('5!', '121').verdict).toBe('wrong');
  expect(exact.read('5!')?.key).toBe(exact.read('120')?.key);
  expect(exact.compare('pi', '3.14159265').verdict).toBe('wrong');
  expect(exact.read('pi')).toBeNull();
  const roughly = numberKind(close(0.001), evaluate);
  expect(roughly.compare('pi', '3.14').verdict).toBe('right');
  expect(roughly.compare('3.1', 'pi').verdict).toBe('wrong');
});

it('shows the value', () => {
  expect(numberKind().read('x = 2.50 \\text{ cm}')).toMatchObject({
    kind: 'number',
    shown: '5/2 cm',
  });
});

it.each([-0.1, Number.NaN, Number.POSITIVE_INFINITY])('refuses the tolerance %d', (limit) => {
  expect(() => numberKind(close(limit))).toThrow(UserError);
  expect(() => numberKind(close(0, limit))).toThrow(/verify\.tolerance\.absolute/);
});

it.each([
  '9'.repeat(4096),
  '1,'.repeat(2048),
  '\\frac'.repeat(800),
  'x'.repeat(4096),
  '= '.repeat(2048),
  '1 '.repeat(2048),
  '~'.repeat(4096),
  '\\text{'.repeat(680),
  '$'.repeat(4096),
])('gets through long answers', (answer) =>
  expect(numberKind().compare('1', answer).verdict).not.toBe('right'),
);
