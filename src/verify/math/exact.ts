// The exact form of an expression: a quotient of two polynomials over atoms. Equal forms are equal values; where all atoms
// are independent (variables, roots of primes, pi, e, i) different forms are different values. Knows nothing of notation.
import { has, type Node } from './node.ts';
import * as poly from './polynomial.ts';
import { type Polynomial, TooLarge } from './polynomial.ts';
import type { Q } from './q.ts';
import * as q from './q.ts';

export interface Exact {
  num: Polynomial;
  den: Polynomial;
}

/** Factors of a radicand are searched up to this prime; a rest beyond its square stays one atom. */
const maxPrime = 2000n;

const maxFactorial = 600n;

/**
 * The exact form of an expression. Undefined where it has none here: infinity, division by zero, a form instead of a
 * value, or a result too large.
 */
export function exactOf(node: Node): Exact | undefined {
  if (has(node, ({ op }) => !scalars.has(op))) return undefined;
  try {
    return exact(node);
  } catch (error) {
    if (error instanceof TooLarge) return undefined;
    throw error;
  }
}

const scalars = new Set([
  'num',
  'sym',
  'const',
  'add',
  'mul',
  'pow',
  'root',
  'fn',
  'percent',
  'degree',
]);

/** Whether a and b are the same form: a.num b.den - b.num a.den is zero. Undefined where that is too large to tell. */
export function sameForm(a: Exact, b: Exact): boolean | undefined {
  const left = difference(a, b);
  return left && left.size === 0;
}

function difference(a: Exact, b: Exact): Polynomial | undefined {
  try {
    return poly.subtract(poly.multiply(a.num, b.den), poly.multiply(b.num, a.den));
  } catch (error) {
    if (error instanceof TooLarge) return undefined;
    throw error;
  }
}

/** Whether different forms over these atoms are different values: no atom is a function or a power kept whole. */
export function isDecidable({ num, den }: Exact): boolean {
  return [num, den].every((part) => [...poly.atomsOf(part)].every(isIndependent));
}

function isIndependent(name: string): boolean {
  if (name.startsWith('#')) return BigInt(name.slice(1)) <= maxPrime * maxPrime;
  return !name.startsWith('[');
}

/** The rational value, where the form is one. */
export function rationalOf({ num, den }: Exact): Q | undefined {
  const above = poly.rational(num);
  const below = poly.rational(den);
  const upside = below && q.inverse(below);
  return above && upside && q.multiply(above, upside);
}

/** A spelling of the form; equal keys are equal values, but one value may have several forms. */
export function exactKey({ num, den }: Exact): string {
  const lead = poly.sorted(den)[0];
  const upside = q.inverse(lead.coefficient) ?? q.one;
  const below = poly.keyOf(poly.scale(den, upside));
  const above = poly.keyOf(poly.scale(num, upside));
  return below === '1' ? above : `(${above})/(${below})`;
}

function exact(node: Node): Exact {
  switch (node.op) {
    case 'num':
      return whole(poly.constant(node.value));
    case 'sym':
      return whole(poly.atom(node.name));
    case 'const':
      if (node.name === 'inf') throw new TooLarge('infinity');
      return whole(poly.atom(node.name === 'i' ? 'i' : `\\${node.name}`));
    case 'add':
      return node.args.map(exact).reduce(add);
    case 'mul':
      return multiply(...node.args.map(exact));
    case 'percent':
      return multiply(exact(node.arg), whole(poly.constant({ n: 1n, d: 100n })));
    case 'degree':
      return multiply(
        exact(node.arg),
        whole(poly.atom('\\pi')),
        whole(poly.constant({ n: 1n, d: 180n })),
      );
    case 'pow':
      return powerOf(exact(node.base), node.exponent);
    case 'root': {
      const form = exact(node.index);
      const index = rationalOf(form);
      const exponent = index && q.inverse(index);
      const radicand = exact(node.radicand);
      if (exponent === undefined) return opaque('root', [radicand, form]);
      return rootOf(radicand, exponent, exponent.d % 2n === 1n);
    }
    case 'fn':
      return applied(node.name, node.args.map(exact));
    default:
      throw new TooLarge(`a ${node.op} is no single value`);
  }
}

function whole(num: Polynomial): Exact {
  return { num, den: poly.one };
}

function add(a: Exact, b: Exact): Exact {
  if (poly.keyOf(a.den) === poly.keyOf(b.den))
    return simpler({ num: poly.add(a.num, b.num), den: a.den });
  return simpler({
    num: poly.add(poly.multiply(a.num, b.den), poly.multiply(b.num, a.den)),
    den: poly.multiply(a.den, b.den),
  });
}

function multiply(...factors: Exact[]): Exact {
  return simpler({
    num: factors.map(({ num }) => num).reduce(poly.multiply),
    den: factors.map(({ den }) => den).reduce(poly.multiply),
  });
}

