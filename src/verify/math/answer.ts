// What a parsed answer means: a value with its name and unit, several values, a region of the number line, an equation.
// Knows nothing of how two of them are compared.

import { components, matrixRows, withDeterminants } from './linear.ts';
import { labelOf } from './names.ts';
import { has, mapParts, mul, type Node, negative, num, reciprocal, spelling, sum } from './node.ts';
import { type Region, regionOfRelation, regionOfSet } from './region.ts';
import { isOpaque, parseUnit, type Unit } from './units.ts';
import { fractionInWords, numberInWords, phraseOf } from './words.ts';

/** One value: an expression, with what stands around it. */
export interface Value {
  form: 'value';
  node: Node;
  /** The variable that is said to have it: x in "x = 5". */
  label?: string;
  /** The relation it came from, where that is an equation of its own ("y = 2x + 1"). */
  equation?: Node;
  unit?: Unit;
  /** Written with a percent sign or a degree sign; `node` is the number before the sign. */
  sign?: 'percent' | 'degree';
  /** Another way to read it: the rounded side of "x = \sqrt{2} \approx 1.41". */
  also?: Node;
}

export interface Items {
  form: 'items';
  items: Answer[];
  /** `list`: 1, 2. `set`: {1, 2}. `tuple`: (1, 2), <1, 2>. `square`: [1, 2]. `half`: (1, 2]. */
  kind: 'list' | 'set' | 'tuple' | 'square' | 'half';
  /** The variable that has these values: x in "x = 1 or x = 2". */
  label?: string;
  /** The brackets as a set of numbers, where they can be an interval. */
  region?: Region;
}

export type Answer =
  | Value
  | Items
  | { form: 'region'; region: Region }
  | { form: 'equation'; node: Extract<Node, { op: 'relation' }> }
  | { form: 'assignments'; values: Map<string, Answer> }
  | { form: 'matrix'; rows: Answer[][]; kind: string }
  | { form: 'ratio'; items: Answer[] }
  | { form: 'based'; digits: string; base: number }
  | { form: 'text'; text: string; phrase?: string };

/** The meaning of a parsed answer. */
export function interpret(node: Node): Answer {
  switch (node.op) {
    case 'text':
      return words(node.text);
    case 'unit': {
      const unit = parseUnit(node.unit);
      const inner = interpret(node.arg);
      if (unit === null || (inner.form !== 'value' && inner.form !== 'items')) return inner;
      return inner.form === 'value' ? { ...inner, unit } : measured(inner, unit);
    }
    case 'list':
      return list(node.items, node.joint);
    case 'bracket':
      return bracket(node);
    case 'matrix':
      return matrix(node);
    case 'relation':
      return relation(node);
    case 'ratio':
      return { form: 'ratio', items: node.items.map(interpret) };
    case 'based':
      return { form: 'based', digits: node.digits, base: node.base };
    case 'union':
    case 'intersection':
    case 'without': {
      const region = regionOfSet(node);
      return region === undefined ? structure(node) : { form: 'region', region };
    }
    case 'sym': {
      const region = regionOfSet(node);
      return region === undefined ? { form: 'value', node } : { form: 'region', region };
    }
    default:
      return expression(node);
  }
}

/** "2 and 3 cm", "30 or 60 degrees": the unit behind a list is that of its items. */
function measured(items: Items, unit: Unit): Answer {
  return {
    ...items,
    items: items.items.map((item) => (item.form === 'value' ? { ...item, unit } : item)),
  };
}

function words(text: string): Answer {
  const normal = normalText(text);
  const phrase = phraseOf(normal);
  if (phrase === 'empty') return { form: 'items', kind: 'set', items: [] };
  const value = numberInWords(normal);
  if (value !== undefined) return { form: 'value', node: num(value) };
  const part = fractionInWords(normal);
  if (part !== undefined) return { form: 'value', node: mul(num(part.n), reciprocal(num(part.d))) };
  return phrase === undefined
    ? { form: 'text', text: normal }
    : { form: 'text', text: normal, phrase };
}

