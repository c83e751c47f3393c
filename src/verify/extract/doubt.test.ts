// Texts that speak of a value without giving it, and texts that take one back. Each row: what is sought, a response, the best
// candidate; undefined where the value must not be read.
import { describe, expect, it } from 'vitest';
import type { Seek } from '../types.ts';
import { candidates } from './candidates.ts';

const notEight: string[] = [
  'The answer is not 8.',
  'The answer cannot be 8.',
  'The answer is definitely not 8.',
  "The number isn't $8$.",
  'There are more than 8 students.',
  'She needs at least 8.',
  'The sum exceeds 8.',
  'They could sell up to 8 tickets.',
  'They sold 9 tickets instead of 8.',
  'The answer is twice 8.',
  'Half the area is 8.',
  'The answer is a multiple of 8.',
  '不是8。',
  '答案大于 $8$。',
  '至少8个',
  '8 fails.',
  "8 doesn't work.",
  'x = 8 is extraneous.',
  'Is it 8?',
  'Why is the total $8$?',
  'Let x = 8. Then',
  'Plugging in x = 8:',
  'Divide both sides by 8.',
  'Explain why 2 + 6 = 8.',
  "I can't say whether the total is 8.",
  'This question cannot be answered, since only 8 eggs are mentioned.',
  'It would be 8 if there were no overlaps.',
  'One might think the total is 8.',
  'First, note that the pizza has 8 slices.\n\nNext, each child eats',
  'There were 8 clips. She sold',
  'Step 1: The sum of squares is 8.\nStep 2:',
  '**Step 1.** We get $x = 8$.\n\n**Step 2.** Now we use',
];

const read: [seek: Seek, response: string, answer: string][] = [
  ['formula', 'The answer is 12, wait, no, it is 13.', '13'],
  ['formula', "I think the answer is 8, but I may be wrong. Actually, it's 12.", '12'],
  ['formula', "The chance is $\\frac13$ for each die, so for both it's $\\frac19$.", '\\frac19'],
  ['formula', '对立事件的概率为 $\\frac56$，所以概率为 $\\frac16$。', '\\frac16'],
  ['formula', 'a = 3, b = 4, so the product is 12.', '12'],
  ['formula', "In 5 years, Mary will be 17, so now she's 12.", '12'],
  ['formula', 'The number of ways that no two are alike is 12.', '12'],
  ['formula', 'The chance of not rolling a six is $\\frac56$.', '\\frac56'],
  ['formula', 'n = 7 because $7^2 = 49$.', 'n = 7'],
  ['formula', 'Thus $n = 7$. (Indeed, $7^2 = 49$.)', 'n = 7'],
  ['formula', 'Thus $n = 7$; indeed $7^2 = 49$.', 'n = 7'],
  ['formula', 'Hence k = 7 or −7; since k > 0, k = 7.', 'k = 7'],
  ['formula', '解得 $x = 3$（$x=-1$ 舍去）。', 'x = 3'],
  ['formula', '**385**\n\nNote: the formula is $\\frac{n(n+1)}{2}$.', '385'],
  ['formula', 'So n = 12.\n\nCheck: 12 × 11 = 132 ✓', 'n = 12'],
  ['formula', 'The side is $2\\sqrt{3}$, which is approximately $3.46$.', '2\\sqrt{3}'],
  ['formula', 'The side is $\\sqrt{12} = 2\\sqrt{3} \\approx 3.46$.', '2\\sqrt{3} \\approx 3.46'],
  ['formula', 'Length = 2√3 ≈ 3.46 cm', '2√3 ≈ 3.46 cm'],
  ['formula', 'So x - 1 = 0 or x + 2 = 0, giving x = 1 or x = -2.', 'x = 1 or x = -2'],
  ['formula', 'The primes below 10 are:\n\n- 2\n- 3\n- 5\n- 7', '2, 3, 5, 7'],
  ['formula', '$$ S = 5 + 9 = 14 \\quad \\blacksquare $$', 'S = 5 + 9 = 14'],
  ['formula', '14 $\\square$', '14'],
  ['formula', 'So $n = 12$. ∎', 'n = 12'],
  ['formula', '➡️ **12**', '12'],
  ['formula', '| Item | Amount |\n|---|---|\n| **Total** | **$460** |', '$460'],
  ['formula', '| Item | Value |\n|---|---|\n| Chance | $\\frac{7}{12}$ |', '\\frac{7}{12}'],
  ['formula', 'So $x = 5$. Would you like me to explain more?', 'x = 5'],
  ['formula', 'Let $x$ be the price, then $2x = 10$, so $x = 5$.', 'x = 5'],
  ['letter', 'It is B.\nD is ruled out.', 'B'],
];

describe('doubt', () => {
  it.each(notEight)('reads no 8 in %j', (response) => {
    const [best] = candidates(response, 'formula');
    expect(best?.text.replace(/^x = /u, '')).not.toBe('8');
    expect(candidates(response, 'number')[0]?.text).not.toBe('8');
  });

  it.each(read)('%s: %j is %j', (seek, response, answer) => {
    expect(candidates(response, seek)[0]?.text).toBe(answer);
  });

  it('keeps marks that are set on purpose', () => {
    expect(candidates('It is not 5. \\boxed{8} Is it 9?', 'formula')[0]?.text).toBe('8');
    expect(candidates('At least 5.\n#### 8', 'formula')[0]?.text).toBe('8');
  });
});
