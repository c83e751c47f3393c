// What does not matter in text, and what does.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TextSettings, textKind } from './text.ts';

type Case = [gold: string, answer: string, settings?: TextSettings];

const bare: TextSettings = { punctuation: 'ignored' };
const noArticles: TextSettings = { articles: 'ignored' };

const same: Case[] = [
  ['Paris', ' paris.'],
  ['Paris', '**Paris**'],
  ['Paris', '\\text{Paris}'],
  ['Paris', '$\\textbf{Paris}$'],
  ['Paris', '\u201cParis\u201d'],
  ['Paris, France', '**Paris**, France'],
  ['north west', '\\text{north}\\ \\text{west}'],
  ['north west', 'North\n  West'],
  ['caf\u00e9', 'cafe\u0301'],
  ["it's", 'it\u2019s'],
  ['1914-1918', '1914\u20131918'],
  ['H2O', 'H\u2082O'],
  ['10^{2}', '10\u00b2'],
  ['1/2', '\u00bd'],
  ['Stra\u00dfe', 'STRASSE'],
  ['\u4f60\u597d', '\u4f60\u597d\u3002'],
  ['\uff21\uff22', 'ab'],
  ['well-known fact', 'well known fact!', bare],
  ["don't, U.S.A.", 'dont USA', bare],
  ['the cat', 'Cat', noArticles],
  ['an apple a day', 'apple day', noArticles],
  ['A', 'a', noArticles],
  ['NaCl', 'NaCl', { caseMatters: true }],
  [' a  b. ', 'a  b.', { exact: true }],
];

const other: Case[] = [
  ['Paris', 'London'],
  ['yes', 'true'],
  ['102', '10\u00b2'],
  ['11/2', '1\u00bd'],
  ['the cat', 'cat'],
  ['a, b', 'a b'],
  ['2*3', '23'],
  ['Paris', ''],
  ['3.14', '314', bare],
  ['-5', '5', bare],
  ['1,000', '1 000', bare],
  ['NaCl', 'nacl', { caseMatters: true }],
  ['a b', 'a  b', { exact: true }],
  ['a', 'A', { exact: true }],
  ['caf\u00e9', 'cafe\u0301', { exact: true }],
  ['another', 'other', noArticles],
];

describe.each([
  ['right', same],
  ['wrong', other],
] as const)('%s', (wanted, cases) => {
  it.each(cases)('%j against %j', (gold, answer, settings) => {
    const kind = textKind(settings);
    expect(kind.compare(gold, answer)).toMatchObject({ verdict: wanted });
    expect(kind.compare(answer, gold)).toEqual(kind.compare(gold, answer));
  });
});

it.each([{}, bare, noArticles, { exact: true }])(
  'calls equal exactly what has one key: %j',
  (settings) => {
    const kind = textKind(settings);
    const piece = fc.constantFrom(
      'a',
      'A',
      'the ',
      ' ',
      '.',
      '-',
      '1',
      '$',
      '*',
      '\\text{',
      '}',
      '\ud800',
      '\u00b2',
    );
    const messy = fc.array(piece, { maxLength: 6 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(messy, messy, (a, b) => {
        const [left, right] = [kind.read(a), kind.read(b)];
        expect(kind.compare(b, a)).toEqual(kind.compare(a, b));
        expect(kind.compare(a, b).verdict === 'right').toBe(
          left !== null && left.key === right?.key,
        );
      }),
      { numRuns: 1000 },
    );
  },
);

it('is undecided on nothing, and shows at most 200 characters', () => {
  expect(textKind().compare('', ' ')).toMatchObject({ verdict: 'undecided' });
  expect(textKind().read('x'.repeat(300))?.shown).toHaveLength(200);
});

it.each(['\\text{', '**', '$', '"', '\u00b2', 'the ', '-', '. '])(
  'gets through a megabyte of %j',
  (piece) => {
    const kind = textKind({ punctuation: 'ignored', articles: 'ignored' });
    expect(kind.compare('x', piece.repeat(1_000_000 / piece.length)).verdict).toBe('wrong');
  },
);
