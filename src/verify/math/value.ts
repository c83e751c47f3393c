// The number that an answer comes to, for those who want nothing but a number. Knows nothing of units or lists.
import { interpret } from './answer.ts';
import { evaluate } from './evaluate.ts';
import { exactOf, rationalOf } from './exact.ts';
import { parseAnswer } from './parse.ts';

/** Significant digits of a value that is rounded to a decimal. */
const digits = 15;

/**
 * The value of an answer without unit, name or sign: exact where it is rational, else rounded to 15 digits. Undefined
 * where it is no single number.
 */
export function numericValue(
  answer: string,
): { num: bigint; den: bigint; exact: boolean } | undefined {
  const read = interpret(parseAnswer(answer));
  if (read.form !== 'value' || read.unit !== undefined || read.sign !== undefined) return undefined;
  const exact = exactOf(read.node);
  const rational = exact && rationalOf(exact);
  if (rational !== undefined) return { num: rational.n, den: rational.d, exact: true };
  const value = evaluate(read.node, new Map());
  if (!Number.isFinite(value) || Math.abs(value) > 1e300) return undefined;
  const [mantissa, exponent] = value.toExponential(digits - 1).split('e');
  const power = Number(exponent) - (digits - 1);
  const whole = BigInt(mantissa.replace('.', ''));
  return {
    num: power > 0 ? whole * 10n ** BigInt(power) : whole,
    den: power < 0 ? 10n ** BigInt(-power) : 1n,
    exact: false,
  };
}
