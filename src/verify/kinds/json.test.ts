// JSON values: what is equal, what is different, and what is no JSON.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonKind } from './json.ts';
import { parseJson } from './json-value.ts';

const { compare, read } = jsonKind();

const same: [string, string][] = [
  ['{"a":1,"b":[true,null]}', ' { "b" : [ true , null ] , "a" : 1 } '],
  ['1', '1.0'],
  ['1', '1e0'],
  ['100', '1E+2'],
  ['0.001', '1e-3'],
  ['1.50', '1.5'],
  ['0', '-0'],
  ['0', '0.0e99'],
  ['12345678901234567890', '1.234567890123456789e19'],
  ['1e400', '10e399'],
  ['"caf\u00e9"', '"caf\\u00e9"'],
  ['"\\/"', '"/"'],
  ['"\ud83d\ude00"', '"\\ud83d\\ude00"'],
  ['{"a":1}', '```json\n{"a": 1}\n```'],
  ['{"a":1}', '`{"a": 1}`'],
  ['[]', '[ ]'],
  ['{}', '{\n}'],
  ['{"__proto__":1}', '{"__proto__":1}'],
];

const different: [string, string, string][] = [
  ['1', '2', 'the top'],
  ['1', '"1"', 'the top'],
  ['1', '-1', 'the top'],
  ['0', 'false', 'the top'],
  ['null', '{}', 'the top'],
  ['12345678901234567890', '12345678901234567891', 'the top'],
  ['1e400', '1e401', 'the top'],
  ['0.1', '0.10000000000000001', 'the top'],
  ['[1,2]', '[2,1]', '[0]'],
  ['[1,2]', '[1,2,3]', '[2]'],
  ['{"a":{"b":[0,{"c":1}]}}', '{"a":{"b":[0,{"c":2}]}}', 'a.b[1].c'],
  ['{"a":1}', '{"a":1,"b":null}', 'b'],
  ['{"a":1}', '{"A":1}', 'A'],
  ['"\u00e9"', '"e\u0301"', 'the top'],
];

const unreadable: [string, string][] = [
  ["{'a':1}", 'no string'],
  ['{"a":1,}', 'no string'],
  ['[1,]', 'no value'],
  ['{"a":1,"a":1}', 'a key that was there before'],
  ['{"a":1', 'no "}"'],
  ['[1 2]', 'no "]"'],
  ['{"a" 1}', 'no ":"'],
  ['01', 'text after the value'],
  ['+1', 'no value'],
  ['.5', 'no value'],
  ['1.', 'text after the value'],
  ['NaN', 'no value'],
  ['True', 'no value'],
  ['nullx', 'text after the value'],
  ['"a\nb"', 'a control character'],
  ['"\\x41"', 'no string'],
  ['"\\N"', 'no string'],
  ['"\\u12g4"', 'no string'],
  ['"open', 'no string'],
  ['{"a":1} so there', 'text after the value'],
  ['// c\n1', 'no value'],
  ['', 'no value'],
  [`${'['.repeat(102)}${']'.repeat(102)}`, 'deeper than 100'],
];

describe('values', () => {
  it.each(same)('%j is %j', (gold, answer) => {
    expect(compare(gold, answer)).toMatchObject({ verdict: 'right' });
    expect(read(gold)?.key).toBe(read(answer)?.key);
  });
  it.each(different)('%j is not %j: %s', (gold, answer, place) => {
    const verdict = { verdict: 'wrong', rung: 'json', reason: `the values differ at ${place}` };
    expect(compare(gold, answer)).toEqual(verdict);
    expect(compare(answer, gold)).toEqual(verdict);
    expect(read(gold)?.bucket).not.toBe(read(answer)?.bucket);
  });
  it.each(unreadable)('%j is no JSON: %s', (answer, why) => {
    expect(read(answer)).toBeNull();
    expect(compare('1', answer)).toMatchObject({ verdict: 'wrong', rung: 'unreadable' });
    expect(compare('1', answer).reason).toContain(why);
    expect(compare(answer, '1')).toEqual(compare('1', answer));
    expect(compare(answer, answer).verdict).toBe('undecided');
  });
});

it('reads what JSON.parse reads, in any order of keys', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      expect(compare(text, JSON.stringify(shuffled(JSON.parse(text)), null, 2)).verdict).toBe(
        'right',
      );
      expect(compare(text, JSON.stringify([value])).verdict).toBe('wrong');
    }),
  );
});

it('accepts nothing that JSON.parse refuses', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"a"',
    ':',
    ',',
    '1',
    '-',
    '.5',
    'e3',
    'null',
    ' ',
    '"',
    '\\',
    'u0041',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 7 }), (parts) => {
      const text = parts.join('');
      const parsed = parseJson(text);
      if ('fault' in parsed) return;
      expect(() => JSON.parse(text)).not.toThrow();
    }),
    { numRuns: 3000 },
  );
});

it.each(['[', '{"a":', '"\\n', '1', '[1,', ' ', '"\\u0041'])(
  'gets through a megabyte of %j',
  (piece) => {
    expect(compare('1', piece.repeat(1_000_000 / piece.length)).verdict).toBe('wrong');
  },
);

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, shuffled(item)]),
  );
}
