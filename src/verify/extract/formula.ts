// Formulas in a text: $..$, $$..$$, \(..\), \[..\] and environments. Tells a formula from amounts of money by the rules of
// Pandoc's Markdown and a few more. Knows nothing of what a formula means, except where its last side begins.
import { type Span, trimmed } from './span.ts';

export interface Formula extends Span {
  /** The inside without the delimiters; an environment on its own keeps its \begin and \end. */
  inner: Span;
  display: boolean;
}

const environments =
  /^(?:equation|align|aligned|alignat|gather|gathered|multline|split|eqnarray|cases|array|[pbBvV]?matrix|smallmatrix|displaymath|math)\*?$/u;

/** Environments whose rows are steps of one derivation. */
const derivation =
  /^\\begin\{(equation|align|aligned|gather|gathered|split|eqnarray)(\*?)\}(?:\{[^{}]{0,16}\})?/u;

const token = /\\begin\{([A-Za-z]{1,12}\*?)\}|\\[\s\S]|\$\$?/gu;

/** Longest formula, in UTF-16 units. */
const maxFormula = 8192;

/** The next place of a closing delimiter, each part of the text searched once per delimiter. */
class Closers {
  readonly #text: string;
  readonly #found = new Map<string, number>();

  constructor(text: string) {
    this.#text = text;
  }

  next(closer: string, from: number): number {
    const known = this.#found.get(closer);
    if (known !== undefined && known >= from) return known;
    const at = this.#text.indexOf(closer, from);
    const found = at < 0 ? Number.POSITIVE_INFINITY : at;
    this.#found.set(closer, found);
    return found;
  }
}

/** The formulas between `start` and `end`, in order, without overlap. Linear in the length. */
export function formulasIn(text: string, start: number, end: number): Formula[] {
  const part = text.slice(start, end);
  const closers = new Closers(part);
  const found: Formula[] = [];
  const search = new RegExp(token);
  for (let match = search.exec(part); match !== null; match = search.exec(part)) {
    const formula = formulaAt(part, match, closers);
    if (formula === undefined) {
      // A `$$` that opens nothing may still end in a `$` that does.
      if (match[0] === '$$') search.lastIndex = match.index + 1;
      continue;
    }
    search.lastIndex = formula.end;
    if (formula.inner.start < formula.inner.end) found.push(shifted(formula, start));
  }
  return found;
}

function shifted(formula: Formula, by: number): Formula {
  const inner = { start: formula.inner.start + by, end: formula.inner.end + by };
  return { ...formula, start: formula.start + by, end: formula.end + by, inner };
}

function formulaAt(part: string, match: RegExpExecArray, closers: Closers): Formula | undefined {
  const at = match.index;
  const opener = match[0];
  if (opener === '\\[' || opener === '\\(') {
    return delimited(part, at, 2, closers.next(opener === '\\[' ? '\\]' : '\\)', at + 2));
  }
  if (opener === '$$') {
    const close = closers.next('$$', at + 2);
    // "$$$" at the end: the inner formula ends in a brace or the like, never in a dollar sign.
    return delimited(part, at, 2, close);
  }
  if (opener === '$') {
    const close = closingDollar(part, at + 1, closers);
    return isMoney(part, at, close) ? undefined : delimited(part, at, 1, close);
  }
  const name = match[1];
  if (name === undefined || !environments.test(name)) return undefined;
  const closer = `\\end{${name}}`;
  const close = closers.next(closer, at);
  if (close - at > maxFormula) return undefined;
  const whole = { start: at, end: close + closer.length };
  return { ...whole, inner: whole, display: true };
}

function delimited(part: string, at: number, size: number, close: number): Formula | undefined {
  if (close - at > maxFormula) return undefined;
  const inner = trimmed(part, at + size, close);
  // A paragraph ends every formula: the delimiter was a stray one.
  if (/\n[ \t\r]*\n/u.test(part.slice(inner.start, inner.end))) return undefined;
  const display = size === 2 && part[at + 1] !== '(';
  return { start: at, end: close + size, inner, display };
}

function closingDollar(part: string, from: number, closers: Closers): number {
  let close = closers.next('$', from);
  while (close < part.length && part[close - 1] === '\\') close = closers.next('$', close + 1);
  return close;
}

