// Sets of real numbers: intervals, unions, inequalities in one variable, \mathbb{R} without points. Knows how they are
// brought into one form, and nothing of other answers.
import { evaluate, variablesOf } from './evaluate.ts';
import { exactOf, rationalOf } from './exact.ts';
import { has, mul, type Node, negative, num, reciprocal, type Sign, sum } from './node.ts';
import * as poly from './polynomial.ts';
import { substitute } from './series.ts';

/** One end: the expression, its value for sorting, and whether it belongs to the set. */
export interface End {
  node: Node;
  value: number;
  closed: boolean;
}

export interface Piece {
  low: End;
  high: End;
}

/** Disjoint pieces in rising order. */
export interface Region {
  pieces: Piece[];
  /** The variable of an inequality. */
  variable?: string;
}

const infinity: Node = { op: 'const', name: 'inf' };
const below: End = { node: negative(infinity), value: Number.NEGATIVE_INFINITY, closed: false };
const above: End = { node: infinity, value: Number.POSITIVE_INFINITY, closed: false };

/** More pieces are not handled. */
const maxPieces = 64;

/** The region of an interval, a union, a set of points, \mathbb{R}; undefined where it is none or has variables in it. */
export function regionOfSet(node: Node): Region | undefined {
  const pieces = piecesOf(node);
  return pieces === undefined ? undefined : { pieces };
}

function piecesOf(node: Node): Piece[] | undefined {
  if (node.op === 'sym') return node.name === '\\R' ? [{ low: below, high: above }] : undefined;
  if (node.op === 'text') return undefined;
  if (node.op === 'bracket') return node.open === '{' ? points(node.items) : interval(node);
  if (node.op === 'relation' && node.signs.length === 1 && node.signs[0] === 'in')
    return piecesOf(node.sides[1]);
  if (node.op !== 'union' && node.op !== 'intersection' && node.op !== 'without') return undefined;
  const parts = node.args.map(piecesOf);
  const known = parts.filter((part) => part !== undefined);
  if (known.length !== parts.length) return undefined;
  if (node.op === 'union') return merged(known.flat());
  if (node.op === 'intersection') return known.reduce(intersection);
  return known.slice(1).reduce((rest, part) => intersection(rest, complement(part)), known[0]);
}

function points(items: readonly Node[]): Piece[] | undefined {
  const ends = items.map((item) => end(item, true));
  const known = ends.filter((one) => one !== undefined);
  return known.length === ends.length && known.length <= maxPieces
    ? merged(known.map((one) => ({ low: one, high: one })))
    : undefined;
}

function interval(node: Extract<Node, { op: 'bracket' }>): Piece[] | undefined {
  if (node.items.length !== 2 || node.open === '<') return undefined;
  const low = end(node.items[0], node.open === '[');
  const high = end(node.items[1], node.close === ']');
  if (low === undefined || high === undefined || low.value > high.value) return undefined;
  return [{ low, high }];
}

function end(node: Node, closed: boolean): End | undefined {
  const value = evaluate(node, new Map());
  return Number.isNaN(value)
    ? undefined
    : { node, value, closed: closed && Number.isFinite(value) };
}

/** Sorted, with pieces that touch or overlap joined. */
function merged(pieces: readonly Piece[]): Piece[] {
  const sorted = [...pieces].sort(
    (a, b) => a.low.value - b.low.value || Number(b.low.closed) - Number(a.low.closed),
  );
  const out: Piece[] = [];
  for (const piece of sorted.slice(0, maxPieces)) {
    const last = out.at(-1);
    const touches =
      last !== undefined &&
      (piece.low.value < last.high.value ||
        (equal(piece.low.value, last.high.value) && (piece.low.closed || last.high.closed)));
    if (last === undefined || !touches) out.push(piece);
    else if (further(piece.high, last.high))
      out[out.length - 1] = { low: last.low, high: piece.high };
  }
  return out;
}

function further(a: End, b: End): boolean {
  return equal(a.value, b.value) ? a.closed && !b.closed : a.value > b.value;
}

function equal(a: number, b: number): boolean {
  if (a === b || !Number.isFinite(a - b)) return a === b;
  return Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
}

function complement(pieces: readonly Piece[]): Piece[] {
  const out: Piece[] = [];
  let from = below;
  for (const { low, high } of pieces) {
    const gap = { low: from, high: { ...low, closed: !low.closed && Number.isFinite(low.value) } };
    if (
      gap.low.value < gap.high.value ||
      (gap.low.closed && gap.high.closed && equal(gap.low.value, gap.high.value))
    )
      out.push(gap);
    from = { ...high, closed: !high.closed && Number.isFinite(high.value) };
  }
  if (from.value < Number.POSITIVE_INFINITY) out.push({ low: from, high: above });
  return out;
}

