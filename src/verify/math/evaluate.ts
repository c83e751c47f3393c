// The value of an expression at a point, in doubles over the reals. NaN where it has none: a root of a negative number, a
// form instead of a value. Knows nothing of exact forms.
import { has, type Node, parts } from './node.ts';
import { toNumber } from './q.ts';

/** Values of the variables. */
export type Point = ReadonlyMap<string, number>;

export function evaluate(node: Node, point: Point): number {
  switch (node.op) {
    case 'num':
      return toNumber(node.value);
    case 'sym':
      return point.get(node.name) ?? Number.NaN;
    case 'const':
      return constants[node.name];
    case 'add':
      return node.args.reduce((total, arg) => total + evaluate(arg, point), 0);
    case 'mul':
      return node.args.reduce((total, arg) => total * evaluate(arg, point), 1);
    case 'pow':
      return raised(evaluate(node.base, point), node.exponent, point);
    case 'root':
      return rooted(evaluate(node.radicand, point), evaluate(node.index, point));
    case 'percent':
      return evaluate(node.arg, point) / 100;
    case 'degree':
      return (evaluate(node.arg, point) * Math.PI) / 180;
    case 'fn':
      return applied(
        node.name,
        node.args.map((arg) => evaluate(arg, point)),
      );
    default:
      return Number.NaN;
  }
}

const constants = { pi: Math.PI, e: Math.E, i: Number.NaN, inf: Number.POSITIVE_INFINITY };

/** A negative base to a fraction with an odd denominator has a real power. */
function raised(base: number, exponent: Node, point: Point): number {
  const value = evaluate(exponent, point);
  if (base >= 0 || Number.isInteger(value)) return base ** value;
  const fraction = fractionOf(exponent);
  if (fraction === undefined || fraction.d % 2n === 0n) return Number.NaN;
  return (fraction.n % 2n === 0n ? 1 : -1) * (-base) ** value;
}

/** n/d where the exponent is written as such. */
function fractionOf(node: Node): { n: bigint; d: bigint } | undefined {
  if (node.op === 'num') return node.value;
  if (node.op !== 'mul' || node.args.length !== 2) return undefined;
  const [above, below] = node.args;
  if (above.op !== 'num' || below.op !== 'pow' || below.base.op !== 'num') return undefined;
  return { n: above.value.n, d: below.base.value.n };
}

function rooted(radicand: number, index: number): number {
  if (radicand < 0) return Math.abs(index % 2) === 1 ? -((-radicand) ** (1 / index)) : Number.NaN;
  return index === 2
    ? Math.sqrt(radicand)
    : index === 3
      ? Math.cbrt(radicand)
      : radicand ** (1 / index);
}

/** Beyond this a double says nothing of the angle. */
const largestAngle = 1e6;

function angular(f: (x: number) => number): (x: number) => number {
  return (x) => (Math.abs(x) > largestAngle ? Number.NaN : f(x));
}

const functions: ReadonlyMap<string, (...args: number[]) => number> = new Map(
  Object.entries<(...args: number[]) => number>({
    sin: angular(Math.sin),
    cos: angular(Math.cos),
    tan: angular(Math.tan),
    cot: (x) => 1 / Math.tan(x),
    sec: (x) => 1 / Math.cos(x),
    csc: (x) => 1 / Math.sin(x),
    arcsin: Math.asin,
    arccos: Math.acos,
    arctan: Math.atan,
    arccot: (x) => Math.PI / 2 - Math.atan(x),
    arcsec: (x) => Math.acos(1 / x),
    arccsc: (x) => Math.asin(1 / x),
    sinh: Math.sinh,
    cosh: Math.cosh,
    tanh: Math.tanh,
    coth: (x) => 1 / Math.tanh(x),
    arsinh: Math.asinh,
    arcosh: Math.acosh,
    artanh: Math.atanh,
    ln: (x) => (x < 0 ? Number.NaN : Math.log(x)),
    log: (x, base = 10) => (base === 10 ? Math.log10(x) : Math.log(x) / Math.log(base)),
    exp: Math.exp,
    abs: Math.abs,
    floor: Math.floor,
    ceil: Math.ceil,
    sign: Math.sign,
    max: Math.max,
    min: Math.min,
    factorial: (x) => (Number.isInteger(x) && x >= 0 && x <= 170 ? product(x) : Number.NaN),
    binom: (n, k) =>
      Number.isInteger(k) && k >= 0 && k <= 170 ? falling(n, k) / product(k) : Number.NaN,
  }),
);

function applied(name: string, args: number[]): number {
  return functions.get(name)?.(...args) ?? Number.NaN;
}

function product(n: number): number {
  let value = 1;
  for (let k = 2; k <= n; k++) value *= k;
  return value;
}

function falling(n: number, k: number): number {
  let value = 1;
  for (let j = 0; j < k; j++) value *= n - j;
  return value;
}

/** The largest absolute value among the parts of an expression; parts without one do not count. */
export function largestPart(node: Node, point: Point): number {
  const inner = parts(node).map((part) => largestPart(part, point));
  const value = Math.abs(evaluate(node, point));
  return Math.max(0, ...inner, Number.isFinite(value) ? value : 0);
}

/** The variables of an expression. */
export function variablesOf(node: Node, into = new Set<string>()): Set<string> {
  if (node.op === 'sym') into.add(node.name);
  for (const part of parts(node)) variablesOf(part, into);
  return into;
}

/** The variables of two expressions, in order. */
export function variablesOfBoth(a: Node, b: Node): string[] {
  return [...variablesOf(b, variablesOf(a))].sort();
}

/** Whether the imaginary unit occurs. */
export function isComplex(node: Node): boolean {
  return has(node, (part) => part.op === 'const' && part.name === 'i');
}
