// Sixty digits of a constant, real or complex, by the compute engine: what doubles cannot tell apart is told apart here.
// Only for expressions that are small enough to be evaluated at once; the rest is refused.
import { ComputeEngine } from '@cortex-js/compute-engine';
import { evaluate } from './evaluate.ts';
import { has, type Node, parts, sizeOf } from './node.ts';
import { toNumber } from './q.ts';

type MathJson = number | string | { num: string } | [string, ...MathJson[]];

const leastDigits = 60;
/** Digits of the engine that most comparisons use. */
const usualDigits = 100;
/** Constants that would need more digits to be told apart are not compared. */
const mostDigits = 1000;
const precisions = [usualDigits, 300, mostDigits];
/** Larger expressions are not evaluated: every function of the engine takes a millisecond. */
const mostNodes = 120;
/** Functions, roots and powers in one comparison. */
const mostFunctions = 16;
/** Exponents and arguments of factorials above this are not evaluated: the engine cannot be stopped while it does. */
const largest = 5000;

const engines = new Map<number, ComputeEngine>();

/** The engine for a number of digits; making one takes a tenth of a second. */
function engineFor(digits: number): ComputeEngine {
  const known = engines.get(digits);
  if (known !== undefined) return known;
  const made = new ComputeEngine();
  made.precision = digits;
  engines.set(digits, made);
  return made;
}

/** Makes the engines and lets them evaluate something: their first time takes a quarter of a second. */
export function warmDigits(): void {
  for (const digits of precisions)
    engineFor(digits)
      .box(['Sin', ['Sqrt', 2]])
      .N();
}

/**
 * Whether two constants are equal to all digits that their own numbers could make differ: sixty at least, and more where
 * large powers meet. Undefined where one cannot be evaluated, or where that would take too many digits.
 */
export function equalToDigits(a: Node, b: Node): boolean | undefined {
  if (has(a, isTooLarge) || has(b, isTooLarge)) return undefined;
  if (sizeOf(a) + sizeOf(b) > mostNodes) return undefined;
  if (functionsIn(a) + functionsIn(b) > mostFunctions) return undefined;
  const weight = weightOf(a) + weightOf(b);
  const digits = digitsFor(weight);
  if (digits === undefined) return undefined;
  const left = magnitude(a, digits);
  const right = left === undefined ? undefined : magnitude(b, digits);
  if (left === undefined || right === undefined) return undefined;
  const minus: Node = { op: 'num', value: { n: -1n, d: 1n } };
  const gap = magnitude({ op: 'add', args: [a, { op: 'mul', args: [minus, b] }] }, digits);
  if (gap === undefined) return undefined;
  const scale = Math.max(left, right, 10 ** -weight);
  return gap === 0 || gap <= scale * 10 ** (-0.75 * (digits - weight));
}

function functionsIn(node: Node): number {
  const own = node.op === 'fn' || node.op === 'root' || node.op === 'pow' ? 1 : 0;
  return parts(node).reduce((total, part) => total + functionsIn(part), own);
}

function digitsFor(weight: number): number | undefined {
  const wanted = leastDigits + 2 * weight;
  return precisions.find((digits) => wanted <= digits);
}

/** Decimal digits in the numbers of an expression, powers written out: what could hide a difference. */
function weightOf(node: Node): number {
  if (node.op === 'const') return 0.5;
  if (node.op === 'num') return decimals(node.value.n) + decimals(node.value.d);
  if (node.op === 'pow' && node.exponent.op === 'num') {
    return weightOf(node.base) * Math.max(1, Math.abs(toNumber(node.exponent.value)));
  }
  const inner = parts(node).reduce((total, part) => total + weightOf(part), 0);
  if (node.op !== 'fn' || !saturating.has(node.name)) return inner;
  // tanh 1000 is 1 but for the 869th digit.
  const sizes = node.args.map((arg) => Math.abs(evaluate(arg, new Map())));
  return inner + sizes.reduce((total, size) => total + size, 0);
}

