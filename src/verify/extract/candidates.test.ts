// What holds for every response: spans, bounds, order, settings, hostile input.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Seek } from '../types.ts';
import {
  candidates,
  defaultExtractSettings,
  type ExtractSettings,
  maxCandidates,
  strongMarks,
} from './candidates.ts';

const seeks: Seek[] = ['formula', 'number', 'letter', 'line', 'json', 'code'];
const unmarked = ['none', 'whole', 'conclusion', 'last'] as const;

/** Pieces that meet in responses, whole and broken. */
const piece = fc.constantFrom(
  ...[
    '\\boxed{',
    '}',
    '{',
    '\\boxed 5',
    '\\fbox{1}',
    '$',
    '$$',
    '\\[',
    '\\]',
    '\\(',
    '\\)',
    '<answer>',
  ],
  ...[
    '</answer>',
    '#### ',
    'The answer is ',
    'Answer:',
    '**',
    '\n',
    '\n\n',
    ' ',
    '. ',
    ', ',
    ' and ',
  ],
  ...[
    '5',
    '-3.5',
    '1,000',
    '\\frac{1}{2}',
    'x',
    ' = ',
    '(B)',
    'B',
    'so ',
    'because ',
    'is ',
    '```',
    '```python\n',
  ],
  ...[
    '<think>',
    '</think>',
    '{"a": 1}',
    '[',
    ']',
    '"',
    '\\',
    '\ud800',
    '答案是',
    '。',
    '\\begin{aligned}',
  ],
  ...[
    '\\end{aligned}',
    '\\\\',
    '&=',
    'apples',
    '!',
    '?',
    '…',
    '<|im_end|>',
    'option ',
    '\u00a0',
    '%',
    'cm',
  ],
);
const response = fc.oneof(
  fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', maxLength: 120 }),
);

