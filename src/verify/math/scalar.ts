// Compares two expressions: the ladder from cheap to dear. Exact forms, then values at seeded points, then sixty digits;
// the first certain verdict ends it. Knows nothing of units, lists or relations.
import { isDeepStrictEqual } from 'node:util';
import { stream } from '../../core/random.ts';
import { equalToDigits } from './digits.ts';
import { evaluate, isComplex, largestPart, type Point, variablesOfBoth } from './evaluate.ts';
import { exactOf, isDecidable, rationalOf, sameForm } from './exact.ts';
import { type Node, num } from './node.ts';
import * as q from './q.ts';
import { substitute } from './series.ts';

/** What a comparison found; `undefined` where nobody knows. */
export interface Finding {
  same: boolean | undefined;
  rung: string;
  reason: string;
}

/** Numbers this near are taken for the same. Both 0: exact. */
export interface Tolerance {
  relative: number;
  absolute: number;
}

/** Points at which expressions with variables are probed. */
const probes = 24;
/** Points where both sides have a value, before they are called equal. */
const needed = 3;
/** Relative difference of two doubles below which they may be equal. */
const near = 1e-9;
/** Relative difference above which they are different. */
const far = 1e-6;

/** Compares two expressions by value. Swapping them gives the same finding. */
export function compareScalars(a: Node, b: Node, tolerance: Tolerance): Finding {
  const left = exactOf(a);
  const right = exactOf(b);
  const x = left && rationalOf(left);
  const y = right && rationalOf(right);
  if (x !== undefined && y !== undefined) return rationals(x, y, tolerance);
  if (left !== undefined && right !== undefined) {
    const same = sameForm(left, right);
    if (same === true) return { same, rung: 'symbolic', reason: 'the same expression' };
    const certain = same === false && isDecidable(left) && isDecidable(right);
    if (certain && !isTolerant(tolerance))
      return { same, rung: 'symbolic', reason: 'another expression' };
  }
  const found = byValue(a, b, tolerance);
  // Too large for numbers, and yet the same: written with other brackets or fractions.
  if (found.rung === 'bound' && isDeepStrictEqual(a, b))
    return { same: true, rung: 'symbolic', reason: 'the same expression' };
  return found;
}

function isTolerant({ relative, absolute }: Tolerance): boolean {
  return relative > 0 || absolute > 0;
}

function rationals(x: q.Q, y: q.Q, tolerance: Tolerance): Finding {
  if (q.equal(x, y)) return { same: true, rung: 'number', reason: 'the same number' };
  if (isTolerant(tolerance)) return doubles(q.toNumber(x), q.toNumber(y), tolerance);
  return { same: false, rung: 'number', reason: 'another number' };
}

function doubles(x: number, y: number, { relative, absolute }: Tolerance): Finding {
  const gap = Math.abs(x - y);
  const same = gap <= absolute || gap <= relative * Math.max(Math.abs(x), Math.abs(y));
  return {
    same,
    rung: 'tolerance',
    reason: same ? 'within the tolerance' : 'outside the tolerance',
  };
}

function byValue(a: Node, b: Node, tolerance: Tolerance): Finding {
  const names = variablesOfBoth(a, b);
  if (isComplex(a) || isComplex(b)) {
    return names.length === 0 ? byDigits(a, b) : byComplexProbes(a, b, names);
  }
  return names.length === 0 ? constants(a, b, tolerance) : byProbes(a, b, names);
}

/** Complex values are dear: a few points with short numbers. */
function byComplexProbes(a: Node, b: Node, names: readonly string[]): Finding {
  const rung = 'probes';
  for (const tenths of [7n, -13n, 22n]) {
    const at = (node: Node): Node =>
      names.reduce(
        (rest, name, i) => substitute(rest, name, num({ n: tenths + 3n * BigInt(i), d: 10n })),
        node,
      );
    const same = equalToDigits(at(a), at(b));
    if (same === false) return { same, rung, reason: 'they differ at a point' };
    if (same === undefined) return { same, rung, reason: 'a point where one has no value' };
  }
  return { same: true, rung, reason: 'the same at 3 points' };
}

