/**
 * A running total: one-digit numbers are added and taken away one after the other, lettered steps.
 * Bad habit: the tens are kept when a subtraction goes below a full ten (52 - 7 = 55).
 */
import type { RandomStream } from '../../../src/core/random.ts';
import { between, drawUntil } from '../draw.ts';
import { result, Scribe } from '../scribe.ts';
import type { Family, Habits, Problem } from '../types.ts';

interface Step {
  op: '+' | '-';
  by: number;
}

interface Chain {
  start: number;
  steps: Step[];
}

const stepsPerLevel = [
  [2, 3],
  [4, 4],
  [5, 5],
  [6, 6],
  [7, 7],
] as const;

const letters = 'abcdefg';

export const chain: Family = { name: 'chain', levels: [1, 2, 3, 4, 5], problem };

function problem(random: RandomStream, level: number): Problem {
  const range = stepsPerLevel[level - 1];
  if (range === undefined) throw new RangeError(`chain has no level ${level}`);
  const drawn = drawUntil(
    () => draw(random, between(random, range[0], range[1])),
    ({ start, steps }) => {
      const right = total(start, steps, false);
      const habitual = total(start, steps, true);
      if (right === undefined || habitual === undefined) return false;
      return level < 4 || right !== habitual;
    },
  );
  const steps = drawn.steps.map((step, at) => `, ${letters[at]}: ${step.op} ${step.by}`);
  return {
    family: 'chain',
    level,
    prompt: `start ${drawn.start}${steps.join('')}. total?`,
    answer: String(total(drawn.start, drawn.steps, false)),
    demonstrate: (source, habits) => demonstrate(drawn, source, habits),
  };
}

function draw(random: RandomStream, length: number): Chain {
  const steps = Array.from({ length }, (): Step => {
    return { op: random.uniform() < 0.5 ? '+' : '-', by: between(random, 1, 9) };
  });
  return { start: between(random, 1, 60), steps };
}

/** Whether `total - by` goes below a full ten. */
function crosses(value: number, { op, by }: Step): boolean {
  return op === '-' && value >= 10 && value % 10 < by;
}

/** The end of the chain, by the right way or by the habit; undefined where it leaves 0..99. */
function total(start: number, steps: readonly Step[], habitual: boolean): number | undefined {
  let value = start;
  for (const step of steps) {
    const kept = habitual && crosses(value, step) ? 10 : 0;
    value = result(value, step.op, step.by) + kept;
    if (value < 0 || value > 99) return undefined;
  }
  return value;
}

function demonstrate({ start, steps }: Chain, random: RandomStream, habits: Habits): string {
  const scribe = new Scribe(random, habits);
  const keepsTens = scribe.chance(habits.habit);
  scribe.say(`begin at ${start}.`);
  let value = start;
  for (const [at, step] of steps.entries()) {
    const label = ` ${letters[at]}:`;
    const risky = crosses(value, step);
    scribe.say(label);
    if (risky && scribe.chance(habits.hesitate)) scribe.say(' careful,');
    value = scribe.calculate(value, step.op, step.by, {
      label,
      allow: (wrong) => total(wrong, steps.slice(at + 1), keepsTens) !== undefined,
      ...(risky && keepsTens ? { habitual: result(value, step.op, step.by) + 10 } : {}),
    });
    scribe.say('.');
  }
  return scribe.finish(value);
}
