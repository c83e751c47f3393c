// Where the final answer of a response is found.
import { describe, expect, it } from 'vitest';
import { verifierFor } from './registry.ts';

const found: [string, string][] = [
  ['17 + 28 = 45\nanswer: 45', '45'],
  ['So we get 45. answer: 45.', '45.'],
  ['Answer: 45. That is all.', '45'],
  ['answer: 3.5', '3.5'],
  ['The final answer is \\boxed{\\frac{1}{2}}. Done.', '\\frac{1}{2}'],
  ['\\boxed{1} no, \\boxed{2}', '2'],
  ['\\boxed{2} and \\boxed{unclosed', '2'],
  ['the answer is: 7', '7'],
  ['**Answer:** 12', '12'],
  ['**Final Answer:**\n\n12\nbye', '12'],
  ['#### 72', '72'],
  ['<answer> 5 </answer>', '5'],
  ['<answer>5\nmore', '5'],
  ['<answer>\\boxed{5}</answer>', '5'],
  ['answer: 1\nwait, answer: 2', '2'],
  ['answer: 1 </think> answer: 2', '2'],
  ['\\boxed{9}\nanswer: 8', '8'],
];

describe('marked answers', () => {
  it.each(found)('%j gives %j', (response, answer) => {
    expect(verifierFor('auto').extract(response)?.text).toBe(answer);
  });

  it.each([
    '',
    'just text 45',
    'answer:',
    'answer: 1</think> hm',
    '\\boxed{}',
    'answers: 4',
    'answer 4',
  ])('%j gives none', (response) => expect(verifierFor('auto').extract(response)).toBeUndefined());
});

it.each([
  ['number', 'first 3 then -1,250.5% of it', '-1,250.5%'],
  ['number', 'so it is 3/4.', '3/4'],
  ['auto', 'we have x=12)', '12'],
  ['choice', 'A or B, surely (C)!', 'C'],
  ['text', 'thinking\nParis\n\n', 'Paris'],
])('%s takes the last resort of %j', (name, response, answer) => {
  expect(verifierFor(name, { lastResort: true }).extract(response)?.text).toBe(answer);
  expect(verifierFor(name).extract(response)).toBeUndefined();
});

it('verifies whole responses', () => {
  const verifier = verifierFor('auto');
  expect(verifier.verify('45', '17 + 28: carry 1\nanswer: 45').verdict).toBe('right');
  expect(verifier.verify('45', '17 + 28: carry 1\nanswer: 35').verdict).toBe('wrong');
  expect(verifier.verify('45', '17 + 28 is 45').rung).toBe('extract');
});
