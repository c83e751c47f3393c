/**
 * The hand that writes a demonstration: appends text, does one calculation at a time in the open
 * ("7 + 8 = 15"), and errs, notices, checks and pauses as the habits say. Knows no family.
 */
import type { RandomStream } from '../../src/core/random.ts';
import type { Habits } from './types.ts';

export type Operator = '+' | '-' | '*';

/** The true result of `a op b`. */
export function result(a: number, op: Operator, b: number): number {
  if (op === '+') return a + b;
  return op === '-' ? a - b : a * b;
}

export interface CalculationOptions {
  /** Repeated after going back, for example " ones:", so that the operands are read again. */
  label?: string;
  /** Written before the calculation, after a pause if there is one. */
  lead?: string;
  /** Which wrong results may be written (a trace must stay within the tables), default 0..99. */
  allow?: (wrong: number) => boolean;
  /** A wrong result that the bad habit writes here, if it rules. */
  habitual?: number;
}

export class Scribe {
  private text = '';
  private readonly random: RandomStream;
  readonly habits: Habits;

  constructor(random: RandomStream, habits: Habits) {
    this.random = random;
    this.habits = habits;
  }

  say(text: string): void {
    this.text += text;
  }

  /** True with this probability; draws nothing when it is 0. */
  chance(probability: number): boolean {
    return probability > 0 && this.random.uniform() < probability;
  }

  /** Writes " a op b = c" and returns c, which is wrong when a slip went unnoticed. */
  calculate(a: number, op: Operator, b: number, options: CalculationOptions = {}): number {
    const allow = options.allow ?? within(0, 99);
    const right = result(a, op, b);
    const expression = ` ${a} ${op} ${b} =`;
    if (this.chance(this.habits.pause)) this.say(' hmm,');
    this.say(options.lead ?? '');
    const aside = this.chance(this.habits.noticed) ? this.wrong(right, allow) : undefined;
    if (aside !== undefined) {
      this.say(`${expression} ${aside}, wait, no. back.${options.label ?? ''}`);
    }
    const slip = this.chance(this.habits.random) ? this.wrong(right, allow) : undefined;
    const written = slip ?? options.habitual ?? right;
    this.say(`${expression} ${written}`);
    if (written === right && this.chance(this.habits.check)) {
      this.say(`, check:${expression} ${right}, right`);
    }
    return written;
  }

  /** The finished text. */
  finish(answer: string | number): string {
    this.say(` answer: ${answer}`);
    return this.text;
  }

  /** A near miss: usually one off, sometimes two, or ten where there are tens. */
  private wrong(right: number, allow: (wrong: number) => boolean): number | undefined {
    const offsets = [1, -1, 1, -1, 2, -2, ...(right >= 10 ? [10, -10] : [])];
    return this.random
      .shuffled(offsets)
      .map((offset) => right + offset)
      .find((value) => value >= 0 && value <= 99 && allow(value));
  }
}

/** Accepts numbers from `low` to `high`, both included. */
export function within(low: number, high: number): (value: number) => boolean {
  return (value) => value >= low && value <= high;
}
