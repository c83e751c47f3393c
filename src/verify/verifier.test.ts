// The contract of every verifier, and what each one takes for the same answer.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../core/errors.ts';
import { readNumber } from './readings.ts';
import { verifierFor, verifierNames } from './registry.ts';
import type { Verdict } from './types.ts';
import { KeyedVerifier } from './verifier.ts';

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
  ...['\ud800', '\0', 'é', 'e\u0301', 'İ', 'e9', '10^', '**', '"', '.', 'final answer is', 'x ='],
);
const messy = fc.oneof(
  fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

describe.each(verifierNames)('the contract, by %s', (name) => {
  const verifier = verifierFor(name);

  it('never throws, and a span is where its text is', () => {
    fc.assert(
      fc.property(messy, messy, fc.boolean(), (gold, response, lastResort) => {
        const reader = verifierFor(name, { lastResort });
        expect(['right', 'wrong', 'undecided']).toContain(reader.verify(gold, response).verdict);
        const found = reader.extract(response);
        if (found !== undefined) {
          expect(response.slice(found.start, found.end)).toBe(found.text);
          expect(found.text).not.toBe('');
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is symmetric, reflexive on what it reads, and its classes are its comparisons', () => {
    fc.assert(
      fc.property(fc.array(messy, { minLength: 2, maxLength: 5 }), (answers) => {
        const classes = verifier.classes([...answers, undefined]);
        expect(classes.at(-1)).toBe(-1);
        for (const [i, a] of answers.entries()) {
          for (const [j, b] of answers.entries()) {
            const verdict = verifier.compare(a, b);
            expect(verifier.compare(b, a)).toEqual(verdict);
            expect(verdict.verdict === 'right').toBe(classes[i] >= 0 && classes[i] === classes[j]);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('numbers its classes in order of first appearance', () => {
    const [first, second] = name === 'choice' ? ['A', 'C'] : ['7', '3'];
    expect([...verifier.classes([first, undefined, second, ` ${first} `])]).toEqual([0, -1, 1, 0]);
  });

  it('is undecided beyond its bounds', () => {
    const long = '1'.repeat(5000);
    expect(verifier.compare(long, long)).toMatchObject({ verdict: 'undecided', rung: 'bound' });
    expect([...verifier.classes([long, long])]).toEqual([-1, -1]);
    const small = verifierFor(name, { maxResponseChars: 20 });
    expect(small.verify('1', `answer: 1${' '.repeat(30)}`).rung).toBe('bound');
    expect(small.verify('1', 'nothing here').rung).toBe('extract');
  });

  it('gets through hostile input', () => {
    const hostile = [
      '\\boxed{'.repeat(50_000),
      'answer '.repeat(50_000),
      `answer:${' '.repeat(300_000)}`,
      '<answer>'.repeat(50_000),
      '\n'.repeat(300_000),
      '1'.repeat(300_000),
      '{'.repeat(300_000),
      '1,'.repeat(2000),
    ];
    for (const response of hostile) {
      expect(verifierFor(name, { lastResort: true }).verify('1', response).verdict).not.toBe(
        'right',
      );
    }
    expect(verifier.compare(`${'9'.repeat(2000)}/${'7'.repeat(2000)}`, '1').verdict).not.toBe(
      'right',
    );
  });
});

it('is undecided after its deadline', () => {
  let time = 0;
  const kind = { name: 'slow', read: readNumber, lastResort: () => undefined };
  const slow = new KeyedVerifier(kind, { deadlineMs: 5 }, () => {
    time += 6;
    return time;
  });
  expect(slow.compare('1', '1')).toMatchObject({ verdict: 'undecided', rung: 'deadline' });
  expect([...slow.classes(['1'])]).toEqual([-1]);
});

it('is undecided where reading fails', () => {
  const read = () => {
    throw new Error('broken');
  };
  const broken = new KeyedVerifier({ name: 'broken', read, lastResort: () => undefined }, {});
  expect(broken.compare('1', '1')).toMatchObject({ verdict: 'undecided', rung: 'error' });
});

it('refuses a name it does not know', () => {
  expect(() => verifierFor('maths')).toThrow(UserError);
  expect(() => verifierFor('maths')).toThrow(/auto, number, choice, text/);
});

const cases: Record<Verdict['verdict'], Record<string, [string, string][]>> = {
  right: {
    auto: [
      ['45', '45'],
      ['45', '45.'],
      ['45', '$45$'],
      ['45', '\\boxed{45}'],
      ['45', '**45**'],
      ['45', '45.00'],
      ['1000', '1,000'],
      ['-7', '\u22127'],
      ['0.5', '1/2'],
      ['0.5', '50%'],
      ['3/4', '\\frac{6}{8}'],
      ['1 1/2', '1.5'],
      ['-1\\frac{1}{2}', '-3/2'],
      ['1500', '1.5e3'],
      ['1500', '1.5 \\times 10^{3}'],
      ['0', '-0'],
      ['B', '(B)'],
      ['B', 'b'],
      ['B', '\\text{B}'],
      ['9 22', '9, 22'],
      ['(9, 22)', '(9,22)'],
      ['Paris', ' paris.'],
      ['caf\u00e9', 'cafe\u0301'],
    ],
    number: [['1000', '1 000']],
    choice: [
      ['B', 'B. 45'],
      ['B', 'option (b)'],
      ['C', '(C) the cat'],
    ],
    text: [
      ['9 22', '9  22'],
      ['north west', 'North  West'],
    ],
  },
  wrong: {
    auto: [
      ['45', '46'],
      ['45', '-45'],
      ['45', 'cat'],
      ['0.1', '0.10000000000000001'],
      ['1/3', '0.333'],
      ['9 22', '22 9'],
      ['9 22', '9'],
      ['9 22', '922'],
      ['B', 'A'],
      ['B', '45'],
      ['Paris', 'London'],
    ],
    number: [['3', 'three']],
    choice: [['B', 'A cat']],
    text: [['yes', 'no']],
  },
  undecided: {
    auto: [
      ['45', '45 cm'],
      ['5', 'x = 5'],
      ['50', '50%'],
      ['(9, 22)', '[9, 22]'],
      ['B', 'B. the cat'],
    ],
    number: [['five', 'five']],
    choice: [['cat', 'cat']],
    text: [['', ' ']],
  },
};

describe.each(['right', 'wrong', 'undecided'] as const)('%s answers', (wanted) => {
  for (const [name, pairs] of Object.entries(cases[wanted])) {
    it.each(pairs)(`${name}: %j against %j`, (gold, answer) => {
      expect(verifierFor(name).compare(gold, answer)).toMatchObject({ verdict: wanted });
    });
  }
});

it('minds letter case where it is told to', () => {
  expect(verifierFor('text', { caseMatters: true }).compare('NaCl', 'nacl').verdict).toBe('wrong');
});
