// Compares two answers of any form. Knows which forms can be the same thing written differently, and leaves the comparison
// of two expressions to scalar.ts. Swapping the two sides never changes a finding.
import type { Answer, Items } from './answer.ts';
import { compareEquations } from './equations.ts';
import { evaluate } from './evaluate.ts';
import { has, type Node, unnamedVariable } from './node.ts';
import { compareValues } from './quantity.ts';
import type { Region } from './region.ts';
import { compareScalars, type Finding, type Tolerance } from './scalar.ts';

/** How answers are compared. */
export interface Comparison {
  tolerance: Tolerance;
  /** `value`: "x = 5" is 5. `whole`: an equation is one only to another equation. */
  equations: 'value' | 'whole';
  /** `optional`: a unit, a currency or a percent sign that one side leaves out does not matter. */
  units: 'optional' | 'required';
}

/** Longer lists are not compared item by item. */
const maxItems = 512;
/** Longer lists without an order are not compared: every item may be any other. */
const maxUnordered = 128;

export function compareAnswers(a: Answer, b: Answer, how: Comparison): Finding {
  if (a.form === 'text' || b.form === 'text') return texts(a, b);
  if (a.form === 'value' && b.form === 'value') return compareValues(a, b, how);
  if (a.form === 'items' && b.form === 'items') return itemLists(a, b, how);
  return mixed(a, b, how) ?? mixed(b, a, how) ?? form(a, b);
}

function form(a: Answer, b: Answer): Finding {
  const [x, y] = [nameOf(a), nameOf(b)].sort();
  return {
    same: false,
    rung: 'form',
    reason: x === y ? `another ${x}` : `one is ${x}, the other ${y}`,
  };
}

/** The form of an answer for a person. */
export function nameOf(answer: Answer): string {
  if (answer.form === 'items')
    return { list: 'list', set: 'set', tuple: 'tuple', square: 'list', half: 'interval' }[
      answer.kind
    ];
  if (answer.form === 'value')
    return has(answer.node, ({ op }) => op === 'sym') ? 'expression' : 'number';
  return answer.form === 'region' ? 'set of numbers' : answer.form;
}

function texts(a: Answer, b: Answer): Finding {
  if (a.form !== 'text' || b.form !== 'text') {
    const text = a.form === 'text' ? a : b;
    const opaque = text.form === 'text' && /\\[a-z]|[\d=^]/.test(text.text);
    if (isAllReals(a) && isAllReals(b))
      return { same: true, rung: 'text', reason: 'all real numbers' };
    return opaque
      ? { same: undefined, rung: 'unreadable', reason: 'one side could not be read as mathematics' }
      : { same: false, rung: 'form', reason: 'one is text, the other is not' };
  }
  const same = a.phrase === undefined ? a.text === b.text : a.phrase === b.phrase;
  if (same && a.text !== '') return { same, rung: 'text', reason: 'the same text' };
  const opaque = [a, b].every(({ text }) => /\\[a-z]|[=^]/.test(text));
  return opaque
    ? { same: undefined, rung: 'unreadable', reason: 'neither side could be read as mathematics' }
    : { same: false, rung: 'text', reason: 'another text' };
}

function isAllReals(answer: Answer): boolean {
  if (answer.form === 'text') return answer.phrase === 'reals';
  const region = regionOf(answer);
  const [piece] = region?.pieces ?? [];
  return (
    region?.pieces.length === 1 &&
    piece.low.value === Number.NEGATIVE_INFINITY &&
    piece.high.value === Number.POSITIVE_INFINITY
  );
}

/** Different forms of one thing; undefined where these two are not such. */
function mixed(a: Answer, b: Answer, how: Comparison): Finding | undefined {
  switch (a.form) {
    case 'items':
      return itemsAnd(a, b, how);
    case 'region':
      return b.form === 'region' ? regions(a.region, b.region, how) : undefined;
    case 'equation':
      return b.form === 'equation' || b.form === 'value'
        ? compareEquations(a.node, b, how)
        : undefined;
    case 'assignments':
      if (b.form === 'assignments') return assignments(a.values, b.values, how);
      return b.form === 'value' && b.label === undefined ? sameOfAll(a.values, b, how) : undefined;
    case 'matrix':
      return b.form === 'matrix' ? matrices(a.rows, b.rows, how) : undefined;
    case 'ratio':
      return ratio(a.items, b, how);
    case 'based':
      return based(a, b);
    default:
      return undefined;
  }
}

