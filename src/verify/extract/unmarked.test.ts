// Answers without a strong mark. Each row: what is sought, a response, the best candidate.
import { describe, expect, it } from 'vitest';
import type { Seek } from '../types.ts';
import { candidates, defaultExtractSettings, type ExtractSettings } from './candidates.ts';

type Row = [seek: Seek, response: string, answer: string | undefined];

const whole: Row[] = [
  ['formula', '5', '5'],
  ['formula', '$5$', '5'],
  ['formula', '$$\n\\frac{1}{2}\n$$', '\\frac{1}{2}'],
  ['formula', '**42**', '42'],
  ['formula', 'x = 5', 'x = 5'],
  ['formula', '$x = 2$ or $x = 3$', '$x = 2$ or $x = 3$'],
  ['formula', 'no solution', 'no solution'],
  ['formula', '5 cm', '5 cm'],
  ['formula', '1,000.', '1,000'],
  ['formula', '(-\\infty, 3]', '(-\\infty, 3]'],
  ['formula', 'x = 1\ny = 2', 'x = 1\ny = 2'],
  ['formula', 'New York', 'New York'],
  ['formula', 'all real numbers except 0', 'all real numbers except 0'],
  ['formula', '3 + 2i', '3 + 2i'],
  ['number', '-3.5e4', '-3.5e4'],
  ['number', '$1,250.00', '$1,250.00'],
  ['letter', 'B', 'B'],
  ['letter', 'b', 'b'],
  ['letter', '(B)', '(B)'],
  ['letter', 'B) 45', 'B) 45'],
  ['letter', 'A, C', 'A, C'],
  ['letter', 'Paris', 'Paris'],
  ['line', 'Paris', 'Paris'],
  ['json', '{"a": [1, 2]}', '{"a": [1, 2]}'],
  ['json', '42', '42'],
  ['code', 'def f(x):\n    return x + 1\n', 'def f(x):\n    return x + 1'],
];