const saturating = new Set(['tanh', 'coth', 'exp', 'sinh', 'cosh']);

function decimals(value: bigint): number {
  const size = value < 0n ? -value : value;
  return size < 1_000_000n
    ? Math.log10(Math.max(1, Number(size)))
    : size.toString(16).length * 1.21;
}

/** The absolute value of a constant; undefined where it has none. */
function magnitude(node: Node, digits: number): number | undefined {
  const value = engineFor(digits)
    .box(mathJson(node) as Parameters<ComputeEngine['box']>[0])
    .N();
  const { re, im } = value;
  return Number.isFinite(re) && Number.isFinite(im) ? Math.hypot(re, im) : undefined;
}

/** A complex exponent has no size here; its numbers have, where no power is among them. */
function isLargeExponent(exponent: Node): boolean {
  const size = Math.abs(evaluate(exponent, new Map()));
  if (!Number.isNaN(size)) return size > largest;
  return has(
    exponent,
    (part) =>
      (part.op === 'pow' && part.exponent.op !== 'num') ||
      (part.op === 'num' && Math.abs(toNumber(part.value)) > largest),
  );
}

function isTooLarge(node: Node): boolean {
  if (node.op === 'pow') return isLargeExponent(node.exponent);
  if (node.op === 'fn' && (node.name === 'factorial' || node.name === 'binom')) {
    return node.args.some(
      (arg) => arg.op !== 'num' || arg.value.d !== 1n || Math.abs(toNumber(arg.value)) > largest,
    );
  }
  return node.op === 'num' && node.value.n.toString(16).length > 2000;
}

const constants = {
  pi: 'Pi',
  e: 'ExponentialE',
  i: 'ImaginaryUnit',
  inf: 'PositiveInfinity',
} as const;

const heads: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    sin: 'Sin',
    cos: 'Cos',
    tan: 'Tan',
    cot: 'Cot',
    sec: 'Sec',
    csc: 'Csc',
    arcsin: 'Arcsin',
    arccos: 'Arccos',
    arctan: 'Arctan',
    arccot: 'Arccot',
    arcsec: 'Arcsec',
    arccsc: 'Arccsc',
    sinh: 'Sinh',
    cosh: 'Cosh',
    tanh: 'Tanh',
    coth: 'Coth',
    arsinh: 'Arsinh',
    arcosh: 'Arcosh',
    artanh: 'Artanh',
    ln: 'Ln',
    exp: 'Exp',
    abs: 'Abs',
    floor: 'Floor',
    ceil: 'Ceil',
    factorial: 'Factorial',
    binom: 'Binomial',
    max: 'Max',
    min: 'Min',
    sign: 'Sign',
  }),
);

/** An expression in the notation of the compute engine. */
function mathJson(node: Node): MathJson {
  switch (node.op) {
    case 'num':
      return node.value.d === 1n
        ? { num: node.value.n.toString() }
        : ['Divide', { num: node.value.n.toString() }, { num: node.value.d.toString() }];
    case 'const':
      return constants[node.name];
    case 'add':
      return ['Add', ...node.args.map(mathJson)];
    case 'mul':
      return ['Multiply', ...node.args.map(mathJson)];
    case 'pow':
      return ['Power', mathJson(node.base), mathJson(node.exponent)];
    case 'root':
      return ['Root', mathJson(node.radicand), mathJson(node.index)];
    case 'percent':
      return ['Divide', mathJson(node.arg), 100];
    case 'degree':
      return ['Divide', ['Multiply', mathJson(node.arg), 'Pi'], 180];
    case 'fn': {
      if (node.name === 'log')
        return [
          'Log',
          mathJson(node.args[0]),
          node.args[1] === undefined ? 10 : mathJson(node.args[1]),
        ];
      return [heads.get(node.name) ?? 'Undefined', ...node.args.map(mathJson)];
    }
    default:
      return 'Undefined';
  }
}
