/** What a judge makes of a kind: extraction, bounds, and golds that are worked solutions. */
import { expect, it } from 'vitest';
import { AnswerJudge } from './judge.ts';
import { judgeFor } from './registry.ts';
import { defaultBounds, type Extraction, type Kind } from './types.ts';

const auto = await judgeFor({ kind: 'auto', extract: { unmarked: 'none' } });

it('verifies whole responses', async () => {
  const work = '17 + 28: carry 1';
  expect(await auto.verify('45', `${work}\nanswer: 45`)).toMatchObject({ verdict: 'right' });
  expect(await auto.verify('45', `${work}\nanswer: 35`)).toMatchObject({ verdict: 'wrong' });
  const none = { verdict: 'wrong', rung: 'extract' };
  expect(await auto.verify('45', '17 + 28 is 45')).toMatchObject(none);
});

it.each([
  ['She sells 16 - 3 = 13 eggs.\n#### 13', 'answer: 13', 'right'],
  ['so that \\boxed{\\frac{1}{2}}.', 'answer: 0.5', 'right'],
  ['so that \\boxed{\\frac{1}{2}}.', 'answer: 2', 'wrong'],
  ['the answer is 7', 'answer: 7', 'undecided'],
])('takes the gold %j for what it marks', async (gold, response, verdict) => {
  expect(await auto.verify(gold, response)).toMatchObject({ verdict });
});

it('is undecided about a gold that it cannot read', async () => {
  const number = await judgeFor({ kind: 'number' });
  const unread = { verdict: 'undecided', rung: 'gold' };
  expect(await number.verify('several', 'answer: 5')).toMatchObject(unread);
  expect(await number.verify('6', 'answer: 5')).toMatchObject({ verdict: 'wrong' });
});

const whole = (response: string): Extraction[] => [
  { text: response, start: 0, end: response.length, mark: 'whole' },
];
const kind = (over: Partial<Kind>): Kind => ({
  name: 'test',
  seek: 'line',
  read: (answer) => ({ key: answer, bucket: '', kind: 'text', shown: answer }),
  compare: (gold, answer) => ({
    ...{ verdict: gold === answer ? 'right' : 'wrong', reason: 'by text', rung: 'text' },
  }),
  ...over,
});

it('leaves golds of data as they are', async () => {
  const gold = '{"title": "#### 1"}';
  for (const seek of ['json', 'code'] as const) {
    const judge = new AnswerJudge(kind({ seek }), whole, defaultBounds);
    expect(judge.verify(gold, gold).verdict).toBe('right');
  }
});

it('is undecided where the kind or the extraction fails', () => {
  const fail = () => {
    throw new Error('broken');
  };
  const broken = new AnswerJudge(kind({ read: fail, compare: fail }), whole, defaultBounds);
  const error = { verdict: 'undecided', reason: 'the verifier failed: broken', rung: 'error' };
  expect(broken.compare('1', '1')).toEqual(error);
  expect(broken.verify('1', '1')).toEqual(error);
  expect(broken.read('1')).toBeNull();
  expect(new AnswerJudge(kind({}), fail, defaultBounds).verify('1', '1')).toEqual(error);
});

it('reads only the end of a long response, and says so where nothing is there', () => {
  const marked = (response: string) => {
    const at = response.indexOf('X');
    return at < 0 ? [] : [{ text: 'X', start: at, end: at + 1, mark: 'phrase' as const }];
  };
  const judge = new AnswerJudge(kind({}), marked, { ...defaultBounds, maxResponseChars: 10 });
  expect(judge.candidates(`${'.'.repeat(95)}X....`)).toMatchObject([{ start: 95, end: 96 }]);
  expect(judge.verify('X', `X${'.'.repeat(10)}`)).toMatchObject({
    ...{ verdict: 'undecided', rung: 'bound' },
  });
  expect(judge.verify('X', '.'.repeat(10))).toMatchObject({ verdict: 'wrong', rung: 'extract' });
});
