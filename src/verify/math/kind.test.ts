// What the mathematics kind takes for the same answer, by the rung that decides it. The wide net is test/verify/pairs.
import { describe, expect, it } from 'vitest';
import { mathKind } from './kind.ts';

const auto = mathKind('auto');

/** [gold, answer, verdict, rung] */
const decided: [string, string, string, string][] = [
  ['0.5', '\\frac12', 'right', 'number'],
  ['1,000', '1 000', 'right', 'number'],
  ['2^{-99}', '2^{-98}', 'wrong', 'number'],
  ['2^{1000}', '2^{1000}+1', 'wrong', 'number'],
  ['0.\\overline{3}', '1/3', 'right', 'number'],
  ['2\\frac13', '7/3', 'right', 'number'],
  ['\\sqrt{8}', '2\\sqrt2', 'right', 'symbolic'],
  ['e^{11^3} + \\frac{1}{2}', 'e^{11^3} + \\dfrac{1}{2}', 'right', 'symbolic'],
  ['e^{11^3} + 1', 'e^{11^3} + 2', 'undecided', 'bound'],
  ['\\sqrt2+\\sqrt3', '\\sqrt5', 'wrong', 'symbolic'],
  ['\\frac{1}{1+\\sqrt2}', '\\sqrt2-1', 'right', 'symbolic'],
  ['(x+1)^2', 'x^2+2x+1', 'right', 'symbolic'],
  ['a(b+c)', 'ab+ac', 'right', 'symbolic'],
  ['(x+1)^2', 'x^2+2x+2', 'wrong', 'symbolic'],
  ['i^2', '-1', 'right', 'number'],
  ['\\sqrt{5+2\\sqrt6}', '\\sqrt2+\\sqrt3', 'right', 'digits'],
  ['\\sqrt{10^{40}+1}', '10^{20}', 'wrong', 'digits'],
  ['e^{i\\pi}', '-1', 'right', 'digits'],
  ['\\log_2 8', '3', 'right', 'digits'],
  ['\\sin^2 x+\\cos^2 x', '1', 'right', 'probes'],
  ['\\sin 2x', '2\\sin x', 'wrong', 'probes'],
  ['\\sqrt{x^2}', '|x|', 'right', 'probes'],
  ['\\sqrt{x^2}', 'x', 'wrong', 'probes'],
  ['\\binom{n}{2}', '\\frac{n(n-1)}{2}', 'right', 'probes'],
  ['5\\text{ cm}', '50\\text{ mm}', 'right', 'unit'],
  ['5\\text{ cm}', '5\\text{ kg}', 'wrong', 'unit'],
  ['50\\%', '50', 'right', 'percent'],
  ['0.5', '0.5\\%', 'undecided', 'percent'],
  ['90^\\circ', '\\frac{\\pi}{2}', 'right', 'symbolic'],
  ['x = 5', 'y = 5', 'wrong', 'equation'],
  ['y = 2x+1', '2x - y + 1 = 0', 'right', 'equation'],
  ['x + y \\le 4', '2x+2y \\le 8', 'right', 'equation'],
  ['x + y \\le 4', '-x-y \\le -4', 'wrong', 'equation'],
  ['[1,2)', '1 \\le x < 2', 'right', 'interval'],
  ['[1,2)', '(1,2)', 'wrong', 'interval'],
  ['(-\\infty,0)\\cup(0,\\infty)', 'x \\ne 0', 'right', 'interval'],
  ['|x-1|<3', '(-2,4)', 'right', 'interval'],
  ['\\{1,2\\}', '2, 1', 'right', 'set'],
  ['(1,2)', '(2,1)', 'wrong', 'tuple'],
  ['(1,2)', '\\{1,2\\}', 'undecided', 'list'],
  ['\\pm 3', '3, -3', 'right', 'set'],
  ['x=1, y=2', '(1,2)', 'right', 'assignment'],
  ['\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}', '[[1,2],[3,4]]', 'right', 'matrix'],
  ['1011_2', '1011', 'right', 'base'],
  ['\\text{Evelyn}', 'evelyn', 'right', 'text'],
  ['DNE', 'does not exist', 'right', 'text'],
  ['(B)', 'B', 'right', 'choice'],
  ['B', 'C. the cat', 'wrong', 'choice'],
  ['\\frac13', '0.333', 'undecided', 'rounded'],
  ['10^{100000000}', '10^{100000001}', 'undecided', 'bound'],
  ['x \\not= 5', '5', 'wrong', 'form'],
  ['\\frac{dy}{dx}', '\\frac{y}{x}', 'wrong', 'symbolic'],
  ['3:30 \\text{ PM}', '3:30 \\text{ AM}', 'wrong', 'text'],
  ['(x,y)=(1,2)', '(y,x)=(1,2)', 'wrong', 'assignment'],
  ['x=\\pm 2', 'z=\\pm 2', 'wrong', 'set'],
  ['x^2+y^2=1000000', 'x^2+y^2=1000001', 'wrong', 'equation'],
  ['\\sqrt{10^{100}+1}', '10^{50}', 'wrong', 'digits'],
  ['0', '\\cos(\\frac{\\pi}{2})', 'right', 'digits'],
  ['5 \\text{ mA}', '5 \\text{ MA}', 'wrong', 'unit'],
  ['3 \\text{ hours } 20 \\text{ minutes}', '200 min', 'right', 'number'],
  ['(\\pm 3,0)', '(3,0),(-3,0)', 'right', 'set'],
  ['xy=1', 'y=\\frac1x', 'right', 'equation'],
  ['x(x-1)=0', 'x-1=0', 'wrong', 'equation'],
  ['f(n)=n+1', 'f(x)=x+1', 'right', 'symbolic'],
  ['f(x)=x^2', 'g(x)=x^2', 'wrong', 'equation'],
  ['\\sum_{k=1}^{10} k', '55', 'right', 'number'],
  ['\\sum_{i=1}^{3} i', '6', 'right', 'number'],
  ['{\\pi \\over 4}', '\\frac{\\pi}{4}', 'right', 'symbolic'],
  ['C_6^3', '20', 'right', 'number'],
  ['5米', '500厘米', 'right', 'unit'],
  ['x>3', 'x<2 \\text{ and } x>3', 'wrong', 'interval'],
  ['42', '>42', 'wrong', 'form'],
  ['2020-01-02', '2020-02-01', 'wrong', 'text'],
];