describe('every response', () => {
  it('gives at most 16 candidates with right and distinct spans, the same each time', () => {
    fc.assert(
      fc.property(
        response,
        fc.constantFrom(...seeks),
        fc.constantFrom(...unmarked),
        fc.subarray([...strongMarks]),
        (text, seek, deepest, marks) => {
          const settings: ExtractSettings = { marks, unmarked: deepest };
          const found = candidates(text, seek, settings);
          expect(found.length).toBeLessThanOrEqual(maxCandidates);
          expect(new Set(found.map(({ start, end }) => `${start} ${end}`)).size).toBe(found.length);
          for (const each of found) {
            expect(each.start).toBeGreaterThanOrEqual(0);
            expect(each.end).toBeGreaterThan(each.start);
            expect(each.end).toBeLessThanOrEqual(text.length);
            expect(each.text).not.toBe('');
            const slice = text.slice(each.start, each.end);
            const joined =
              /box|\n/u.test(slice) && (each.mark === 'boxed' || each.mark === 'phrase');
            if (!joined) expect(each.text).toBe(slice);
            const strong = strongMarks.find((mark) => mark === each.mark);
            if (strong !== undefined) expect(marks).toContain(strong);
          }
          expect(candidates(text, seek, settings)).toEqual(found);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('ends with its box', () => {
    const number = fc.integer();
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), number, (pieces, value) => {
        const before = pieces.filter((each) => !/think|`/u.test(each)).join('');
        const text = `${before}\n\nThe result: \\boxed{${value}}`;
        expect(candidates(text, 'formula')[0]?.text).toBe(String(value));
      }),
      { numRuns: 500 },
    );
  });

  it('says the same with blanks around it', () => {
    fc.assert(
      fc.property(response, fc.constantFrom(...seeks), (text, seek) => {
        const texts = (whole: string) => candidates(whole, seek).map((each) => each.text);
        expect(texts(`${text.trim()}\n \n`)).toEqual(texts(text.trim()));
      }),
      { numRuns: 500 },
    );
  });
});

describe('settings', () => {
  const text = 'Answer: 1\n#### 2\n<answer>3</answer> \\boxed{4}\n\nSo $x = 5$.';
  const best = (settings: Partial<ExtractSettings>) =>
    candidates(text, 'formula', { ...defaultExtractSettings, ...settings })[0];

  it('lets only the marks count that are asked for', () => {
    expect(best({})).toMatchObject({ text: '4', mark: 'boxed' });
    expect(best({ marks: ['phrase', 'tag', 'hashes'] })).toMatchObject({ text: '3', mark: 'tag' });
    expect(best({ marks: ['phrase', 'hashes'] })).toMatchObject({ text: '2', mark: 'hashes' });
    expect(best({ marks: ['phrase'] })).toMatchObject({ text: '1', mark: 'phrase' });
    expect(best({ marks: [] })).toMatchObject({ text: 'x = 5', mark: 'formula' });
    expect(best({ marks: [], unmarked: 'whole' })).toBeUndefined();
    expect(best({ marks: [], unmarked: 'none' })).toBeUndefined();
  });

  it('keeps the others behind the best', () => {
    const texts = candidates(text, 'formula').map((each) => each.text);
    expect(texts).toEqual(['4', '3', '2', '1', 'x = 5', '5']);
  });

  it('gives a joined answer the span of all its boxes', () => {
    const two = 'x=\\boxed{1} and y=\\boxed{2}';
    expect(candidates(two, 'formula')[0]).toEqual({
      text: '1, 2',
      start: two.indexOf('1'),
      end: two.indexOf('2') + 1,
      mark: 'boxed',
    });
  });
});

const hostile: [string, string][] = [
  ['open boxes', '\\boxed{'.repeat(50_000)],
  ['nested boxes', '\\boxed{'.repeat(50_000) + '}'.repeat(50_000)],
  ['many boxes', '\\boxed{1}, '.repeat(90_000)],
  ['bare boxes', '\\boxed 1 '.repeat(90_000)],
  ['braces', '{'.repeat(1e6)],
  ['brackets', '[('.repeat(5e5)],
  ['tags', '<answer>'.repeat(120_000)],
  ['half tags', '<answer '.repeat(120_000)],
  ['hashes', '#### '.repeat(200_000)],
  ['phrases', 'answer is '.repeat(100_000)],
  ['phrases with colons', 'Answer: '.repeat(120_000)],
  ['phrases with filler', `The answer is ${'therefore '.repeat(100_000)}`],
  ['phrases about something', 'the answer to '.repeat(70_000)],
  ['reversed phrases', 'a is the answer '.repeat(60_000)],
  ['dollars', '$'.repeat(1e6)],
  ['dollars and digits', '$5 '.repeat(330_000)],
  ['formulas', '$x$ '.repeat(250_000)],
  ['open formulas', '\\[ \\( '.repeat(160_000)],
  ['environments', '\\begin{aligned}'.repeat(66_000)],
  [
    'names of environments',
    Array.from({ length: 60_000 }, (_, i) => `\\begin{${'abcdefghij'[i % 10]}}`).join(''),
  ],
  ['blanks', ' '.repeat(1e6)],
  ['blanks after a phrase', `the answer is${' '.repeat(1e6)}5`],
  ['blank lines', '\n \t'.repeat(330_000)],
  ['phrases and blanks', `answer:${' '.repeat(300)}`.repeat(3_000)],
  ['lone surrogates', '\ud800'.repeat(1e6)],
  ['surrogates in boxes', '\\boxed{\udc00}\ud83d'.repeat(90_000)],
  ['fences', '```\n'.repeat(250_000)],
  ['fences with tags', '```python\n'.repeat(100_000)],
  ['thoughts', '<think>'.repeat(140_000)],
  ['digits', '9'.repeat(1e6)],
  ['thousands', `1${',000'.repeat(250_000)}0`],
  ['numbers', '1 '.repeat(500_000)],
  ['full stops', '. '.repeat(500_000)],
  ['stars', '*'.repeat(1e6)],
  ['pairs of stars', '** '.repeat(330_000)],
  ['commas', 'so 1, '.repeat(160_000)],
  ['capitals', 'A '.repeat(500_000)],
  ['quotes', '{"'.repeat(500_000)],
  ['keys', '"answer": "'.repeat(90_000)],
  ['equals', '$a = '.repeat(200_000)],
  ['backslashes', '\\'.repeat(1e6)],
  ['end tokens', '<|im_end|>'.repeat(100_000)],
  ['Chinese', '答案是'.repeat(330_000)],
  ['one word', 'a'.repeat(1e6)],
  ['words', 'is the answer so '.repeat(60_000)],
];

describe('hostile responses', () => {
  it.each(hostile)('%s', (_name, text) => {
    for (const seek of seeks) {
      const found = candidates(text, seek, { ...defaultExtractSettings, unmarked: 'last' });
      expect(found.length).toBeLessThanOrEqual(maxCandidates);
    }
    // Linear work takes a small part of the time that a test has; quadratic work takes minutes.
  });
});
