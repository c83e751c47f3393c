// A pattern as the gold answer.
import { expect, it } from 'vitest';
import { UserError } from '../../core/errors.ts';
import { regexKind } from './regex.ts';

it.each([
  ['\\d+', '45'],
  ['\\d+', ' 45\n'],
  ['\\d+', '**45**'],
  ['\\d+', '\\boxed{45}'],
  ['a|ab', 'ab'],
  ['(?<year>\\d{4})-\\d\\d', '2024-01'],
  ['^\\d+$', '45'],
])('%j matches %j', (gold, answer) => {
  expect(regexKind().compare(gold, answer)).toMatchObject({ verdict: 'right', rung: 'regex' });
});

it.each([
  ['\\d+', '45 cm'],
  ['\\d+', ''],
  ['a|ab', 'abc'],
  ['cat', 'Cat'],
  ['.+', 'two\nlines'],
])('%j does not match %j', (gold, answer) => {
  expect(regexKind().compare(gold, answer)).toMatchObject({ verdict: 'wrong', rung: 'regex' });
});

it.each(['(', 'a)|(?:b', '[z-a]', ''])('is undecided on the pattern %j', (gold) => {
  expect(regexKind().compare(gold, 'b')).toMatchObject({ verdict: 'undecided', rung: 'gold' });
});

it('takes flags', () => {
  expect(regexKind({ flags: 'is' }).compare('CAT.dog', 'cat\nDog').verdict).toBe('right');
  expect(regexKind({ flags: 'u' }).compare('.', '\u{1f600}').verdict).toBe('right');
  for (const flags of ['g', 'm', 'y', 'ii', 'uv', 'x']) {
    expect(() => regexKind({ flags })).toThrow(UserError);
  }
});

it('keeps the answers of a group apart, so that none becomes a pattern', () => {
  const { read } = regexKind();
  expect(read('.*')?.bucket).not.toBe(read('45')?.bucket);
  expect(read(' 45 ')?.key).toBe(read('45')?.key);
  expect(read(' ')).toBeNull();
});
