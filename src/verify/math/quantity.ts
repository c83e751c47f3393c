// Compares two single values with what stands around them: names, units, percent and degree signs, a rounded second form.
// Knows nothing of lists or sets.
import type { Value } from './answer.ts';
import type { Comparison } from './compare.ts';
import { relations } from './equations.ts';
import { evaluate } from './evaluate.ts';
import { exactOf, rationalOf } from './exact.ts';
import { has, type Node } from './node.ts';
import * as q from './q.ts';
import { compareScalars, type Finding } from './scalar.ts';
import { substitute } from './series.ts';
import { isOpaque, parseUnit, type Unit } from './units.ts';

export function compareValues(a: Value, b: Value, how: Comparison): Finding {
  const named = labels(a, b, how);
  if (named !== undefined) return named;
  const finding = plain(a, b, how);
  if (finding.same !== false) return finding;
  if (a.also === undefined && b.also === undefined) return rounding(a, b) ?? finding;
  const others = [a.also, b.also].map((also, i) => ({
    ...(i === 0 ? a : b),
    node: also ?? (i === 0 ? a : b).node,
  }));
  const pairs: [Value, Value][] = [
    [others[0], b],
    [a, others[1]],
    [others[0], others[1]],
  ];
  return pairs.map(([x, y]) => plain(x, y, how)).find(({ same }) => same === true) ?? finding;
}

/** Verdicts that follow from what the values are called. */
function labels(a: Value, b: Value, how: Comparison): Finding | undefined {
  const [x, y] = [a.label, b.label];
  if (how.equations === 'whole' && (x === undefined) !== (y === undefined)) {
    return { same: false, rung: 'equation', reason: 'one is an equation, the other a value' };
  }
  if (x === undefined || y === undefined) return undefined;
  if (x === y) return x.startsWith('fn:') ? sameFunction(a, b, how) : undefined;
  // "Area = 12" against "A = 12": a name in words may be that of the other side.
  if (isWords(x) !== isWords(y)) return undefined;
  if (isWords(x)) return wordLabels(a, b, how);
  const [f, g] = [x, y].map((label) => label.startsWith('fn:'));
  // "y = 2x" against "f(x) = 2x".
  if (f !== g && has(a.node, ({ op }) => op === 'sym')) return undefined;
  if (a.equation?.op !== 'relation' || b.equation?.op !== 'relation' || (f && g)) {
    return { same: false, rung: 'equation', reason: 'other names' };
  }
  const same = relations(a.equation, b.equation);
  return same.same === true ? same : { same: false, rung: 'equation', reason: 'other names' };
}

/** f(n) = n + 1 is f(x) = x + 1. Undefined where both have the same argument, or more than a variable. */
function sameFunction(a: Value, b: Value, how: Comparison): Finding | undefined {
  const [x, y] = [argumentOf(a), argumentOf(b)];
  if (x === undefined || y === undefined || x === y) return undefined;
  return compareScalars(a.node, substitute(b.node, y, { op: 'sym', name: x }), how.tolerance);
}

function argumentOf({ equation }: Value): string | undefined {
  const side = equation?.op === 'relation' ? equation.sides[0] : undefined;
  const argument = side?.op === 'fn' || side?.op === 'mul' ? side.args.at(-1) : undefined;
  return argument?.op === 'sym' ? argument.name : undefined;
}

function isWords(label: string): boolean {
  return label.startsWith('"');
}

/** The same value under two names in words: perhaps one name is short for the other. */
function wordLabels(a: Value, b: Value, how: Comparison): Finding {
  const finding = plain(a, b, how);
  return finding.same === true
    ? { same: undefined, rung: 'equation', reason: 'the same value under other names' }
    : finding;
}

function plain(a: Value, b: Value, how: Comparison): Finding {
  if (a.sign !== undefined || b.sign !== undefined) return signed(a, b, how);
  if (a.unit !== undefined || b.unit !== undefined) return measured(a, b, how);
  return compareScalars(a.node, b.node, how.tolerance);
}

/** Percent and degree signs. */
function signed(a: Value, b: Value, how: Comparison): Finding {
  const [u, v] = [a.unit, b.unit];
  // "5% increase" against "5% decrease"; "28°" against "28 rad" or "28 cm".
  if (u !== undefined && v !== undefined && u.dimension !== v.dimension) {
    return otherUnit(u, v, compareScalars(a.node, b.node, how.tolerance));
  }
  const unit = a.sign === undefined ? u : v;
  if (a.sign !== b.sign && unit !== undefined) {
    const scale = unit.dimension === 'C1' || unit.dimension === 'F1';
    // "25°" against "25 °C": the scale is left out.
    if (scale && (a.sign ?? b.sign) === 'degree')
      return compareScalars(a.node, b.node, how.tolerance);
    if (unit.dimension === '') return compareScalars(full(a), full(b), how.tolerance);
    return { same: false, rung: 'unit', reason: 'units of different things' };
  }
  const inFull = compareScalars(full(a), full(b), how.tolerance);
  if (inFull.same !== false || (a.sign !== undefined && b.sign !== undefined)) return inFull;
  const [marked, other] = a.sign === undefined ? [b, a] : [a, b];
  const without = compareScalars(marked.node, other.node, how.tolerance);
  if (without.same !== true || how.units === 'required') return inFull;
  const sign = marked.sign === 'percent' ? 'percent sign' : 'degree sign';
  // "0.5" against "0.5%" may well be a mistake of a factor of a hundred; "50" against "50%" is a sign left out.
  if (marked.sign === 'percent' && Math.abs(evaluate(other.node, new Map())) < 1) {
    return { same: undefined, rung: 'percent', reason: `they differ only by a ${sign}` };
  }
  return { same: true, rung: marked.sign ?? 'unit', reason: `the same number, one with a ${sign}` };
}