function intersection(a: readonly Piece[], b: readonly Piece[]): Piece[] {
  return complement(merged([...complement(a), ...complement(b)]));
}

/** The region of an inequality in one variable, or of several joined by "and", "or" or commas. */
export function regionOfRelation(node: Node): Region | undefined {
  if (node.op === 'relation') return ofRelation(node);
  if (node.op !== 'list') return undefined;
  const parts = node.items.map(regionOfRelation);
  const known = parts.filter((part) => part !== undefined);
  const variables = new Set(known.map(({ variable }) => variable));
  if (known.length !== parts.length || variables.size > 1) return undefined;
  const pieces = known.map((part) => part.pieces);
  const all = pieces.reduce(intersection);
  // A comma means "and" where that leaves anything: "x > 1, x < 3", but "x < -1, x > 1".
  const either = node.joint === 'or' || (node.joint === ',' && all.length === 0);
  return { pieces: either ? merged(pieces.flat()) : all, variable: known[0].variable };
}

const flipped: Partial<Record<Sign, Sign>> = {
  '<': '>',
  '>': '<',
  '<=': '>=',
  '>=': '<=',
  '!=': '!=',
};

function ofRelation({ sides, signs }: Extract<Node, { op: 'relation' }>): Region | undefined {
  const links = signs.map((sign, i) => link(sides[i], sign, sides[i + 1]));
  const known = links.filter((one) => one !== undefined);
  if (known.length !== links.length || new Set(known.map(({ variable }) => variable)).size !== 1)
    return undefined;
  return {
    pieces: known.map((one) => one.pieces).reduce(intersection),
    variable: known[0].variable,
  };
}

/** One inequality, linear in its only variable. */
function link(left: Node, sign: Sign, right: Node): Required<Region> | undefined {
  if (flipped[sign] === undefined) return undefined;
  const bars = absolute(left, sign, right) ?? absolute(right, flipped[sign] ?? sign, left);
  if (bars !== undefined) return bars;
  const gap = sum(left, negative(right));
  const [variable, ...others] = variablesOf(gap);
  if (variable === undefined || others.length > 0) return undefined;
  const solved = root(gap, variable);
  if (solved === undefined) return undefined;
  const bound = end(solved.at, false);
  if (bound === undefined) return undefined;
  const direction = solved.slope < 0 ? (flipped[sign] ?? sign) : sign;
  const closed = { ...bound, closed: true };
  const halves: Partial<Record<Sign, Piece[]>> = {
    '<': [{ low: below, high: bound }],
    '<=': [{ low: below, high: closed }],
    '>': [{ low: bound, high: above }],
    '>=': [{ low: closed, high: above }],
    '!=': [
      { low: below, high: bound },
      { low: bound, high: above },
    ],
  };
  const pieces = halves[direction];
  return pieces === undefined ? undefined : { pieces, variable };
}

/** |x - 1| < 3 is -3 < x - 1 < 3; |x| > 3 has two sides. */
function absolute(left: Node, sign: Sign, right: Node): Required<Region> | undefined {
  if (left.op !== 'fn' || left.name !== 'abs' || variablesOf(right).size > 0) return undefined;
  const over = link(left.args[0], sign, right);
  const under = link(left.args[0], flipped[sign] ?? sign, negative(right));
  if (over === undefined || under === undefined) return undefined;
  const inside = sign === '<' || sign === '<=' || sign === '!=';
  const pieces = inside
    ? intersection(over.pieces, under.pieces)
    : merged([...over.pieces, ...under.pieces]);
  return { pieces, variable: over.variable };
}

/** Where an expression that is linear in its variable is zero, and the sign of its slope. */
function root(gap: Node, variable: string): { at: Node; slope: number } | undefined {
  const infinite = has(gap, (part) => part.op === 'const' && part.name === 'inf');
  const exact = infinite ? undefined : exactOf(gap);
  if (exact === undefined || poly.rational(exact.den) === undefined) return undefined;
  let slope = 0;
  for (const { coefficient, monomial } of exact.num.values()) {
    const power = monomial.get(variable);
    if (power === undefined) continue;
    if (monomial.size !== 1 || power.n !== 1n || power.d !== 1n) return undefined;
    slope = coefficient.n < 0n ? -1 : 1;
  }
  if (slope === 0) return undefined;
  const at = substitute(gap, variable, num(0));
  const factor = rationalOf({
    num: new Map(
      [...exact.num]
        .filter(([, { monomial }]) => monomial.size === 1 && monomial.has(variable))
        .map(([, term]) => ['', { coefficient: term.coefficient, monomial: new Map() }]),
    ),
    den: exact.den,
  });
  return factor === undefined
    ? undefined
    : { at: mul(negative(at), reciprocal(num(factor))), slope: factor.n < 0n ? -1 : 1 };
}