function constants(a: Node, b: Node, tolerance: Tolerance): Finding {
  const [x, y] = [evaluate(a, new Map()), evaluate(b, new Map())];
  if (x === y && !Number.isFinite(x)) {
    return isInfinity(a) && isInfinity(b)
      ? { same: true, rung: 'symbolic', reason: 'the same infinity' }
      : { same: undefined, rung: 'bound', reason: 'numbers too large to evaluate' };
  }
  if (Number.isNaN(x) || Number.isNaN(y)) return byDigits(a, b);
  if (!Number.isFinite(x) || !Number.isFinite(y)) {
    const certain = (isInfinity(a) || isInfinity(b)) && Number.isFinite(x) !== Number.isFinite(y);
    return {
      same: certain || x === -y ? false : undefined,
      rung: 'number',
      reason: 'one is beyond all numbers',
    };
  }
  if (isTolerant(tolerance)) return doubles(x, y, tolerance);
  // What is near zero may be a difference that doubles cannot take: sin 0 against cos(\pi/2).
  const gap = Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y), 1e-3);
  if (gap > far) return { same: false, rung: 'digits', reason: 'another number' };
  return byDigits(a, b);
}

function isInfinity(node: Node): boolean {
  if (node.op === 'mul')
    return node.args.length === 2 && node.args[0].op === 'num' && isInfinity(node.args[1]);
  return node.op === 'const' && node.name === 'inf';
}

function byDigits(a: Node, b: Node): Finding {
  const same = equalToDigits(a, b);
  if (same === undefined)
    return { same, rung: 'digits', reason: 'a number that cannot be evaluated' };
  return {
    same,
    rung: 'digits',
    reason: same ? 'the same in all digits that matter' : 'they differ in a digit',
  };
}

/** Values of both sides at seeded points: small and large, negative and positive, the same for the same variables. */
function byProbes(a: Node, b: Node, names: readonly string[]): Finding {
  let met = 0;
  let unsure = false;
  for (const point of points(names)) {
    const [x, y] = [evaluate(a, point), evaluate(b, point)];
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    const gap = Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y), 1e-3);
    // What is left of large terms that cancel may be nothing but rounding.
    const rounding = Math.max(largestPart(a, point), largestPart(b, point)) * 1e-13;
    const certain = Math.abs(x - y) > rounding;
    if (gap > far && certain)
      return { same: false, rung: 'probes', reason: 'they differ at a point' };
    if (gap > near) unsure = true;
    met++;
  }
  if (unsure) return { same: undefined, rung: 'probes', reason: 'too near to tell at a point' };
  if (met >= needed) return { same: true, rung: 'probes', reason: `the same at ${met} points` };
  return { same: undefined, rung: 'probes', reason: 'no points where both have a value' };
}

const pointsOf = new Map<string, Point[]>();

/** Probe points for a set of variables; kept, since most comparisons are about x. */
export function points(names: readonly string[]): readonly Point[] {
  const key = names.join(' ');
  const known = pointsOf.get(key);
  if (known !== undefined) return known;
  const made = Array.from({ length: probes }, (_, index): Point => {
    const random = stream(20260604, 'probes', index);
    // Every third point has whole numbers, rising or falling by name: factorials and binomials have values there.
    if (index % 3 === 2) {
      const values = names
        .map(() => 2 + random.below(9))
        .sort((a, b) => (index % 2 === 0 ? a - b : b - a));
      return new Map(names.map((name, i) => [name, values[i]]));
    }
    // A third is positive in all variables: roots and logarithms live there.
    const low = index % 3 === 0 ? 0.1 : -3;
    const width = (index % 4 === 1 ? 0.9 : 3) - low;
    return new Map(names.map((name) => [name, low + width * random.uniform()]));
  });
  if (pointsOf.size > 1000) pointsOf.clear();
  pointsOf.set(key, made);
  return made;
}