function itemsAnd(a: Items, b: Answer, how: Comparison): Finding | undefined {
  if (b.form === 'region') {
    const region = regionOf(a);
    return region === undefined ? undefined : regions(region, b.region, how);
  }
  if (b.form === 'assignments') {
    const items = inNameOrder(b.values);
    // x_1 and x_2 are solutions of one equation: which is which does not matter.
    const indexed =
      new Set([...b.values.keys()].map((name) => name.replace(/_\d+$/, ''))).size === 1;
    const [base] = [...b.values.keys()].map((name) => name.replace(/_\d+$/, ''));
    if (a.label !== undefined && !(indexed && a.label === base)) {
      return { same: false, rung: 'assignment', reason: 'other variables' };
    }
    if (indexed && (a.kind === 'list' || a.kind === 'set')) {
      return anyOrder(a, { form: 'items', kind: 'list', items }, how);
    }
    return a.kind === 'set' ? undefined : inOrder(a.items, items, how, 'assignment');
  }
  if (b.form === 'matrix') return vector(a, b.rows, how);
  if (b.form === 'equation') return undefined;
  // A set or list of one item is that item: x \in \{5\} is 5.
  if (a.items.length === 1 && a.kind !== 'tuple') return compareAnswers(a.items[0], b, how);
  return sameThroughout(a, b, how);
}

/** "0.5 or 1/2": one value said twice. */
function sameThroughout(a: Items, b: Answer, how: Comparison): Finding | undefined {
  if (a.kind !== 'list' || a.items.length !== 2) return undefined;
  const [first, second] = a.items;
  if (compareAnswers(first, second, how).same !== true) return undefined;
  return compareAnswers(first, b, how);
}

/** "x = y = 0" against 0. */
function sameOfAll(values: Map<string, Answer>, b: Answer, how: Comparison): Finding | undefined {
  const [first, ...others] = values.values();
  if (
    first === undefined ||
    others.some((other) => compareAnswers(first, other, how).same !== true)
  )
    return undefined;
  return compareAnswers(first, b, how);
}

/** x, y and z have an order of their own; other names stand in the order of writing. */
function inNameOrder(values: Map<string, Answer>): Answer[] {
  const names = [...values.keys()];
  if (names.every((name) => name.length === 1)) names.sort();
  return names.flatMap((name) => values.get(name) ?? []);
}

function itemLists(a: Items, b: Items, how: Comparison): Finding {
  if (a.label !== undefined && b.label !== undefined && a.label !== b.label) {
    return { same: false, rung: 'set', reason: 'other variables' };
  }
  if (a.kind === b.kind) {
    return a.kind === 'list' || a.kind === 'set' ? anyOrder(a, b, how) : bracketed(a, b, how);
  }
  const kinds = new Set([a.kind, b.kind]);
  if (kinds.has('half') || (kinds.has('tuple') && kinds.has('square') && a.items.length === 2)) {
    const [x, y] = [a.region, b.region];
    if (x !== undefined && y !== undefined) return regions(x, y, how);
    return { same: false, rung: 'interval', reason: 'other brackets' };
  }
  if (kinds.has('list') && kinds.has('set')) return anyOrder(a, b, how);
  const [one] = [a, b].filter(
    ({ items, kind }) => items.length === 1 && (kind === 'set' || kind === 'list'),
  );
  if (one !== undefined && one.items[0].form === 'items') {
    return compareAnswers(one.items[0], one === a ? b : a, how);
  }
  const ordered = inOrder(a.items, b.items, how, 'list');
  // An interval against its ends, a set against a tuple.
  const doubtful = kinds.has('set') || (kinds.has('square') && a.items.length === 2);
  if (!doubtful || ordered.same === false) return ordered;
  return { same: undefined, rung: 'list', reason: 'the same items in other brackets' };
}