const conclusion: Row[] = [
  ['formula', 'Thus $x = 5$.', 'x = 5'],
  ['formula', 'So $3 + 6 = 9$.', '3 + 6 = 9'],
  ['formula', 'So x = 5.', 'x = 5'],
  ['formula', 'We add: 3 + 6 = 9.', '9'],
  ['formula', 'There are 12 apples left.', '12'],
  ['formula', 'So the total cost is $45.', '$45'],
  ['formula', 'Therefore, the area is 25 cm^2.', '25 cm^2'],
  ['formula', 'Since $n = 3$, there are 12 apples left.', '12'],
  ['formula', 'The area is $12$ when $r = 3$.', '12'],
  ['formula', 'The area is 12 when $r = 3$.', '12'],
  ['formula', 'Thus $5$ is the only root of $x^2 = 25$ above $0$.', '5'],
  ['formula', 'Hence the smallest $n$ with $n^2 > 50$ is $8$.', '8'],
  ['formula', 'So the number of sides of $P$ is 12.', '12'],
  ['formula', 'Thus $x = 2$ and $y = 3$.', '$x = 2$ and $y = 3$'],
  ['formula', 'We get\n\\[ x^2 + 1 = 5 \\implies x = 2 \\]', 'x = 2'],
  ['formula', 'Then\n\\begin{align*}\nS &= 1 + 2 \\\\\n&= 3\n\\end{align*}', '3'],
  [
    'formula',
    'The inverse is\n\n\\[\n\\begin{bmatrix} 1 & 0 \\\\ 0 & 1 \\end{bmatrix}\n\\]\n\nas claimed.',
    '\\begin{bmatrix} 1 & 0 \\\\ 0 & 1 \\end{bmatrix}',
  ],
  [
    'formula',
    'The system gives\n$$\\begin{cases} x = 1 \\\\ y = 2 \\end{cases}$$',
    '\\begin{cases} x = 1 \\\\ y = 2 \\end{cases}',
  ],
  ['formula', 'So it takes $5$ hours.\n\nI hope this helps!', '$5$ hours'],
  ['formula', 'So the speed is **5 m/s**.', '5 m/s'],
  ['formula', 'There are **12** ways to do it.', '12'],
  ['formula', 'First, 3 + 4 = 7.\n\nThen 7 * 2 = 14.', '14'],
  ['formula', 'She sold 24 in May.\nIn total she sold 48 + 24 = 72 clips.', '72'],
  ['formula', 'Therefore the function is even.', 'even'],
  ['formula', 'Dividing, $1 \\div 6 = 0.1\\overline{6}$.', '1 \\div 6 = 0.1\\overline{6}'],
  ['formula', 'The program prints `128`.', '128'],
  ['formula', 'The inequality holds if $x < -1$ or $x > 1$.', '$x < -1$ or $x > 1$'],
  ['formula', 'The height is 5*sqrt(3).', '5*sqrt(3)'],
  ['formula', 'The average speed was 60 miles per hour.', '60 miles per hour'],
  ['formula', 'The area is 9*pi square units.', '9*pi'],
  ['formula', 'It will take him 2 hours and 30 minutes.', '2 hours and 30 minutes'],
  ['formula', 'So the ratio is 3:4.', '3:4'],
  ['formula', 'The roots are x = 2 and x = 3.', 'x = 2 and x = 3'],
  ['formula', 'So x = 2 or x = 3.', 'x = 2 or x = 3'],
  ['formula', 'We solve it by parts.\n\nx = 2, y = 3', 'x = 2, y = 3'],
  ['formula', 'We multiply 3 by 4.\n\n12', '12'],
  ['formula', 'We look at the map.\n\n**Paris**', 'Paris'],
  ['formula', 'There are 5! ways.', '5! ways'],
  ['letter', 'Nothing else fits.\n\nB', 'B'],
  ['line', 'Let me think about it.\n\nParis', 'Paris'],
  ['formula', 'So the capital is Paris.', 'Paris'],
  ['formula', '所以一共有12个苹果。', '12'],
  ['number', 'He has 3 boxes of 4, so he has 12 eggs in total.', '12'],
  ['number', 'Step 1: 5 and 6.\nStep 2: the sum is 11.', '11'],
  ['letter', 'A is too small, and C is too big.\n\nTherefore it must be B.', 'B'],
  ['letter', 'Let me think.\nOption (C) fits best.', 'C'],
  ['letter', 'The best match is **D**.', 'D'],
  ['letter', 'So we choose (A), not (B).', 'A'],
  ['letter', 'A or B, surely (C)!', 'C'],
  ['line', 'France is a country. So its capital is Paris.', 'Paris'],
  ['json', 'Here it is:\n```json\n{"a": 1}\n```\nHope it helps.', '{"a": 1}'],
  ['json', 'Here it is: {"a": {"b": [1]}}', '{"a": {"b": [1]}}'],
  ['json', 'The interval [0, 1) gives {"a": "}"}', '{"a": "}"}'],
  ['code', 'Run it:\n```python\nprint(1)\n```\nIt prints\n```\n1\n```', 'print(1)'],
  [
    'code',
    'First\n```js\nlet a;\n```\nBetter\n```js\nlet b;\n```\n```bash\nnode b.js\n```',
    'let b;',
  ],
  ['code', '```\n  indented\nrest\n```', '  indented\nrest'],
  ['code', 'Sure:\n```python\nprint("cut', 'print("cut'],
];

const last: Row[] = [
  ['number', 'first 3 then -1,250.5% of it', '-1,250.5%'],
  ['number', 'so it may be 3/4, or not', '3/4'],
  ['formula', 'we have x=12)', '12'],
  ['formula', 'either 4 or 5 of them 6 ...', '6'],
  ['formula', 'either 4 or 3 \\times 10^{5} were seen in 1 200 000 cases', '1 200 000'],
  ['formula', '3 - 5, 7 or 2.5e-3 perhaps', '2.5e-3'],
  ['formula', 'about 3 of 4 or \\frac{3}{4} perhaps', '\\frac{3}{4}'],
  ['letter', 'I would say D perhaps', 'D'],
  ['line', 'thinking\nParis\n\n', 'Paris'],
  ['json', 'either {"a": 1} or {"a": 2} I think', '{"a": 2}'],
];

describe('without a mark', () => {
  it.each(whole)('%s: %j is %j in whole', (seek, response, answer) => {
    const [best] = candidates(response, seek, { ...defaultExtractSettings, unmarked: 'whole' });
    expect(best).toMatchObject({ text: answer, mark: 'whole' });
    expect(candidates(response, seek)[0]?.text).toBe(answer);
  });

  it.each(conclusion)('%s: %j comes to %j', (seek, response, answer) => {
    expect(candidates(response, seek)[0]?.text).toBe(answer);
  });

  it.each(last)('%s: the last resort of %j is %j', (seek, response, answer) => {
    const settings: ExtractSettings = { ...defaultExtractSettings, unmarked: 'last' };
    expect(candidates(response, seek, settings).map(({ text }) => text)).toContain(answer);
    expect(candidates(response, seek, settings).find(({ mark }) => mark === 'last')?.text).toBe(
      answer,
    );
  });
});
