// Random expressions for the tests of the math kind: made, rewritten by identities, spoilt by one slip, evaluated in
// doubles. Shares no code with what is tested.
import type { RandomStream } from '../../../core/random.ts';

export type Expression =
  | { op: 'number'; n: number; d: number }
  | { op: 'symbol'; name: string }
  | { op: 'sum'; args: readonly Expression[] }
  | { op: 'product'; args: readonly Expression[] }
  | { op: 'quotient'; above: Expression; below: Expression }
  | { op: 'power'; base: Expression; exponent: number }
  | { op: 'root'; of: Expression }
  | { op: 'call'; name: 'sin' | 'cos' | 'exp'; of: Expression };

/** `surd` is a number with square roots and pi; the others are of variables, `function` with sines and exponentials. */
export type Family = 'polynomial' | 'rational' | 'surd' | 'function';

export const families: readonly Family[] = ['polynomial', 'rational', 'surd', 'function'];

export function number(n: number, d = 1): Expression {
  return { op: 'number', n, d };
}

const minusOne = number(-1);

function sum(...args: Expression[]): Expression {
  return { op: 'sum', args };
}

function product(...args: Expression[]): Expression {
  return { op: 'product', args };
}

function quotient(above: Expression, below: Expression): Expression {
  return { op: 'quotient', above, below };
}

const names = ['sin', 'cos', 'exp'] as const;

function call(name: (typeof names)[number], of: Expression): Expression {
  return { op: 'call', name, of };
}

export function evaluate(e: Expression, at: Readonly<Record<string, number>>): number {
  switch (e.op) {
    case 'number':
      return e.n / e.d;
    case 'symbol':
      return e.name === 'pi' ? Math.PI : (at[e.name] ?? Number.NaN);
    case 'sum':
      return e.args.reduce((total, arg) => total + evaluate(arg, at), 0);
    case 'product':
      return e.args.reduce((total, arg) => total * evaluate(arg, at), 1);
    case 'quotient':
      return evaluate(e.above, at) / evaluate(e.below, at);
    case 'power':
      return evaluate(e.base, at) ** e.exponent;
    case 'root':
      return Math.sqrt(evaluate(e.of, at));
    case 'call':
      return Math[e.name](evaluate(e.of, at));
  }
}

const points = [
  { x: 0.7, y: 1.9, a: -1.3 },
  { x: -2.3, y: 0.41, a: 1.7 },
  { x: 3.1, y: -1.13, a: 0.37 },
  { x: 1.37, y: 2.71, a: 4.1 },
];

/** Whether there is a sine, a cosine or an exponential. */
export function hasCalls(e: Expression): boolean {
  return e.op === 'call' || partsOf(e).some(hasCalls);
}

/** Whether both have values at two points at least: else they are not fit for a test. */
export function haveValues(a: Expression, b: Expression): boolean {
  return points.filter((at) => gap(a, b, at) !== undefined).length >= 2;
}

/** Whether the values differ by far more than rounding. */
export function differ(a: Expression, b: Expression): boolean {
  return points.some((at) => (gap(a, b, at) ?? 0) > 1e-6);
}

function gap(a: Expression, b: Expression, at: Readonly<Record<string, number>>) {
  const [x, y] = [evaluate(a, at), evaluate(b, at)];
  if (!(Math.abs(x) < 1e9 && Math.abs(y) < 1e9)) return undefined;
  return Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y), 1);
}

/** A random expression; `depth` counts the levels of operations. */
export function randomExpression(family: Family, depth: number, random: RandomStream): Expression {
  if (depth === 0) return leaf(family, random);
  const next = () => randomExpression(family, depth - 1, random);
  if (family === 'function' && random.below(3) === 0) {
    // Not of each other: the digits of sin(e^(e^x)) are lost in doubles.
    return call(
      names[random.below(3)],
      randomExpression('polynomial', Math.min(1, depth - 1), random),
    );
  }
  const shape = random.below(family === 'polynomial' ? 5 : 6);
  if (shape < 2) return sum(...Array.from({ length: 2 + random.below(2) }, next));
  if (shape < 4) return product(next(), next());
  if (shape === 4)
    return { op: 'power', base: next(), exponent: 2 + random.below(depth > 1 ? 1 : 3) };
  return quotient(next(), next());
}

function leaf(family: Family, random: RandomStream): Expression {
  const kind = random.below(6);
  if (kind === 0) return number(1 + random.below(9), 2 + random.below(8));
  if (kind < 3) return number(random.below(2) === 0 ? -1 - random.below(9) : 1 + random.below(12));
  if (family === 'surd') {
    if (kind === 3) return { op: 'symbol', name: 'pi' };
    return { op: 'root', of: number(2 + random.below(30)) };
  }
  return { op: 'symbol', name: ['x', 'x', 'y', 'a'][random.below(4)] };
}

/** The same value written differently: parts are expanded, factored, commuted, split, and cancelling parts put in. */
export function rewritten(e: Expression, random: RandomStream): Expression {
  const inner = withParts(e, (part) => rewritten(part, random));
  return random.below(2) === 0 ? inner : rule(inner, random);
}

function withParts(e: Expression, change: (part: Expression) => Expression): Expression {
  switch (e.op) {
    case 'number':
    case 'symbol':
      return e;
    case 'sum':
    case 'product':
      return { op: e.op, args: e.args.map(change) };
    case 'quotient':
      return quotient(change(e.above), change(e.below));
    case 'power':
      return { ...e, base: change(e.base) };
    case 'root':
    case 'call':
      return { ...e, of: change(e.of) };
  }
}