function bracketed(a: Items, b: Items, how: Comparison): Finding {
  if (a.kind === 'half' && a.region !== undefined && b.region !== undefined)
    return regions(a.region, b.region, how);
  return inOrder(a.items, b.items, how, a.kind === 'tuple' ? 'tuple' : 'list');
}

/** All pairs equal, in order; one certain difference decides. */
function inOrder(
  a: readonly Answer[],
  b: readonly Answer[],
  how: Comparison,
  rung: string,
): Finding {
  if (a.length !== b.length)
    return {
      same: false,
      rung,
      reason: `${Math.min(a.length, b.length)} items against ${Math.max(a.length, b.length)}`,
    };
  if (a.length > maxItems)
    return { same: undefined, rung: 'bound', reason: `more than ${maxItems} items` };
  let unsure: Finding | undefined;
  for (const [i, item] of a.entries()) {
    const finding = compareAnswers(item, b[i], how);
    if (finding.same === false) return { same: false, rung, reason: `item ${i + 1} differs` };
    if (finding.same === undefined) unsure = finding;
  }
  return unsure ?? { same: true, rung, reason: 'the same items' };
}

/** Every item has a partner on the other side. Repeated items of a set count once. */
function anyOrder(a: Items, b: Items, how: Comparison): Finding {
  if (a.items.length > maxUnordered || b.items.length > maxUnordered) {
    return { same: undefined, rung: 'bound', reason: `more than ${maxUnordered} items` };
  }
  const [x, y] = [distinct(a.items, how), distinct(b.items, how)];
  if (x.length !== y.length) {
    return {
      same: false,
      rung: 'set',
      reason: `${Math.min(x.length, y.length)} values against ${Math.max(x.length, y.length)}`,
    };
  }
  const table = x.map((item) => y.map((other) => compareAnswers(item, other, how).same));
  const alone = (findings: readonly (boolean | undefined)[]) =>
    findings.every((same) => same === false);
  if (table.some(alone) || y.some((_, j) => alone(table.map((row) => row[j])))) {
    return { same: false, rung: 'set', reason: 'a value is missing' };
  }
  const taken = new Set<number>();
  for (const row of table) {
    const partner = row.findIndex((same, j) => same === true && !taken.has(j));
    if (partner >= 0) taken.add(partner);
  }
  return taken.size < y.length
    ? { same: undefined, rung: 'set', reason: 'a value that may be missing' }
    : { same: true, rung: 'set', reason: 'the same values' };
}

function distinct(items: readonly Answer[], how: Comparison): Answer[] {
  const out: Answer[] = [];
  if (items.length > 32) return [...items];
  for (const item of items) {
    if (!out.some((known) => compareAnswers(known, item, how).same === true)) out.push(item);
  }
  return out;
}

function regionOf(answer: Answer): Region | undefined {
  if (answer.form === 'region') return answer.region;
  if (answer.form !== 'items') return undefined;
  if (answer.region !== undefined) return answer.region;
  if (answer.kind !== 'set' && answer.kind !== 'list') return undefined;
  const ends = answer.items.map((item) =>
    item.form === 'value'
      ? { node: item.node, value: evaluate(item.node, new Map()), closed: true }
      : undefined,
  );
  const known = ends.filter((end) => end !== undefined && Number.isFinite(end.value)) as {
    node: Node;
    value: number;
    closed: true;
  }[];
  if (known.length !== ends.length) return undefined;
  return {
    pieces: known.sort((a, b) => a.value - b.value).map((end) => ({ low: end, high: end })),
  };
}

function regions(a: Region, b: Region, how: Comparison): Finding {
  const names = new Set([a.variable, b.variable, undefined, unnamedVariable]);
  if (names.size > 3) {
    return { same: false, rung: 'interval', reason: 'other variables' };
  }
  if (a.pieces.length !== b.pieces.length)
    return { same: false, rung: 'interval', reason: 'another number of intervals' };
  for (const [i, piece] of a.pieces.entries()) {
    for (const side of ['low', 'high'] as const) {
      const [x, y] = [piece[side], b.pieces[i][side]];
      if (x.closed !== y.closed)
        return {
          same: false,
          rung: 'interval',
          reason: 'an end is open on one side and closed on the other',
        };
      const finding = compareScalars(x.node, y.node, how.tolerance);
      if (finding.same !== true)
        return {
          ...finding,
          rung: 'interval',
          reason: `another ${side === 'low' ? 'lower' : 'upper'} end`,
        };
    }
  }
  return { same: true, rung: 'interval', reason: 'the same set of numbers' };
}