function full(value: Value): Node {
  return value.sign === undefined ? value.node : { op: value.sign, arg: value.node };
}

function measured(a: Value, b: Value, how: Comparison): Finding {
  const [x, y] = [unitOf(a, b), unitOf(b, a)];
  const [m, n] = [x?.value ?? a.node, y?.value ?? b.node];
  const [u, v] = [asMass(x?.unit, y?.unit), asMass(y?.unit, x?.unit)];
  const bare = compareScalars(m, n, how.tolerance);
  if (u === undefined || v === undefined) {
    if (how.units === 'optional')
      return bare.same === true
        ? { ...bare, reason: 'the same number, one without its unit' }
        : bare;
    return {
      same: bare.same === true ? undefined : bare.same,
      rung: 'unit',
      reason: 'one has no unit',
    };
  }
  if (u.dimension !== v.dimension) return otherUnit(u, v, bare);
  if (u.factor === v.factor) return bare;
  const [p, r] = [evaluate(m, new Map()) * u.factor, evaluate(n, new Map()) * v.factor];
  const gap = Math.abs(p - r);
  const near = Math.max(how.tolerance.relative, 1e-9) * Math.max(Math.abs(p), Math.abs(r));
  const same = gap <= near;
  return {
    same,
    rung: 'unit',
    reason: same ? 'the same quantity in other units' : 'another quantity',
  };
}

/** Pounds are money until they meet a mass. */
function asMass(unit: Unit | undefined, other: Unit | undefined): Unit | undefined {
  const pounds = unit?.dimension === 'P1' && other?.dimension === 'M1';
  return pounds ? { dimension: 'M1', factor: 0.45359237 } : unit;
}

function otherUnit(u: Unit, v: Unit, bare: Finding): Finding {
  if (bare.same === true && (isOpaque(u) || isOpaque(v))) {
    return {
      same: undefined,
      rung: 'unit',
      reason: 'the same number of things with different names',
    };
  }
  return { same: false, rung: 'unit', reason: 'units of different things' };
}

/** "5 m" may be read as 5 times m: where the other side has a unit, single letters behind a number are one too. */
function unitOf(value: Value, other: Value): { unit: Unit; value: Node } | undefined {
  if (value.unit !== undefined) return { unit: value.unit, value: value.node };
  if (other.unit === undefined || value.node.op !== 'mul' || value.node.args[0]?.op !== 'num')
    return undefined;
  const [number, ...rest] = value.node.args;
  const words = rest.map(unitWord);
  if (words.includes(undefined)) return undefined;
  const unit = parseUnit(words.join(' '));
  return unit === null || isOpaque(unit) ? undefined : { unit, value: number };
}

function unitWord(node: Node): string | undefined {
  if (node.op === 'sym') return node.name;
  if (node.op !== 'pow' || node.exponent.op !== 'num') return undefined;
  const base = unitWord(node.base);
  const power = node.exponent.value;
  if (base === undefined || power.d !== 1n || power.n > 9n || power.n < -9n) return undefined;
  return power.n < 0n
    ? `/ ${base}${power.n === -1n ? '' : ` ^${-power.n}`}`
    : `${base} ^${power.n}`;
}

/** A decimal that is the other number rounded: whether that is good enough is for someone who knows the question. */
function rounding(a: Value, b: Value): Finding | undefined {
  const found = isRounded(a.node, b.node) || isRounded(b.node, a.node);
  return found
    ? { same: undefined, rung: 'rounded', reason: 'one is the other rounded' }
    : undefined;
}

/** Whether a decimal of at least two places is `exact` rounded to its places. */
function isRounded(decimal: Node, exact: Node): boolean {
  const form = decimal.op === 'num' ? exactOf(decimal) : undefined;
  const value = form && rationalOf(form);
  if (value === undefined || has(exact, ({ op }) => op === 'sym')) return false;
  const places = placesOf(value);
  if (places === undefined || places < 2 || places > 15) return false;
  const other = evaluate(exact, new Map());
  const written = q.toNumber(value);
  const size = 10 ** -places;
  return (
    Number.isFinite(other) &&
    other !== written &&
    Math.abs(other - written) <= size * 0.5000001 &&
    Math.abs(written) >= size * 10
  );
}

/** Decimal places of a terminating decimal. */
function placesOf(value: q.Q): number | undefined {
  let { d } = value;
  let places = 0;
  while (d % 10n === 0n) {
    d /= 10n;
    places++;
  }
  while (d % 2n === 0n || d % 5n === 0n) {
    d = d % 2n === 0n ? d / 2n : d / 5n;
    places++;
  }
  return d === 1n ? places : undefined;
}
