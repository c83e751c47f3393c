/**
 * Linear equations with a one-digit unknown by guess and check, from 5 up or down by one.
 * Bad habit: the third guess is taken without checking.
 */
import type { RandomStream } from '../../../src/core/random.ts';
import { between, drawUntil } from '../draw.ts';
import { result, Scribe } from '../scribe.ts';
import type { Family, Habits, Problem } from '../types.ts';

interface Term {
  op: '+' | '-';
  by: number;
}

interface Equation {
  factor: number;
  terms: Term[];
  value: number;
}

/** Number of terms after the product, and the unknowns allowed. */
const shapes = [
  { terms: 1, unknowns: [3, 4, 5, 6, 7] },
  { terms: 2, unknowns: [3, 4, 6, 7] },
  { terms: 1, unknowns: [1, 2, 8, 9] },
  { terms: 2, unknowns: [1, 2, 8, 9] },
];

const firstGuess = 5;
const patience = 5;

export const solve: Family = { name: 'solve', levels: [1, 2, 3, 4], problem };

function problem(random: RandomStream, level: number): Problem {
  const shape = shapes[level - 1];
  if (shape === undefined) throw new RangeError(`solve has no level ${level}`);
  const drawn = drawUntil(
    () => draw(random, shape),
    ({ unknown, equation }) => evaluates(equation, unknown) && evaluates(equation, firstGuess),
  );
  const { unknown, equation } = drawn;
  const terms = equation.terms.map(({ op, by }) => ` ${op} ${by}`).join('');
  return {
    family: 'solve',
    level,
    prompt: `solve ${equation.factor} * x${terms} = ${equation.value}`,
    answer: String(unknown),
    demonstrate: (source, habits) => demonstrate(equation, source, habits),
  };
}

function draw(random: RandomStream, shape: (typeof shapes)[number]) {
  const unknown = shape.unknowns[random.below(shape.unknowns.length)] ?? firstGuess;
  const factor = between(random, 2, 9);
  const terms = Array.from({ length: shape.terms }, (): Term => {
    return { op: random.uniform() < 0.5 ? '+' : '-', by: between(random, 1, 9) };
  });
  const value = terms.reduce((sum, { op, by }) => result(sum, op, by), factor * unknown);
  return { unknown, equation: { factor, terms, value } };
}

/** Whether every partial result stays within 0..99. */
function evaluates({ factor, terms }: Equation, guess: number): boolean {
  return continues(factor * guess, terms);
}

function continues(start: number, terms: readonly Term[]): boolean {
  let value = start;
  return terms.every(({ op, by }) => {
    value = result(value, op, by);
    return value >= 0 && value <= 99;
  });
}

function demonstrate(equation: Equation, random: RandomStream, habits: Habits): string {
  const scribe = new Scribe(random, habits);
  const hasty = scribe.chance(habits.habit);
  let guess = firstGuess;
  scribe.say('guess x.');
  for (let attempt = 1; attempt <= patience; attempt++) {
    scribe.say(` try ${guess}`);
    const risky = attempt === 3;
    const wavers = risky && scribe.chance(habits.hesitate);
    if (risky && hasty) {
      scribe.say(wavers ? ', hmm, check? no.' : ', good.');
      return scribe.finish(guess);
    }
    scribe.say(wavers ? ', hmm, check? yes:' : ':');
    const verdict = judge(scribe, evaluate(scribe, equation, guess), equation.value);
    if (verdict === 'yes') {
      scribe.say(', yes.');
      return scribe.finish(guess);
    }
    scribe.say(`, ${verdict}. back.`);
    const next = guess + (verdict === 'too small' ? 1 : -1);
    if (next < 1 || next > 9 || !evaluates(equation, next)) break;
    guess = next;
  }
  scribe.say(' enough.');
  return scribe.finish(guess);
}

/** Writes "3 * 4 = 12, 12 + 4 = 16" and returns the value. */
function evaluate(scribe: Scribe, { factor, terms }: Equation, guess: number): number {
  let value = scribe.calculate(factor, '*', guess, { allow: (wrong) => continues(wrong, terms) });
  for (const [at, { op, by }] of terms.entries()) {
    scribe.say(',');
    const rest = terms.slice(at + 1);
    value = scribe.calculate(value, op, by, { allow: (wrong) => continues(wrong, rest) });
  }
  return value;
}

type Judgement = 'yes' | 'too small' | 'too big';

/** How the value compares with the wanted one; a slip mostly sees what is hoped for. */
function judge(scribe: Scribe, value: number, wanted: number): Judgement {
  const right = value === wanted ? 'yes' : value < wanted ? 'too small' : 'too big';
  if (!scribe.chance(scribe.habits.random)) return right;
  const others = (['yes', 'too small', 'too big'] as const).filter((one) => one !== right);
  return (scribe.chance(0.8) ? others[0] : others[1]) ?? right;
}
