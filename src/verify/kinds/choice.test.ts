// Letters in any dress, lists of them, and the texts of options.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChoiceSettings, choiceKind } from './choice.ts';

const animals = { A: 'the dog', B: 'the cat', C: 'a bird', D: 'It is a fish' };
const numbers = { A: '44', B: '45', C: '46.50', D: '1/2' };

type Case = [gold: string, answer: string, settings?: ChoiceSettings];

const right: Case[] = [
  ...[
    ...['B', 'b', '(B)', '(b)', '[B]', 'B.', 'B)', 'B:', '\\text{B}', '\\text{(B)}', '\\textbf{B}'],
    ...[
      '\\textbf{(B)}',
      '\\boxed{B}',
      '$B$',
      '**B**',
      '**(B)**',
      '\uff22',
      '\uff08\uff22\uff09',
      '"B"',
    ],
    ...['option B', 'Option (B)', 'Choice b', 'Answer: B', 'answer: (B).', 'The answer is B.'],
    ...['The correct answer is option B', 'the correct option is (B)', 'My final answer: **B**'],
    ...[
      'B) 45',
      '(B) 45',
      'B. the cat',
      'B: the cat',
      'B - the cat',
      '**B.** the cat',
      'B.the cat',
    ],
    ...[
      '\\textbf{(B)}\\ 45',
      '\\mathrm{(B) \\ }45',
      'b) the cat',
      'B, because it purrs',
      'B is correct',
    ],
    ...[
      '\u9009B',
      '\u7b54\u6848\uff1aB',
      '\u9009\u9879B',
      'B\u9009\u9879',
      '\u7b54\u6848\u662f B\u3002',
      'B.\u732b',
    ],
  ].map((answer): Case => ['B', answer]),
  ['C', '\u7efc\u4e0a\u6240\u8ff0\uff0c\u672c\u9898\u9009C'],
  ['B. the cat', 'B. the cat'],
  ['B. the cat', 'the cat'],
  ['the cat', 'The cat.'],
  ['B', 'the cat', { options: animals }],
  ['B', '\\text{The Cat}', { options: animals }],
  ['B', 'cat', { options: animals }],
  ['B', 'Answer: the cat', { options: animals }],
  ['D', 'It is a fish.', { options: animals }],
  ['the cat', '(B)', { options: animals }],
  ['C', '46.5', { options: numbers }],
  ['D', '0.5', { options: numbers }],
  ['B', '(B) 45', { options: numbers }],
  ['3', '(3)', { options: { 1: 'x', 2: 'y', 3: 'z' } }],
  ['ii', '(II) y', { options: { i: 'x', ii: 'y', iii: 'z' } }],
  ['A, C', 'C and A', { several: true }],
  ['AC', '(A), (C)', { several: true }],
  ['A, C', 'A and C', { several: true }],
  ['AC', 'CA', { several: true }],
  ['A,C', '\\text{A,C}', { several: true }],
  ['A,C', '{A, C}', { several: true }],
  ['A,C', '(A) and (C)', { several: true }],
  ['A,C', '(A)(C)', { several: true }],
  ['A,C', 'A, C, A', { several: true }],
  ['A,C', 'both A and C', { several: true }],
  ['A,C', 'Options A & C', { several: true }],
  ['A,C,D', 'A, C, and D', { several: true }],
  ['A,C', 'A\u3001C', { several: true }],
  ['A,C', 'ac', { several: true, options: animals }],
  ['A, C', 'A C'],
  ['AC', 'A, C'],
  ['C', 'C', { several: true }],
];

const wrong: Case[] = [
  ['B', 'A'],
  ['B', '(D)'],
  ['B', 'A. the cat'],
  ['B. the cat', 'C. the cat'],
  ['the cat', 'the dog'],
  ['B. the cat', 'the dog'],
  ['B', 'A, B'],
  ['B', 'AB'],
  ['B', 'A or B'],
  ['B', 'A and B'],
  ['A, C', 'A', { several: true }],
  ['A, C', 'A, B', { several: true }],
  ['A, C', 'A, B, C', { several: true }],
  ['A, C', 'A or C', { several: true }],
  ['A, C', 'C, A'],
  ['B', 'the dog', { options: animals }],
  ['B', '46.5', { options: numbers }],
  ['B', '47', { options: numbers }],
  ['B', '2', { options: { 1: 'x', 2: 'y', B: 'z' } }],
  ['B', ''],
  ['B', 'E', { options: animals }],
];

const undecided: Case[] = [
  ['B', 'the cat'],
  ['B', '\u4e0d\u9009B'],
  ['B', '45'],
  ['B', 'a cat'],
  ['A', 'A cat'],
  ['B', 'e.g. that one'],
  ['U', 'U.S. law'],
  ['B', 'something with fur', { options: animals }],
  ['B', '(B) the dog', { options: animals }],
  ['A', 'same', { options: { A: 'same', B: 'same' } }],
  ['2', '2.5', { options: { 1: 'x', 2: 'y' } }],
  ['', ' '],
];

describe.each([
  ['right', right],
  ['wrong', wrong],
  ['undecided', undecided],
] as const)('%s', (wanted, cases) => {
  it.each(cases)('%j against %j', (gold, answer, settings) => {
    const kind = choiceKind(settings);
    expect(kind.compare(gold, answer)).toMatchObject({ verdict: wanted });
    expect(kind.compare(answer, gold)).toEqual(kind.compare(gold, answer));
  });
});

const words = ['A', 'B', 'C', 'a', 'b', '(', ')', '.', ',', ' ', ' and ', ' or ', 'the cat', '45'];
const messy = fc.oneof(
  fc.array(fc.constantFrom(...words, '\\text{', '}', '$', '**', '[', ':', '\ud800', 'option '), {
    maxLength: 8,
  }),
  fc.array(fc.string({ unit: 'binary', maxLength: 3 }), { maxLength: 8 }),
);

it.each([{}, { several: true }, { options: animals }, { options: numbers, several: true }])(
  'is symmetric and reflexive, and keys mean equality: %j',
  (settings) => {
    const kind = choiceKind(settings);
    fc.assert(
      fc.property(messy, messy, (x, y) => {
        const [a, b] = [x.join(''), y.join('')];
        const verdict = kind.compare(a, b);
        expect(kind.compare(b, a)).toEqual(verdict);
        const [left, other] = [kind.read(a), kind.read(b)];
        if (left !== null) expect(kind.compare(a, a).verdict).toBe('right');
        if (left !== null && left.key === other?.key) expect(verdict.verdict).toBe('right');
      }),
      { numRuns: 1000 },
    );
  },
);

it('gives what a person is shown', () => {
  const kind = choiceKind({ several: true, options: animals });
  expect(kind.read('(C) and (A)')).toEqual({
    key: 'choice:A, C',
    bucket: 'choice',
    kind: 'choice',
    shown: 'A, C',
  });
  expect(kind.read('the cat')?.key).toBe('choice:B');
  expect(kind.read(' ')).toBeNull();
});

it.each([
  'A,'.repeat(500_000),
  '('.repeat(1_000_000),
  'A '.repeat(500_000),
  '\\text{'.repeat(200_000),
])('gets through a megabyte', (answer) =>
  expect(choiceKind().compare('B', answer).verdict).not.toBe('right'),
);
