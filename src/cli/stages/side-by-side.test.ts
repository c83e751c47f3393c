import { expect, test } from 'vitest';
import type { Progress } from '../../core/progress.ts';
import { sideBySide } from './side-by-side.ts';

test('jobs beside each other are one job that shows the sum and each of them', () => {
  const said: unknown[] = [];
  const whole: Progress = {
    start: (...words) => said.push(['start', ...words]),
    update: (...words) => said.push(['update', ...words]),
    finish: (summary) => said.push(['finish', summary]),
  };
  const [first, second] = sideBySide(whole, 'train', ['full', 'random'], 10, 'steps');
  first.start('train', 10, 'steps');
  first.update(3);
  second.start('train', 10, 'steps');
  second.update(4, { reward: 0.5 });
  first.finish('ten steps');
  second.finish('ten steps');
  expect(said).toEqual([
    ['start', 'train', 20, 'steps'],
    ['update', 3, { full: '3/10', random: '0/10' }],
    ['update', 7, { full: '3/10', random: '4/10' }],
    ['finish', 'full, random: 10 steps each'],
  ]);
});
