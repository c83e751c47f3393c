import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTests } from './gold.ts';
import { difference, sameOutput } from './outcome.ts';

const twoCases = {
  cases: [
    { stdin: '1', stdout: '2' },
    { stdin: '3', stdout: '4' },
  ],
  assertions: '',
};

describe('the tests of a prompt', () => {
  it.each([
    ['our own form', { cases: twoCases.cases }],
    ['inputs and outputs', { inputs: ['1', '3'], outputs: ['2', '4'] }],
    ['inputs and outputs in lines', { inputs: [['1'], '3'], outputs: ['2', ['4']], fn_name: null }],
    [
      'a list of inputs and outputs',
      [
        { input: '1', output: '2', testtype: 'stdin' },
        { input: '3', output: '4', testtype: 'stdin' },
      ],
    ],
  ])('are read from %s', (_, gold) => {
    expect(readTests(JSON.stringify(gold))).toEqual(twoCases);
  });

  it.each([
    ['lines', 'assert f(1) == 2\nassert f(3) == 4'],
    ['a list', JSON.stringify(['assert f(1) == 2', 'assert f(3) == 4'])],
    ['a JSON text', JSON.stringify('assert f(1) == 2\nassert f(3) == 4')],
    ['our own form', JSON.stringify({ assertions: ['assert f(1) == 2', 'assert f(3) == 4'] })],
  ])('are assertions in %s', (_, gold) => {
    expect(readTests(gold)).toEqual({
      cases: [],
      assertions: 'assert f(1) == 2\nassert f(3) == 4',
    });
  });

  it('are read from MBPP and HumanEval', () => {
    const mbpp = { test_list: ['assert f() == 1'], test_imports: ['import math'], task_id: 7 };
    expect(readTests(JSON.stringify(mbpp))).toEqual({
      cases: [],
      assertions: 'import math\n\nassert f() == 1',
    });
    const humanEval = { test: 'def check(candidate): ...', entry_point: 'f' };
    expect(readTests(JSON.stringify(humanEval))).toMatchObject({ entry: 'f' });
  });

  it('keep the text of calls, where large numbers are whole', () => {
    const gold = '{"fn_name":"f","inputs":[[12345678901234567890]],"outputs":[1]}';
    expect(readTests(gold)).toMatchObject({ calls: { function: 'f', gold } });
  });

  it.each([
    '',
    '42',
    'the answer',
    '{}',
    '[]',
    '{"cases":[]}',
    '{"cases":[{"stdin":1,"stdout":2}]}',
    '{"inputs":["1"],"outputs":[]}',
    '{"inputs":[1],"outputs":[1],"fn_name":"f"}',
    '{"inputs":[[1]],"outputs":[1],"fn_name":"f(); import os"}',
    '{"assertions":"assert f()","entry":"os.system"}',
  ])('that are none say so: %s', (gold) => {
    expect(readTests(gold)).toHaveProperty('problem');
  });

  it('never throw', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (gold) => void readTests(gold)));
  });
});

describe('output', () => {
  it.each([
    ['1 2\n', '1 2'],
    ['1 2  \n3\n\n\n', '1 2\n3'],
    ['1\r\n2\r\n', '1\n2'],
    ['', '\n'],
  ])('%j is the same as %j', (one, other) => {
    expect(sameOutput(one, other)).toBe(true);
    expect(sameOutput(other, one)).toBe(true);
  });

  it.each([
    [' 1', '1'],
    ['1  2', '1 2'],
    ['1\n\n2', '1\n2'],
    ['1.0', '1'],
    ['', '0'],
    ['YES', 'yes'],
  ])('%j is not the same as %j', (one, other) => {
    expect(sameOutput(one, other)).toBe(false);
    expect(sameOutput(other, one)).toBe(false);
  });

  it('that differs is shown where it differs, shortened', () => {
    expect(difference('1\n5\n', '1\n2\n3\n')).toBe('printed "5" in line 2, wanted "2"');
    expect(difference('1\n2', '1')).toBe('printed "2" in line 2, wanted ""');
    expect(difference('x'.repeat(1000), 'y').length).toBeLessThan(150);
  });
});
