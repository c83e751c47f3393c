import { describe, expect, test } from 'vitest';
import { type RandomStream, stream } from '../../src/core/random.ts';
import { demonstration, drawProblem, example, maxTokens } from './corpus.ts';
import { type SlipRow, slipTable } from './slips.ts';
import { tokenCount } from './tokenizer.ts';

const rows = slipTable.map((row): [string, SlipRow] => [`${row.family} ${row.level}`, row]);
const drawn = (random: RandomStream, row: SlipRow) =>
  drawProblem(random, row, random.below(5) === 0);

/** The answer worked out from the prompt's text alone, without the family's own code. */
function answerOf(prompt: string): string {
  const numbers = (prompt.match(/\d+/g) ?? []).map(Number);
  const evaluate = (text: string): number =>
    (text.match(/[+-]? ?\d+/g) ?? []).reduce((sum, one) => sum + Number(one.replace(' ', '')), 0);
  if (prompt.startsWith('start ')) return String(evaluate(prompt.replace(/[a-z]+:? /g, ' ')));
  if (prompt.startsWith('from ')) {
    const target = numbers.pop();
    const found = numbers.flatMap((x, at) =>
      numbers.slice(at + 1).flatMap((y) => (x + y === target ? [`${x} ${y}`] : [])),
    );
    expect(found, prompt).toHaveLength(1);
    return String(found[0]);
  }
  if (prompt.startsWith('solve ')) {
    const [factor, rest] = prompt.replace('solve ', '').split(' * x');
    const [terms = '', value] = (rest ?? '').split(' = ');
    return String((Number(value) - evaluate(terms)) / Number(factor));
  }
  const [number = '', divisor] = prompt.replace(/what is |\?/g, '').split(/,? mod /);
  return String(divisor === undefined ? evaluate(number) : evaluate(number) % Number(divisor));
}

/** The equations of a trace that it does not take back, as written. */
function equations(trace: string): RegExpMatchArray[] {
  return [...trace.matchAll(/(\d+) ([+*-]) (\d+) = (\d+)(?!\d|, wait, no)/g)];
}

describe.each(rows)('%s', (name, row) => {
  test('answers are right by direct arithmetic, prompts repeat from the same seed', () => {
    const prompts = (): string[] => {
      const random = stream(1, 'answers', name);
      return Array.from({ length: 200 }, () => {
        const problem = drawn(random, row);
        expect(problem.answer, problem.prompt).toBe(answerOf(problem.prompt));
        return `${problem.prompt}\n${demonstration(problem, random, 'noisy')}`;
      });
    };
    expect(prompts()).toEqual(prompts());
  });

  test('clean traces hold true equations only and end right', () => {
    const random = stream(2, 'clean', name);
    for (let i = 0; i < 300; i++) {
      const problem = drawn(random, row);
      const trace = demonstration(problem, random, 'clean');
      expect(trace.endsWith(` answer: ${problem.answer}`), `${problem.prompt} ${trace}`).toBe(true);
      const found = equations(trace);
      expect(found.length).toBeGreaterThan(0);
      for (const [text, a, op, b, c] of found) {
        const [x, y] = [Number(a), Number(b)];
        expect(op === '+' ? x + y : op === '-' ? x - y : x * y, `${text} in ${trace}`).toBe(
          Number(c),
        );
      }
    }
  });

  test('noisy traces end right as often as the table says, and fit', () => {
    const random = stream(3, 'noisy', name);
    const count = 1500;
    let right = 0;
    for (let i = 0; i < count; i++) {
      const problem = drawn(random, row);
      const trace = demonstration(problem, random, 'noisy');
      if (trace.endsWith(` answer: ${problem.answer}`)) right++;
      expect(trace).toMatch(/ answer: \d+( \d+)?$/);
      expect(tokenCount(`${problem.prompt}\n${trace}`) + 1).toBeLessThanOrEqual(maxTokens);
    }
    const error = Math.sqrt((row.pass * (1 - row.pass)) / count);
    expect(Math.abs(right / count - row.pass), `measured ${right / count}`).toBeLessThan(
      4 * error + 0.01,
    );
  });
});

/** Asides per 100 tokens: checks, pauses and slips that are noticed. */
function asides(row: SlipRow): number {
  const random = stream(4, 'asides', row.family, row.level);
  let [found, tokens] = [0, 0];
  for (let i = 0; i < 400; i++) {
    const trace = demonstration(drawn(random, row), random, 'clean');
    found += trace.match(/hmm|wait|check:|careful/g)?.length ?? 0;
    tokens += tokenCount(trace);
  }
  return (100 * found) / tokens;
}

test('every hard level wavers more than every mastered one, even in clean traces', () => {
  const mastered = slipTable.filter(({ pass }) => pass > 0.95).map(asides);
  const hard = slipTable.filter(({ pass }) => pass < 0.9).map(asides);
  expect(Math.min(...hard)).toBeGreaterThan(Math.max(...mastered));
});

test('habits make the wrong answer the most frequent one, and always the same', () => {
  for (const row of slipTable.filter(({ habit, random }) => habit > 0.5 && random < 0.02)) {
    const random = stream(5, 'habit', row.family, row.level);
    const problem = drawProblem(random, row, true);
    const votes = new Map<string, number>();
    for (let i = 0; i < 400; i++) {
      const answer = demonstration(problem, random, 'noisy').split('answer: ')[1] ?? '';
      votes.set(answer, (votes.get(answer) ?? 0) + 1);
    }
    const [winner] = [...votes].sort((a, b) => b[1] - a[1])[0] ?? [];
    expect(winner, problem.prompt).not.toBe(problem.answer);
    expect(votes.get(problem.answer) ?? 0, problem.prompt).toBeGreaterThan(5);
  }
});

test('weights choose the levels and the warm stage is clean and easy', () => {
  const random = stream(6);
  const only = Array.from({ length: 50 }, () =>
    example(random, 'noisy', {
      add: 0,
      subtract: 0,
      chain: 0,
      pair: 0,
      solve: 0,
      remainder: 0,
      'pair/2': 1,
    }),
  );
  expect(new Set(only.map(({ family, level }) => `${family} ${level}`))).toEqual(
    new Set(['pair 2']),
  );
  const warm = Array.from({ length: 400 }, () => example(random, 'warm'));
  expect(Math.max(...warm.map(({ level }) => level))).toBe(2);
  for (const { prompt, response } of warm)
    expect(response.endsWith(` ${answerOf(prompt)}`)).toBe(true);
});
