// Polynomials with rational coefficients over atoms: variables, pi, e, i, roots of primes, and whatever else is kept whole.
// Exponents are rational; roots of primes and powers of i are reduced, so that zero is found to be zero. Every operation is
// bounded in the number of terms. Knows nothing of notation.

import type { Q } from './q.ts';
import * as q from './q.ts';

/** Exponents by atom. An atom `#p` is the prime p (exponents in [0, 1)); `i` is the imaginary unit (0 or 1). */
export type Monomial = ReadonlyMap<string, Q>;

export interface Term {
  coefficient: Q;
  monomial: Monomial;
}

/** Terms by the key of their monomial; no term is zero. */
export type Polynomial = ReadonlyMap<string, Term>;

/** Polynomials with more terms are not computed. */
const maxTerms = 600;

/** Raised where a result would be too large; the caller decides without an exact form. */
export class TooLarge extends Error {}

export const zero: Polynomial = new Map();
export const one: Polynomial = constant(q.one);

export function constant(value: Q): Polynomial {
  return value.n === 0n ? new Map() : new Map([['', { coefficient: value, monomial: new Map() }]]);
}

/** atom^exponent. */
export function atom(name: string, exponent: Q = q.one): Polynomial {
  return collect([reduced(q.one, new Map([[name, exponent]]))]);
}

export function add(a: Polynomial, b: Polynomial): Polynomial {
  return collect([...a.values(), ...b.values()]);
}

export function scale(a: Polynomial, factor: Q): Polynomial {
  return collect(
    [...a.values()].map((term) => ({
      ...term,
      coefficient: exactly(q.multiply(term.coefficient, factor)),
    })),
  );
}

export function subtract(a: Polynomial, b: Polynomial): Polynomial {
  return add(a, scale(b, q.minusOne));
}

export function multiply(a: Polynomial, b: Polynomial): Polynomial {
  if (a.size * b.size > maxTerms * 8) throw new TooLarge('too many terms');
  const terms: Term[] = [];
  for (const left of a.values()) {
    for (const right of b.values()) {
      terms.push(product(left, right));
    }
  }
  return collect(terms);
}

/** a to a non-negative integer power. */
export function power(a: Polynomial, exponent: number): Polynomial {
  if (a.size > 1 && exponent > 64) throw new TooLarge('a power too high');
  let result = one;
  let base = a;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiply(result, base);
    if (left > 1) base = multiply(base, base);
  }
  return result;
}

/** The only term of a polynomial that has one. */
export function singleTerm(a: Polynomial): Term | undefined {
  return a.size === 1 ? [...a.values()][0] : undefined;
}

/** The value of a polynomial without atoms. */
export function rational(a: Polynomial): Q | undefined {
  if (a.size === 0) return q.zero;
  return a.size === 1 ? a.get('')?.coefficient : undefined;
}

/** 1/term, as a term. */
export function invert({ coefficient, monomial }: Term): Polynomial {
  const exponents = new Map([...monomial].map(([name, exponent]) => [name, q.negate(exponent)]));
  return collect([reduced(exactly(q.inverse(coefficient)), exponents)]);
}

/** A spelling that is the same exactly for equal polynomials. */
export function keyOf(a: Polynomial): string {
  return [...a]
    .sort(([x], [y]) => (x < y ? -1 : 1))
    .map(([key, { coefficient }]) => `${q.keyOf(coefficient)}${key}`)
    .join('+');
}

/** The terms in the order of their keys. */
export function sorted(a: Polynomial): Term[] {
  return [...a].sort(([x], [y]) => (x < y ? -1 : 1)).map(([, term]) => term);
}

/** All atoms of a polynomial. */
export function atomsOf(a: Polynomial): Set<string> {
  return new Set([...a.values()].flatMap(({ monomial }) => [...monomial.keys()]));
}

function product(a: Term, b: Term): Term {
  const coefficient = exactly(q.multiply(a.coefficient, b.coefficient));
  if (a.monomial.size === 0) return { coefficient, monomial: b.monomial };
  if (b.monomial.size === 0) return { coefficient, monomial: a.monomial };
  const exponents = new Map(a.monomial);
  for (const [name, exponent] of b.monomial) {
    const before = exponents.get(name);
    exponents.set(name, before === undefined ? exponent : exactly(q.add(before, exponent)));
  }
  return reduced(coefficient, exponents);
}

/** Brings exponents of primes into [0, 1) and of i to 0 or 1; what comes out goes into the coefficient. */
function reduced(start: Q, exponents: Map<string, Q>): Term {
  let coefficient = start;
  const monomial = new Map<string, Q>();
  for (const [name, exponent] of exponents) {
    let rest = exponent;
    if (name.startsWith('#')) {
      const whole = q.floor(exponent);
      rest = exactly(q.add(exponent, q.integer(-whole)));
      if (whole !== 0n) {
        const base = q.integer(BigInt(name.slice(1)));
        coefficient = exactly(q.multiply(coefficient, exactly(q.power(base, whole))));
      }
    } else if (name === 'i' && q.isInteger(exponent)) {
      const turns = ((exponent.n % 4n) + 4n) % 4n;
      if (turns >= 2n) coefficient = q.negate(coefficient);
      rest = q.integer(turns % 2n);
    }
    if (rest.n !== 0n) monomial.set(name, rest);
  }
  return { coefficient, monomial };
}

function collect(terms: readonly Term[]): Polynomial {
  const sum = new Map<string, Term>();
  for (const term of terms) {
    const key = monomialKey(term.monomial);
    const before = sum.get(key);
    const coefficient =
      before === undefined
        ? term.coefficient
        : exactly(q.add(before.coefficient, term.coefficient));
    if (coefficient.n === 0n) sum.delete(key);
    else sum.set(key, { coefficient, monomial: term.monomial });
  }
  if (sum.size > maxTerms) throw new TooLarge('too many terms');
  return sum;
}

function monomialKey(monomial: Monomial): string {
  if (monomial.size === 0) return '';
  const names = [...monomial.keys()].sort();
  return names.map((name) => `*${name}^${q.keyOf(monomial.get(name) ?? q.zero)}`).join('');
}

function exactly(value: Q | undefined): Q {
  if (value === undefined) throw new TooLarge('a number too long, or a division by zero');
  return value;
}