function inverse(a: Exact): Exact {
  if (a.num.size === 0) throw new TooLarge('a division by zero');
  return simpler({ num: a.den, den: a.num });
}

/** A denominator of one term goes into the numerator. */
function simpler({ num, den }: Exact): Exact {
  if (num.size === 0) return whole(poly.zero);
  const term = poly.singleTerm(den);
  if (term === undefined) return { num, den };
  return whole(poly.multiply(num, poly.invert(term)));
}

function powerOf(base: Exact, exponent: Node): Exact {
  const form = exact(exponent);
  const value = rationalOf(form);
  if (value === undefined) return exponential(base, form);
  if (q.isInteger(value)) return integerPower(base, value.n);
  return rootOf(base, value, value.d % 2n === 1n);
}

function integerPower(base: Exact, exponent: bigint): Exact {
  const value = rationalOf(base);
  if (value !== undefined) {
    if (value.n === 0n && exponent < 0n) throw new TooLarge('a division by zero');
    const result = q.power(value, exponent);
    // Too long to write out, but still a value: 10^(10^8) stays a power.
    return result === undefined
      ? opaque('pow', [base, whole(poly.constant(q.integer(exponent)))])
      : whole(poly.constant(result));
  }
  const size = exponent < 0n ? -exponent : exponent;
  if (size > 1000n) throw new TooLarge('a power too high');
  const raised = {
    num: poly.power(base.num, Number(size)),
    den: poly.power(base.den, Number(size)),
  };
  return exponent < 0n ? inverse(raised) : simpler(raised);
}

/** base to a power with variables or irrational numbers: split by the terms of the exponent, so that a^(x+1) = a a^x. */
function exponential(base: Exact, exponent: Exact): Exact {
  const name = exactKey(base);
  if (poly.rational(exponent.den) === undefined) return opaque('pow', [base, exponent]);
  const factors = poly.sorted(exponent.num).map(({ coefficient, monomial }): Exact => {
    if (monomial.size === 0) {
      return q.isInteger(coefficient)
        ? integerPower(base, coefficient.n)
        : rootOf(base, coefficient, false);
    }
    const key =
      poly.keyOf(new Map([['', { coefficient: q.one, monomial }]])) +
      [...monomial]
        .map(([atom, power]) => `${atom}^${q.keyOf(power)}`)
        .sort()
        .join('*');
    return whole(poly.atom(`[${name}^${key}]`, coefficient));
  });
  return multiply(whole(poly.one), ...factors);
}

/** base^exponent for a fraction. `real` takes the real root of a negative number where the degree is odd. */
function rootOf(base: Exact, exponent: Q, real: boolean): Exact {
  const above = rootOfPolynomial(base.num, exponent, real);
  const below = rootOfPolynomial(base.den, exponent, real);
  return multiply(above, inverse(below));
}

function rootOfPolynomial(base: Polynomial, exponent: Q, real: boolean): Exact {
  if (base.size === 0) {
    if (exponent.n <= 0n) throw new TooLarge('zero to a negative power');
    return whole(poly.zero);
  }
  const value = poly.rational(base);
  if (value !== undefined) return whole(rationalRoot(value, exponent, real));
  // The rational content comes out: sqrt(4 + 8x) = 2 sqrt(1 + 2x).
  const content = contentOf(base);
  const rest = poly.scale(base, q.inverse(content) ?? q.one);
  const outer = rationalRoot(content, exponent, true);
  const term = poly.singleTerm(rest);
  const lone =
    term !== undefined && term.coefficient.n === term.coefficient.d && term.monomial.size === 1
      ? [...term.monomial][0]
      : undefined;
  if (lone !== undefined && q.equal(lone[1], q.one) && lone[0] !== 'i') {
    return whole(poly.multiply(outer, poly.atom(lone[0], exponent)));
  }
  const steps = q.floor(exponent);
  const left = q.add(exponent, q.integer(-steps)) ?? exponent;
  const kept = poly.atom(
    `[${poly.keyOf(rest)}]^${q.keyOf({ n: 1n, d: left.d })}`,
    q.integer(left.n),
  );
  const inner = multiply(whole(outer), whole(kept));
  return steps === 0n ? inner : multiply(inner, integerPower(whole(rest), steps));
}

/** Greatest positive rational that divides all coefficients. */
function contentOf(base: Polynomial): Q {
  let n = 0n;
  let d = 1n;
  for (const { coefficient } of base.values()) {
    n = q.gcd(n, coefficient.n);
    d = (d / q.gcd(d, coefficient.d)) * coefficient.d;
  }
  return q.ratio(n, d) ?? q.one;
}

