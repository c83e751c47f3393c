// Sequences of steps, one a line.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numberKind } from './number.ts';
import { stepsKind } from './steps.ts';
import { textKind } from './text.ts';

const all = stepsKind(numberKind(), 'all');
const last = stepsKind(numberKind(), 'last');
const gold = '3\n5\n15';

describe('all lines', () => {
  it.each([
    '3\n5\n15',
    '3.0\r\n\r\n10/2\n  15  \n',
    '1. 3\n2. 5\n3. 15',
    '1) 3\n2) 5\n3) 15',
    '(1) 3\n(2) 5\n(3) 15',
    'Step 1: 3\nStep 2: 5\nStep 3: 15',
    '**Step 1:** 3\n**Step 2:** 5\n**Step 3:** 15',
    '- 3\n- 5\n- 15',
    '* 3\n\u2022 5\n* 15',
    'x = 3\n\\Rightarrow y = 5\n=> 15',
    '&= 3 \\\\\n&= 5 \\\\\n&= 15',
  ])('%j is right', (answer) => {
    expect(all.compare(gold, answer)).toMatchObject({ verdict: 'right' });
    expect(all.compare(answer, gold)).toMatchObject({ verdict: 'right' });
  });

  it.each([
    ['3\n4\n15', 'step 2: another number'],
    ['3\n15\n5', 'step 2: another number'],
    ['3\n15', '2 steps against 3'],
    ['3\n5\n15\n15', '3 steps against 4'],
    ['15', '1 steps against 3'],
    ['', '0 steps against 3'],
    ['3 or so\n5\n16', 'step 3: another number'],
  ])('%j is wrong: %s', (answer, reason) => {
    expect(all.compare(gold, answer)).toMatchObject({ verdict: 'wrong', reason });
    expect(all.compare(answer, gold)).toEqual(all.compare(gold, answer));
  });

  it('is undecided where a step is, and beyond its bound', () => {
    expect(all.compare('5 cm\n3', '5 m\n3')).toMatchObject({ verdict: 'undecided', rung: 'unit' });
    expect(all.compare('', '\n \n')).toMatchObject({ verdict: 'undecided' });
    const long = '1\n'.repeat(257);
    expect(all.compare(long, long)).toMatchObject({ verdict: 'undecided', rung: 'bound' });
    expect(all.read(long)).toBeNull();
  });
});

describe('the last line', () => {
  it.each(['15', '7\n8\n15', '- 14\n- 15\n\n', 'nonsense\nStep 9: 15.0'])(
    '%j is right',
    (answer) => {
      expect(last.compare(gold, answer)).toMatchObject({ verdict: 'right' });
      expect(last.read(answer)?.key).toBe(last.read(gold)?.key);
    },
  );
  it.each(['3\n5\n14', '15\n3', ''])('%j is wrong', (answer) => {
    expect(last.compare(gold, answer)).toMatchObject({ verdict: 'wrong' });
  });
});

it('leaves a number below zero alone', () => {
  expect(last.compare('-5', '- 5').verdict).toBe('right');
  expect(last.compare('5', '-5').verdict).toBe('wrong');
  expect(last.compare('1.5', '1.5').verdict).toBe('right');
});

it('has one key exactly for equal steps', () => {
  const kind = stepsKind(textKind(), 'all');
  const line = fc.constantFrom('a', 'A', 'b', '', '1. a', '- b', 'Step 2: a', '= b');
  const answers = fc.array(line, { maxLength: 4 }).map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(answers, answers, (x, y) => {
      const verdict = kind.compare(x, y);
      expect(kind.compare(y, x)).toEqual(verdict);
      const [a, b] = [kind.read(x), kind.read(y)];
      expect(verdict.verdict === 'right').toBe(a !== null && a.key === b?.key);
      if (a !== null && b !== null && a.bucket !== b.bucket) expect(verdict.verdict).toBe('wrong');
    }),
  );
});

it('shows the steps', () => {
  expect(all.read('1. 3\n2. 10/4')).toMatchObject({ kind: 'steps', shown: '3; 5/2' });
  expect(all.read('3\nwhat')).toBeNull();
});