function assignments(a: Map<string, Answer>, b: Map<string, Answer>, how: Comparison): Finding {
  const names = [...a.keys()].sort();
  if (names.join() !== [...b.keys()].sort().join())
    return { same: false, rung: 'assignment', reason: 'other variables' };
  const values = (from: Map<string, Answer>): Answer[] =>
    names.flatMap((name) => from.get(name) ?? []);
  return inOrder(values(a), values(b), how, 'assignment');
}

function matrices(a: Answer[][], b: Answer[][], how: Comparison): Finding {
  if (a.length !== b.length || a.some((row, i) => row.length !== b[i].length)) {
    return { same: false, rung: 'matrix', reason: 'another shape' };
  }
  return inOrder(a.flat(), b.flat(), how, 'matrix');
}

/** A matrix of one column or one row is a vector; lists of rows are a matrix. */
function vector(a: Items, rows: Answer[][], how: Comparison): Finding | undefined {
  if (a.kind === 'set' || a.kind === 'half') return undefined;
  const inner = a.items.map((item) =>
    item.form === 'items' && item.kind !== 'set' ? item.items : undefined,
  );
  const known = inner.filter((row) => row !== undefined);
  if (known.length === inner.length && known.length > 0) return matrices(known, rows, how);
  if (rows.length !== 1 && rows.some((row) => row.length !== 1)) return undefined;
  return inOrder(a.items, rows.flat(), how, 'vector');
}

/** 3:2 is 6:4 and 3/2. Times of day are read as ratios too: 12:30 is 12:30 and nothing else. */
function ratio(a: readonly Answer[], b: Answer, how: Comparison): Finding | undefined {
  const values = a.map(quotientPart);
  const [x, y] = values;
  if (b.form === 'ratio') {
    const others = b.items.map(quotientPart);
    const known = [...values, ...others].every((value) => value !== undefined);
    if (!known || a.length !== b.items.length) return inOrder(a, b.items, how, 'ratio');
    const [first, ...rest] = values.map((value, i) => (value ?? 0) / (others[i] ?? 0));
    const same = rest.every((one) => Math.abs(one / first - 1) < 1e-12);
    return { same, rung: 'ratio', reason: same ? 'the same ratio' : 'another ratio' };
  }
  if (b.form !== 'value' || values.length !== 2 || x === undefined || y === undefined)
    return undefined;
  const value = evaluate(b.node, new Map());
  const same = Math.abs(x / y / value - 1) < 1e-12;
  return { same, rung: 'ratio', reason: same ? 'the ratio as a number' : 'another ratio' };
}

/** A part of a ratio that is a positive number. */
function quotientPart(part: Answer): number | undefined {
  const bare = part.form === 'value' && part.unit === undefined && part.sign === undefined;
  const value = bare ? evaluate(part.node, new Map()) : Number.NaN;
  return value > 0 && Number.isFinite(value) ? value : undefined;
}

function valueInBase({ digits, base }: Extract<Answer, { form: 'based' }>): bigint {
  return [...digits].reduce((total, digit) => total * BigInt(base) + BigInt(digit), 0n);
}

/** Digits in a base: equal with that base or with none; the value in another base is for someone who knows the question. */
function based(a: Extract<Answer, { form: 'based' }>, b: Answer): Finding | undefined {
  if (b.form === 'based') {
    const same = a.base === b.base ? a.digits === b.digits : valueInBase(a) === valueInBase(b);
    return { same, rung: 'base', reason: same ? 'the same value' : 'another value' };
  }
  if (b.form !== 'value' || b.node.op !== 'num') return undefined;
  if (b.node.value.n.toString() === a.digits && b.node.value.d === 1n)
    return { same: true, rung: 'base', reason: 'the same digits' };
  const value = valueInBase(a);
  const same = b.node.value.d === 1n && value === b.node.value.n;
  return {
    same: same ? undefined : false,
    rung: 'base',
    reason: same ? 'the same value in another base' : 'other digits',
  };
}