/** value^exponent as a product of roots of primes, with i for the square root of a negative number. */
function rationalRoot(value: Q, exponent: Q, real: boolean): Polynomial {
  let result = poly.one;
  let sign = 1n;
  if (value.n < 0n) {
    if (real && exponent.d % 2n === 1n) sign = exponent.n % 2n === 0n ? 1n : -1n;
    else if (exponent.d === 2n) result = poly.atom('i', q.integer(exponent.n));
    else throw new TooLarge('a root of a negative number');
  }
  const parts = [
    { number: value.n < 0n ? -value.n : value.n, exponent },
    { number: value.d, exponent: q.negate(exponent) },
  ];
  for (const { number, exponent: raised } of parts) {
    for (const [prime, count] of factors(number)) {
      const total = q.multiply(raised, q.integer(count));
      if (total === undefined) throw new TooLarge('an exponent too long');
      result = poly.multiply(result, poly.atom(`#${prime}`, total));
    }
  }
  return poly.scale(result, q.integer(sign));
}

function factors(value: bigint): [bigint, bigint][] {
  const found: [bigint, bigint][] = [];
  let left = value;
  for (
    let prime = 2n;
    prime <= maxPrime && prime * prime <= left;
    prime += prime === 2n ? 1n : 2n
  ) {
    let count = 0n;
    for (; left % prime === 0n; left /= prime) count++;
    if (count > 0n) found.push([prime, count]);
  }
  if (left > 1n) found.push(...unfactored(left));
  return found;
}

/** What is left may still be a perfect power: (10^9 + 7)^2. */
function unfactored(left: bigint): [bigint, bigint][] {
  for (const degree of [2n, 3n]) {
    const root = integerRoot(left, degree);
    if (root ** degree === left) return [[root, degree]];
  }
  return [[left, 1n]];
}

function integerRoot(value: bigint, degree: bigint): bigint {
  let low = 1n;
  let high = 1n << BigInt(Math.ceil((value.toString(16).length * 4) / Number(degree)) + 1);
  while (low < high) {
    const middle = (low + high + 1n) / 2n;
    if (middle ** degree <= value) low = middle;
    else high = middle - 1n;
  }
  return low;
}

/** A function whose value has no polynomial form is an atom of its own. */
function opaque(name: string, args: readonly Exact[]): Exact {
  return whole(poly.atom(`[${name}(${args.map(exactKey).join(',')})]`));
}

function applied(name: string, args: readonly Exact[]): Exact {
  const values = args.map(rationalOf);
  const [a, b] = values;
  switch (name) {
    case 'abs':
      if (a !== undefined) return whole(poly.constant(a.n < 0n ? q.negate(a) : a));
      break;
    case 'floor':
    case 'ceil':
      if (a !== undefined)
        return whole(
          poly.constant(q.integer(name === 'floor' ? q.floor(a) : -q.floor(q.negate(a)))),
        );
      break;
    case 'factorial':
      if (a !== undefined && q.isInteger(a) && a.n >= 0n && a.n <= maxFactorial)
        return whole(poly.constant(q.integer(factorial(a.n))));
      break;
    case 'binom':
      if (
        a !== undefined &&
        b !== undefined &&
        q.isInteger(a) &&
        q.isInteger(b) &&
        b.n >= 0n &&
        b.n <= maxFactorial
      ) {
        return whole(poly.constant(binomial(a.n, b.n)));
      }
      break;
    case 'gcd':
    case 'lcm':
    case 'max':
    case 'min': {
      const known = values.filter((value) => value !== undefined);
      if (known.length === values.length && known.length > 0)
        return whole(poly.constant(known.reduce(choosers[name])));
      break;
    }
    case 'exp':
      return exponential(whole(poly.atom('\\e')), args[0]);
    case 'ln':
      if (a !== undefined && q.equal(a, q.one)) return whole(poly.zero);
      break;
  }
  return opaque(name, args);
}

const choosers: Record<'gcd' | 'lcm' | 'max' | 'min', (a: Q, b: Q) => Q> = {
  gcd: (a, b) => q.integer(q.gcd(a.n, b.n)),
  lcm: (a, b) => q.integer(a.n === 0n ? 0n : (a.n / q.gcd(a.n, b.n)) * b.n),
  max: (a, b) => (q.order(a, b) >= 0 ? a : b),
  min: (a, b) => (q.order(a, b) <= 0 ? a : b),
};

function factorial(n: bigint): bigint {
  let product = 1n;
  for (let k = 2n; k <= n; k++) product *= k;
  return product;
}

function binomial(n: bigint, k: bigint): Q {
  let value = q.one;
  for (let j = 0n; j < k; j++) {
    const next = q.multiply(value, q.ratio(n - j, j + 1n) ?? q.zero);
    if (next === undefined) throw new TooLarge('a binomial too long');
    value = next;
  }
  return value;
}