/** "\\{1, 2, ..., 10\\}": the whole numbers between are written out where the step is plain. */
function spreadDots(items: readonly Node[]): readonly Node[] {
  const at = items.findIndex(isDots);
  if (at < 2 || at !== items.length - 2) return items;
  const [first, second, last] = [items[at - 2], items[at - 1], items[at + 1]].map(wholeOf);
  if (first === undefined || second === undefined || last === undefined) return items;
  const step = second - first;
  const count = step === 0n ? -1n : (last - second) / step;
  if (count < 1n || count > 400n || second + count * step !== last) return items;
  const between = Array.from({ length: Number(count) }, (_, i) =>
    num(second + BigInt(i + 1) * step),
  );
  return [...items.slice(0, at), ...between];
}

function isDots(node: Node): boolean {
  return node.op === 'sym' && node.name === '\\ldots';
}

function wholeOf(node: Node): bigint | undefined {
  return node.op === 'num' && node.value.d === 1n ? node.value.n : undefined;
}

/** Text in one form: lower case unless it is mathematics that could not be read, single blanks, no closing full stop. */
export function normalText(text: string): string {
  const flat = text
    .replace(/["\u201c\u201d]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[.!]+$/, '')
    .replace(/^\((.*)\)$/, '$1');
  return /[\\^_=+*/<>]/.test(flat) ? flat.replace(/\s/g, '') : flat.toLowerCase().normalize('NFKC');
}

/** Sets of numbers without a plain region: \mathbb{Z} \setminus \{0\}; compared as they are written. */
function structure(node: Extract<Node, { op: 'union' | 'intersection' | 'without' }>): Answer {
  return spelledOut(node.op, node.args);
}

/** A form that is compared as it is written, whatever the order of its parts unless it is a difference. */
function spelledOut(name: string, nodes: readonly Node[]): Answer {
  const parts = nodes.map(spelling);
  if (name !== 'without') parts.sort();
  const text = `${name} of ${parts.join(', ')}`;
  return { form: 'text', text, phrase: text };
}

function expression(given: Node): Answer {
  const node = withDeterminants(given);
  if (has(node, ({ op }) => op === 'matrix')) {
    const rows = matrixRows(node);
    if (rows !== undefined) return matrix({ op: 'matrix', kind: 'pmatrix', rows });
  }
  // "M(2, 5)" is a point with its name.
  if (node.op === 'mul' && node.args.length === 2) {
    const [name, place] = node.args;
    if (name.op === 'sym' && /^[A-Z]$/.test(name.name) && place.op === 'bracket')
      return bracket(place);
  }
  const along = components(node);
  if (along !== undefined) return { form: 'items', kind: 'tuple', items: along.map(interpret) };
  if (has(node, ({ op }) => op === 'pm')) {
    return {
      form: 'items',
      kind: 'list',
      items: signs(node).map((one) => ({ form: 'value', node: one })),
    };
  }
  if (node.op === 'percent' || node.op === 'degree')
    return { form: 'value', node: node.arg, sign: node.op };
  // "-5%" is a negative number of percent, and "-90°" of degrees.
  if (node.op === 'mul' && node.args.length === 2 && node.args[0].op === 'num') {
    const [first, second] = node.args;
    if (second.op === 'percent' || second.op === 'degree') {
      return { form: 'value', node: mul(first, second.arg), sign: second.op };
    }
  }
  return { form: 'value', node };
}

/** Both readings of a node with plus-or-minus signs. */
function signs(node: Node): [Node, Node] {
  return [withSign(node, 1), withSign(node, -1)];
}

function withSign(node: Node, sign: 1 | -1): Node {
  const again = (part: Node): Node => withSign(part, sign);
  if (node.op === 'pm') return node.sign * sign === 1 ? again(node.arg) : negative(again(node.arg));
  if (node.op === 'bracket') return { ...node, items: node.items.map(again) };
  return mapParts(node, again);
}

function list(given: readonly Node[], joint: ',' | 'or' | 'and'): Answer {
  const nodes = spreadDots(given);
  // "p or q" of statements is neither "p and q" nor a list of them.
  if (joint === 'or' && nodes.every(({ op }) => op === 'sym')) {
    const names = nodes.map((node) => (node.op === 'sym' ? node.name : '')).sort();
    return { form: 'text', text: names.join(' or ') };
  }
  const region = joint === ',' ? undefined : regionOfConditions(nodes, joint);
  if (region !== undefined) return region;
  const items = nodes.map(interpret);
  const whole = joint === ',' ? undefined : compound(items);
  if (whole !== undefined) return whole;
  const assigned = assignments(items);
  if (assigned !== undefined) return joint === 'or' ? spelledOut('or', nodes) : assigned;
  const conditions = items.every(({ form }) => form === 'region')
    ? regionOfConditions(nodes, ',')
    : undefined;
  if (conditions !== undefined) return conditions;
  const flat = items.flatMap(listed);
  const labels = items.map(labelOfValue);
  // "x = 1, 2" and "x = 1 or x = 2": the name says only what the values are values of.
  const named = new Set(labels.filter((label) => label !== undefined)).size === 1;
  const [label] = labels.filter((one) => one !== undefined);
  if (!named || label === undefined) return { form: 'items', kind: 'list', items: flat };
  return { form: 'items', kind: 'list', items: flat.map(unlabelled), label };
}

function labelOfValue(item: Answer): string | undefined {
  return item.form === 'value' ? item.label : undefined;
}

/** The items of a list inside a list; anything else is one item. */
function listed(item: Answer): Answer[] {
  return item.form === 'items' && item.kind === 'list' ? item.items : [item];
}

/** "x = 1, y = 2": values with a name each, all different. */
function assignments(items: readonly Answer[]): Answer | undefined {
  const labels = items.map(labelOfValue);
  if (labels.includes(undefined) || new Set(labels).size < labels.length) return undefined;
  const values = new Map(items.map((item, i) => [labels[i] ?? '', unlabelled(item)]));
  return { form: 'assignments', values };
}

/** "3 hours and 20 minutes", "5 feet 3 inches": one quantity, in its smallest unit. */
function compound(items: readonly Answer[]): Answer | undefined {
  const [first, second] = items;
  if (items.length !== 2 || first.form !== 'value' || second.form !== 'value') return undefined;
  const [large, small] = [first.unit, second.unit];
  if (large === undefined || small === undefined || large.dimension !== small.dimension)
    return undefined;
  const factor = Math.round((large.factor / small.factor) * 1e6) / 1e6;
  if (isOpaque(large) || factor <= 1 || !Number.isInteger(factor)) return undefined;
  return { form: 'value', node: sum(mul(num(factor), first.node), second.node), unit: small };
}

function regionOfConditions(nodes: readonly Node[], joint: ',' | 'or' | 'and'): Answer | undefined {
  const region = regionOfRelation({ op: 'list', items: [...nodes], joint });
  return region === undefined ? undefined : { form: 'region', region };
}

function unlabelled(answer: Answer): Answer {
  if (answer.form !== 'value') return answer;
  const { label: _, equation: __, ...rest } = answer;
  return rest;
}

function bracket(node: Extract<Node, { op: 'bracket' }>): Answer {
  // "(\\pm 3, 0)" is two points.
  if (node.open === '(' && has(node, ({ op }) => op === 'pm')) {
    return { form: 'items', kind: 'list', items: signs(node).map(interpret) };
  }
  const items = spreadDots(node.items).map(interpret);
  if (node.open === '{') return { form: 'items', kind: 'set', items: items.flatMap(listed) };
  const assigned = items.length > 0 ? assignments(items) : undefined;
  if (assigned !== undefined) return assigned;
  const mixed = (node.open === '(') !== (node.close === ')');
  const kind =
    node.open === '<' ? 'tuple' : mixed ? 'half' : node.open === '(' ? 'tuple' : 'square';
  const region = node.open === '<' ? undefined : regionOfSet(node);
  return region === undefined
    ? { form: 'items', kind, items }
    : { form: 'items', kind, items, region };
}

function matrix(node: Extract<Node, { op: 'matrix' }>): Answer {
  // A system of equations in one brace.
  const system = node.rows.every((row) => row.length === 1 && row[0].op === 'relation');
  if ((node.kind === 'cases' || node.kind === 'array') && system) {
    return list(node.rows.flat(), 'and');
  }
  return { form: 'matrix', kind: node.kind, rows: node.rows.map((row) => row.map(interpret)) };
}

function relation(node: Extract<Node, { op: 'relation' }>): Answer {
  const { sides, signs: kinds } = node;
  if (kinds.every((sign) => sign === '=' || sign === '~')) return equality(node);
  if (kinds.length === 1 && kinds[0] === 'in') {
    const inner = interpret(sides[1]);
    if (inner.form === 'items' && inner.region !== undefined) {
      return { form: 'region', region: inner.region };
    }
    return inner;
  }
  const region = regionOfRelation(node);
  return region === undefined ? { form: 'equation', node } : { form: 'region', region };
}

/** "x = 5", "3 + 6 = 9", "x = \sqrt 2 \approx 1.41", "f(x) = 2x + 1", or an equation that stays one. */
function equality(node: Extract<Node, { op: 'relation' }>): Answer {
  const { sides } = node;
  const rounded = node.signs.indexOf('~');
  const exactSides = rounded < 0 ? sides : sides.slice(0, rounded + 1);
  const last = sides[sides.length - 1];
  const first = sides[0];
  if (rounded >= 0 && exactSides.length === 1 && labelOf(first, last) === undefined) {
    const value = interpret(first);
    return value.form === 'value' ? { ...value, also: last } : value;
  }
  if (exactSides.length > 2 && exactSides.slice(0, -1).every(({ op }) => op === 'sym')) {
    const value = interpret(last);
    return {
      form: 'assignments',
      values: new Map(
        exactSides.slice(0, -1).map((one) => [one.op === 'sym' ? one.name : '', value]),
      ),
    };
  }
  const tuple = sides.length === 2 ? namedTuple(first, last) : undefined;
  if (tuple !== undefined) return tuple;
  const side = exactSides.length > 1 ? exactSides[exactSides.length - 1] : last;
  const label = labelOf(first, side);
  if (label !== undefined) return named(label, side, node, rounded < 0 ? undefined : last);
  const back = sides.length === 2 ? labelOf(last, first) : undefined;
  if (back !== undefined && last.op === 'sym') return named(back, first, node, undefined);
  const numeric = sides.every((one) => !has(one, ({ op }) => op === 'sym' || op === 'text'));
  if (numeric || sides.length > 2) return interpret(last);
  return { form: 'equation', node };
}

/** "(x, y) = (1, 2)" says what x and y are. */
function namedTuple(names: Node, values: Node): Answer | undefined {
  if (names.op !== 'bracket' || values.op !== 'bracket') return undefined;
  if (names.items.length !== values.items.length) return undefined;
  const known = names.items.map((name) => (name.op === 'sym' ? name.name : ''));
  if (known.includes('') || new Set(known).size < known.length) return undefined;
  return {
    form: 'assignments',
    values: new Map(known.map((name, i) => [name, interpret(values.items[i])])),
  };
}

function named(label: string, side: Node, node: Node, also: Node | undefined): Answer {
  const inner = interpret(side);
  if (inner.form === 'items' && inner.kind === 'list') return { ...inner, label };
  if (inner.form !== 'value') return inner;
  return { ...inner, label, equation: node, ...(also === undefined ? {} : { also }) };
}