function rule(e: Expression, random: RandomStream): Expression {
  if (random.below(8) === 0) return anyRule(e, random);
  switch (e.op) {
    case 'number':
      return numberRule(e, random);
    case 'sum':
      return sumRule(e.args, random);
    case 'product':
      return productRule(e.args, random);
    case 'quotient':
      return quotientRule(e.above, e.below, random);
    case 'power':
      return product(e.base, ...Array.from({ length: e.exponent - 1 }, () => e.base));
    case 'root':
      return rootRule(e, random);
    case 'call':
      return callRule(e, random);
    default:
      return e;
  }
}

function anyRule(e: Expression, random: RandomStream): Expression {
  const k = number(2 + random.below(5));
  return [
    product(minusOne, product(minusOne, e)),
    sum(e, k, product(minusOne, k)),
    quotient(product(k, e), k),
    sum(product(k, e), product(sum(number(1), product(minusOne, k)), e)),
  ][random.below(4)];
}

function numberRule(e: { n: number; d: number }, random: RandomStream): Expression {
  const k = 2 + random.below(5);
  if (random.below(2) === 0) return number(e.n * k, e.d * k);
  return sum(number(k), number(e.n - k * e.d, e.d));
}

function sumRule(args: readonly Expression[], random: RandomStream): Expression {
  const shuffled = random.shuffled(args);
  if (random.below(2) === 0) return sum(...shuffled);
  const k = 2 + random.below(3);
  // A common factor taken out.
  return product(number(k), sum(...shuffled.map((arg) => quotient(arg, number(k)))));
}

function productRule(args: readonly Expression[], random: RandomStream): Expression {
  const shuffled = random.shuffled(args);
  const at = shuffled.findIndex(({ op }) => op === 'sum');
  const found = shuffled[at];
  if (found?.op !== 'sum') return product(...shuffled);
  const rest = shuffled.filter((_, i) => i !== at);
  return sum(...found.args.map((arg) => product(...rest, arg)));
}

function quotientRule(above: Expression, below: Expression, random: RandomStream): Expression {
  const k = number(2 + random.below(5));
  if (above.op === 'sum' && random.below(2) === 0) {
    return sum(...above.args.map((arg) => quotient(arg, below)));
  }
  return [
    product(above, quotient(number(1), below)),
    quotient(product(minusOne, above), product(below, minusOne)),
    quotient(product(k, above), product(k, below)),
  ][random.below(3)];
}

function rootRule(e: Extract<Expression, { op: 'root' }>, random: RandomStream): Expression {
  if (e.of.op !== 'number') return e;
  const k = 2 + random.below(3);
  if (random.below(2) === 0) {
    return quotient({ op: 'root', of: number(e.of.n * k * k, e.of.d) }, number(k));
  }
  return quotient(e.of, e);
}

function callRule(
  { name, of }: Extract<Expression, { op: 'call' }>,
  random: RandomStream,
): Expression {
  const half = quotient(of, number(2));
  const square = (base: Expression): Expression => ({ op: 'power', base, exponent: 2 });
  const rightAngle = quotient({ op: 'symbol', name: 'pi' }, number(2));
  const minus = product(minusOne, of);
  const k = number(1 + random.below(3));
  const rules = {
    sin: [
      call('cos', sum(rightAngle, minus)),
      product(number(2), call('sin', half), call('cos', half)),
      product(minusOne, call('sin', minus)),
    ],
    cos: [
      sum(number(1), product(number(-2), square(call('sin', half)))),
      call('cos', minus),
      call('sin', sum(of, rightAngle)),
    ],
    exp: [
      square(call('exp', half)),
      quotient(number(1), call('exp', minus)),
      product(call('exp', k), call('exp', sum(of, product(minusOne, k)))),
    ],
  };
  return rules[name][random.below(3)];
}

/** One slip somewhere: a number, a sign, an exponent or an operation. Its value may still be the same: see `differ`. */
export function spoilt(e: Expression, random: RandomStream): Expression {
  const parts = partsOf(e);
  const chosen = random.below(parts.length + 1);
  if (chosen === parts.length || e.op === 'root') return slip(e, random);
  let at = 0;
  return withParts(e, (part) => (at++ === chosen ? spoilt(part, random) : part));
}

function partsOf(e: Expression): readonly Expression[] {
  const parts: Expression[] = [];
  withParts(e, (part) => {
    parts.push(part);
    return part;
  });
  return parts;
}

function slip(e: Expression, random: RandomStream): Expression {
  switch (e.op) {
    case 'number':
      return random.below(2) === 0 ? number(-e.n, e.d) : number(e.n + 1, e.d);
    case 'symbol':
      return random.below(2) === 0
        ? product(minusOne, e)
        : { ...e, name: e.name === 'x' ? 'y' : 'x' };
    case 'sum':
      return sum(product(minusOne, e.args[0]), ...e.args.slice(1));
    case 'product':
      return e.args.length > 1 ? product(...e.args.slice(1)) : product(minusOne, e);
    case 'quotient':
      return quotient(e.below, e.above);
    case 'power':
      return { ...e, exponent: e.exponent + 1 };
    case 'call':
      return call(names[(names.indexOf(e.name) + 1) % 3], e.of);
    case 'root':
      return e.of.op === 'number' ? { op: 'root', of: number(e.of.n + 1, e.of.d) } : e.of;
  }
}
