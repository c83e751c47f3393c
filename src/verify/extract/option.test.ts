// Choices named in words where any answer is sought. Each row: a response, the best candidate.
import { describe, expect, it } from 'vitest';
import { candidates } from './candidates.ts';

const named: [response: string, letter: string][] = [
  ['Therefore, option B is correct.', 'B'],
  ['Hence, option (D) is the correct answer.', 'D'],
  ['Choice D is correct.', 'D'],
  ['Statement D is true.', 'D'],
  ['(D) All of the above is correct.', 'D'],
  ['I believe C is correct.', 'C'],
  ['C seems to be the most reasonable answer.', 'C'],
  ['The value is 5, which is option (C).', 'C'],
  ['$x=5$, which corresponds to option C.', 'C'],
  ['This matches option C.', 'C'],
  ["I'd go with D.", 'D'],
  ['Only option D satisfies the condition.', 'D'],
  ['A, B, C are ruled out, leaving D.', 'D'],
  ['Hence C.', 'C'],
  ['**D**\n\nNitrogen makes up about 78% of the air.', 'D'],
  ['D. Nitrogen\n\nExplanation: Nitrogen makes up 78% of the air.', 'D'],
  ['The correct answer is A, a triangle.', 'A'],
  ['Thus, the correct choice is **B**: the mitochondria.', 'B'],
  ['The answer is D!', 'D'],
  ['故本题选D。', 'D'],
  ['因此选项B正确。', 'B'],
  ['【答案】B\n【解析】线粒体是细胞的动力工厂。', 'B'],
];

const unnamed: [response: string, answer: string | undefined][] = [
  ['A square is the best shape, and its area is $5$.', '5'],
  ['A) First, add 1 and 2.\nB) Then the sum is 3.', '3'],
  ['So the area of $A$ is 5.', '5'],
  ['Hence $A = 5$.', 'A = 5'],
];

describe('options', () => {
  it.each(named)('%j names %j', (response, letter) => {
    expect(candidates(response, 'formula')[0]?.text).toBe(letter);
  });

  it.each(unnamed)('%j is %j', (response, answer) => {
    expect(candidates(response, 'formula')[0]?.text).toBe(answer);
  });

  it.each([
    'Option B is incorrect.',
    'Option B is not correct.',
    'Could it be B?',
    'B?',
    'The answer would be B if it were about cells.',
  ])('%j names none', (response) => {
    expect(candidates(response, 'formula')[0]?.text).not.toBe('B');
  });
});