describe('the ladder', () => {
  it.each(decided)('%s against %s is %s by %s', (gold, answer, verdict, rung) => {
    expect(auto.compare(gold, answer)).toMatchObject({ verdict, rung });
    expect(auto.compare(answer, gold)).toMatchObject({ verdict, rung });
  });
});

describe('settings', () => {
  it('takes near numbers within an explicit tolerance only', () => {
    const near = mathKind('math', { tolerance: { relative: 0.01, absolute: 0 } });
    expect(near.compare('3.14', '\\pi')).toMatchObject({ verdict: 'right', rung: 'tolerance' });
    expect(near.compare('3', '\\pi').verdict).toBe('wrong');
  });

  it('keeps equations whole where asked', () => {
    const whole = mathKind('math', { equations: 'whole' });
    expect(whole.compare('x = 5', '5').verdict).toBe('wrong');
    expect(whole.compare('x = 5', '5 = x').verdict).toBe('right');
  });

  it('wants units where asked', () => {
    const strict = mathKind('math', { units: 'required' });
    expect(strict.compare('5 cm', '5').verdict).toBe('undecided');
    expect(strict.compare('50\\%', '50').verdict).toBe('wrong');
  });

  it('reads a lone letter as a variable without choices', () => {
    expect(mathKind('math').read('B')?.kind).toBe('expression');
    expect(auto.read('B')?.kind).toBe('choice');
  });
});

describe('bounds', () => {
  it('stays quick on towers, factorials, nesting and long products', () => {
    const hostile = [
      '9^{9^{9^{9^{9}}}}',
      '2^{2^{2^{100}}}',
      '1000000!!!!',
      `${'('.repeat(2000)}1${')'.repeat(2000)}`,
      `${'\\frac{1}{'.repeat(400)}x${'}'.repeat(400)}`,
      `${'\\sqrt{'.repeat(600)}2${'}'.repeat(600)}`,
      `${'\\sqrt['.repeat(38)}3${']{2}'.repeat(38)}`,
      `${'\\{'.repeat(38)}x${'\\}'.repeat(38)}`,
      `${'(\\pm 1,'.repeat(38)}x${')'.repeat(38)}`,
      `${'2\\frac{'.repeat(35)}1${'}{3}'.repeat(35)}`,
      '\\begin{pmatrix}1&2\\\\3&\\end4{pmatrix}',
      '\\begin{cases}1\\end',
      `(x+y+z+w+1)^{${'9'.repeat(20)}}`,
      `(${[...'abcdefgh'].join('+')})^{60}`,
      '1,'.repeat(2000),
      '\\binom{10^{9}}{5\\cdot 10^{8}}',
      `10^{${'9'.repeat(3000)}}`,
      '|'.repeat(3000),
      '\ud800\udfff\u202e',
    ];
    for (const text of hostile) {
      expect(['right', 'wrong', 'undecided']).toContain(auto.compare(text, '2').verdict);
      expect(auto.compare(text, text).verdict).toBe('right');
    }
  });
});
