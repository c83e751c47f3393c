// Numbers by value: exact, or within a tolerance. Fractions, percent, powers of ten, thousands separators, currency and a
// unit behind the number are read (quantity.ts); units are not converted, which is what the math kind does.
import { UserError } from '../../core/errors.ts';
import { parseRational, type Rational, rationalKey } from '../rational.ts';
import type { Kind, Reading, Verdict } from '../types.ts';
import { type Quantity, readQuantity } from './quantity.ts';
import { brief, right, undecided, unreadable, wrong } from './verdicts.ts';

export interface NumberSettings {
  /**
   * Two numbers are the same where |a - b| is at most `absolute`, or at most `relative` times the larger of |a| and |b|.
   * Both are at least 0 and default to 0. The limits count as the decimals they are written as (0.01 is 1/100), so that
   * 99 and 100 are the same at 0.01.
   */
  tolerance?: { relative?: number; absolute?: number };
}

/**
 * Reads what is not written as a number but has the value of one ("5!", "2\\sqrt{2}"). `exact` false for a value that was
 * rounded: it counts only with a tolerance, which must be far above the rounding. Undefined where there is no value.
 */
export type Evaluate = (answer: string) => { num: bigint; den: bigint; exact: boolean } | undefined;

/**
 * A unit on one side only does not matter; two units that are not written alike are `undecided` (rung `unit`). A percent
 * sign on one side only: 50% is 0.5; it is 50 too, since the number before the sign is at least 1. UserError for a tolerance
 * that is no finite number or below 0.
 */
export function numberKind(
  { tolerance = {} }: NumberSettings = {},
  evaluate: Evaluate = () => undefined,
): Kind {
  const relative = limitOf('relative', tolerance.relative);
  const absolute = limitOf('absolute', tolerance.absolute);
  const near = nearness(relative, absolute);
  const isExact = relative.num === 0n && absolute.num === 0n;
  const quantity = (answer: string): Quantity | null => {
    const written = readQuantity(answer);
    if (written !== null) return written;
    const value = evaluate(answer);
    if (value === undefined || (isExact && !value.exact)) return null;
    const reduced = parseRational(`${value.num}/${value.den}`);
    return reduced === undefined ? null : { value: reduced, unit: '', unitKey: '' };
  };
  return {
    name: 'number',
    seek: 'number',
    read: (answer) => readingOf(quantity(answer)),
    compare(gold, answer) {
      const [a, b] = [quantity(gold), quantity(answer)];
      if (a !== null && b !== null) return compareNumbers(a, b, near);
      return unread(a ?? b, a === null ? gold : answer, near);
    },
  };
}

type Near = (a: Rational, b: Rational) => boolean;

/** One bucket: tolerance, units and percent signs make equal what no hash brings together. */
function readingOf(found: Quantity | null): Reading | null {
  if (found === null) return null;
  const { value, unit, unitKey } = found;
  const number = rationalKey(value);
  const shown = brief(unit === '' ? number : `${number} ${unit}`);
  return {
    key: `number:${number}:${value.percent ? '%' : ''}:${unitKey}`,
    bucket: 'number',
    kind: 'number',
    shown,
  };
}

function compareNumbers(a: Quantity, b: Quantity, near: Near): Verdict {
  if (a.unitKey !== '' && b.unitKey !== '' && a.unitKey !== b.unitKey) {
    const units = [a.unit, b.unit].sort().join(' and ');
    return undecided('unit', `units that are not converted here: ${units}`);
  }
  if (near(a.value, b.value)) return right('number', 'the same number');
  return onlyPercent(a.value, b.value, near)
    ? right('percent', 'the same number, with and without a percent sign')
    : wrong('number', 'another number');
}

/** Whether the two differ by no more than a percent sign behind a number of at least 1. */
function onlyPercent(a: Rational, b: Rational, near: Near): boolean {
  if (a.percent === b.percent) return false;
  const [share, plain] = a.percent ? [a, b] : [b, a];
  const written = { ...share, num: share.num * 100n };
  return magnitude(written.num) >= written.den && near(written, plain);
}

/** One side is no number. Where it has one among other words, and the same, only a person can tell. */
function unread(other: Quantity | null, text: string, near: Near): Verdict {
  if (other !== null) {
    const numbers = text.match(/\d[\d.,/]*/g) ?? [];
    const only = numbers.length === 1 ? numbers[0]?.replace(/[.,/]$/, '') : undefined;
    const value = only === undefined ? undefined : parseRational(only);
    const size = { ...other.value, num: magnitude(other.value.num) };
    if (value !== undefined && near(value, size)) {
      return undecided('number', 'the number is there with other text around it');
    }
  }
  return unreadable('a number', other !== null);
}

function nearness(relative: Rational, absolute: Rational): Near {
  return (a, b) => {
    const scale = a.den * b.den;
    const [left, other] = [a.num * b.den, b.num * a.den];
    const gap = magnitude(left - other);
    if (gap === 0n) return true;
    if (gap * absolute.den <= absolute.num * scale) return true;
    const size = magnitude(left) > magnitude(other) ? magnitude(left) : magnitude(other);
    return gap * relative.den <= relative.num * size;
  };
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function limitOf(name: string, value = 0): Rational {
  const limit = Number.isFinite(value) && value >= 0 ? parseRational(`${value}`) : undefined;
  if (limit !== undefined) return limit;
  throw new UserError({
    wanted: 'a finite number of at least 0',
    found: String(value),
    where: `verify.tolerance.${name}`,
  });
}