/** "$5 and $6", "$3-$4", "$12, which is more than "$10"": a dollar sign before an amount opens no formula. */
function isMoney(part: string, at: number, close: number): boolean {
  if (close - at > maxFormula) return true;
  const inside = part.slice(at + 1, close);
  if (inside === '') return true;
  if (!/^\s{0,2}\d/u.test(inside)) return false;
  if (/^\d/u.test(inside) && /\s$/u.test(inside)) return true;
  if (/^\d/u.test(part.slice(close + 1, close + 2))) return true;
  return !inside.includes('\\') && (inside.match(/\p{L}{3,}/gu) ?? []).length >= 2;
}

/** The last side of a formula that is a chain. */
export interface LastSide extends Span {
  /** The whole is a derivation and only its last side is an answer: rows of steps, an arrow, a side that is rounded too. */
  derived: boolean;
}

const sideToken =
  /\\(?:approx|simeq|implies|Rightarrow|Longrightarrow|rightarrow|therefore|iff|quad|qquad|text)(?![A-Za-z])|\\begin\{|\\end\{|\\[\s\S]|[{}()[\],;]|(?<![<>!:=])=(?!=)|\u2248|(?<!\p{L})(?:or|and)(?!\p{L})/gu;

const opening = /^(?:\\?\{|[([]|\\begin\{)$/u;
const closing = /^(?:\\?\}|[)\]]|\\end\{)$/u;
const arrow = /^\\(?:implies|Rightarrow|Longrightarrow|rightarrow|therefore|iff)$/u;
const relation = /^(?:=|\u2248|\\approx|\\simeq)$/u;
const separator = /^(?:[,;]|or|and|\\q?quad|\\text|\\\\)$/u;

/**
 * What stands behind the last top-level arrow between `start` and `end`, or else behind the last `=` or `\approx`;
 * undefined where there is none and for a list of assignments ("x = 1, y = 2"), which has no last side.
 */
export function lastSide(text: string, start: number, end: number): LastSide | undefined {
  const inner = insideDerivation(text, trimmed(text, start, end));
  const part = text.slice(inner.start, inner.end);
  let depth = 0;
  let side = -1;
  let derived = false;
  let implied = false;
  let separated = false;
  let rounded = false;
  for (const { 0: found, index } of part.matchAll(sideToken)) {
    if (opening.test(found)) depth++;
    else if (closing.test(found)) depth--;
    else if (depth !== 0) continue;
    else if (arrow.test(found)) {
      side = index + found.length;
      implied = true;
    } else if (relation.test(found) && !implied) {
      if (separated) return undefined;
      // "a = b \approx c": what is exact stays with what is rounded.
      rounded = side >= 0 && found !== '=';
      if (rounded) continue;
      side = index + found.length;
      derived = startsRow(part, index);
    } else if (side >= 0 && separator.test(found)) separated ||= !continues(part, index);
  }
  if (side < 0) return undefined;
  const last = trimmed(text, inner.start + side, inner.end);
  return last.start === last.end ? undefined : { ...last, derived: derived || implied || rounded };
}

/** Whether the row after a line break at `index` goes on with a relation: "a &= b \\ &= c". */
function continues(part: string, index: number): boolean {
  return /^\\\\(?:\[[^\]]{0,8}\])?\s{0,40}&?\s{0,8}(?:=|\\approx|\\simeq|$)/u.test(
    part.slice(index, index + 80),
  );
}

/** Whether the relation at `sign` is the first thing in its row. */
function startsRow(part: string, sign: number): boolean {
  return /\\\\(?:\[[^\]]{0,8}\])?\s{0,40}&?\s{0,8}$/u.test(
    part.slice(Math.max(0, sign - 80), sign),
  );
}

function insideDerivation(text: string, span: Span): Span {
  const head = derivation.exec(text.slice(span.start, Math.min(span.end, span.start + 64)));
  if (head === null) return span;
  const close = `\\end{${head[1] ?? ''}${head[2] ?? ''}}`;
  if (!text.slice(span.start, span.end).endsWith(close)) return span;
  return trimmed(text, span.start + head[0].length, span.end - close.length);
}
