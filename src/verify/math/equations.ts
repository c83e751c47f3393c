// Equations and inequalities that stay such: equal where one is the other times a factor, with terms moved. Knows nothing of
// values that an equation only names.
import type { Value } from './answer.ts';
import type { Comparison } from './compare.ts';
import { evaluate, variablesOfBoth } from './evaluate.ts';
import { exactOf, isDecidable } from './exact.ts';
import { type Node, negative, type Sign, spelling, sum } from './node.ts';
import * as poly from './polynomial.ts';
import * as q from './q.ts';
import { type Finding, points } from './scalar.ts';

type Relation = Extract<Node, { op: 'relation' }>;

/** Compares an equation with an equation, or with a value that came from one. */
export function compareEquations(
  a: Relation,
  b: { form: 'equation'; node: Relation } | Value,
  how: Comparison,
): Finding | undefined {
  if (b.form === 'equation') return relations(a, b.node);
  if (b.equation !== undefined && b.equation.op === 'relation') return relations(a, b.equation);
  // "y = 2x + 1" against "2x + 1": the equation could be read as a name with a value, and was not.
  return how.equations === 'value'
    ? { same: false, rung: 'equation', reason: 'an equation against a value' }
    : undefined;
}

/** Whether two relations say the same. */
export function relations(a: Relation, b: Relation): Finding {
  if (a.signs.length !== 1 || b.signs.length !== 1) return chains(a, b);
  const [x, y] = [oriented(a), oriented(b)];
  if (x.sign !== y.sign) return { same: false, rung: 'equation', reason: 'another relation' };
  const same = proportional(x.gap, y.gap, x.sign === '=' || x.sign === '!=');
  const reason =
    same === undefined
      ? 'two relations that could not be brought together'
      : same
        ? 'the same relation'
        : 'another relation';
  return { same, rung: 'equation', reason };
}

function chains(a: Relation, b: Relation): Finding {
  const same = spelling(rising(a)) === spelling(rising(b));
  return {
    same: same ? true : undefined,
    rung: 'equation',
    reason: same ? 'written alike' : 'chains of relations',
  };
}

/** c > b > a as a < b < c. */
function rising(relation: Relation): Relation {
  if (!relation.signs.every((sign) => sign === '>' || sign === '>=')) return relation;
  const turned = relation.signs.map((sign): Sign => (sign === '>' ? '<' : '<='));
  return { op: 'relation', sides: relation.sides.toReversed(), signs: turned.reverse() };
}

/** left - right, turned so that the sign is =, !=, > or >=. */
function oriented({ sides: [left, right], signs: [sign] }: Relation): { gap: Node; sign: string } {
  const turned = sign === '<' || sign === '<=';
  const gap = turned ? sum(right, negative(left)) : sum(left, negative(right));
  return { gap, sign: turned ? sign.replace('<', '>') : sign };
}

/** Whether a = c b for a constant c, which must be positive unless `anySign`. */
function proportional(a: Node, b: Node, anySign: boolean): boolean | undefined {
  const [x, y] = [exactOf(a), exactOf(b)];
  if (x === undefined || y === undefined) return byProbes(a, b, anySign);
  const constants = poly.rational(x.den) !== undefined && poly.rational(y.den) !== undefined;
  const ratio = anySign
    ? ratioOf(withoutDivisors(x.num), withoutDivisors(y.num))
    : ratioOf(x.num, y.num);
  // Multiplying an equation with its denominators keeps its solutions but for the zeros of those.
  if (ratio === undefined && constants && isDecidable(x) && isDecidable(y)) return false;
  if (ratio !== undefined && (constants || anySign)) return anySign || ratio.n > 0n;
  return byProbes(a, b, anySign);
}

/** Multiplied by what it divides by: y - 1/x as xy - 1. */
function withoutDivisors(x: poly.Polynomial): poly.Polynomial {
  let lowest = new Map<string, q.Q>();
  for (const { monomial } of x.values()) {
    for (const [name, exponent] of monomial) {
      const before = lowest.get(name) ?? q.zero;
      if (q.order(exponent, before) < 0) lowest = lowest.set(name, exponent);
    }
  }
  try {
    return [...lowest].reduce(
      (rest, [name, exponent]) => poly.multiply(rest, poly.atom(name, q.negate(exponent))),
      x,
    );
  } catch {
    return x;
  }
}

/** c with x = c y, for polynomials. */
function ratioOf(x: poly.Polynomial, y: poly.Polynomial): q.Q | undefined {
  const [key] = y.keys();
  if (key === undefined || x.size !== y.size) return undefined;
  const below = y.get(key)?.coefficient;
  const above = x.get(key)?.coefficient;
  const upside = below && q.inverse(below);
  const factor = above && upside && q.multiply(above, upside);
  if (factor === undefined) return undefined;
  try {
    return poly.subtract(x, poly.scale(y, factor)).size === 0 ? factor : undefined;
  } catch {
    return undefined;
  }
}

function byProbes(a: Node, b: Node, anySign: boolean): boolean | undefined {
  const names = variablesOfBoth(a, b);
  let factor: number | undefined;
  let met = 0;
  for (const point of points(names)) {
    const [x, y] = [evaluate(a, point), evaluate(b, point)];
    if (!Number.isFinite(x) || !Number.isFinite(y) || Math.abs(y) < 1e-6 || Math.abs(x) < 1e-6)
      continue;
    factor ??= x / y;
    if (Math.abs(x / y / factor - 1) > 1e-7) return false;
    met++;
  }
  if (met < 4 || factor === undefined) return undefined;
  return anySign || factor > 0;
}
