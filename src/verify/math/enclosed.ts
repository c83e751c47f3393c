// What stands between brackets, bars, \\begin and \\end: groups, tuples, intervals, sets, absolute values, matrices. Knows
// which they are; what is inside is read as a statement of its own.
import { Environment, statementKinds } from './environment.ts';
import { fn, type Node, Unparsed } from './node.ts';
import { isSign, outside, rawText, type Source } from './source.ts';

export interface Enclosed {
  node: Node;
  /** Index of the token behind it. */
  next: number;
}

/** Reads what opens at token `at`. Unparsed where nothing does, or where it does not close before `to`. */
export function enclosed(source: Source, at: number, to: number, depth: number): Enclosed {
  const open = source.tokens[at];
  if (open.kind === 'sign' && open.text === '|') return bars(source, at + 1, to, depth);
  const end = source.close[at];
  if (end < 0 || end >= to) throw new Unparsed(`"${open.text}" where a value should be`);
  if (open.text === 'begin') return environment(source, at, end, depth);
  const inside = (from = at + 1, until = end): Node =>
    source.statement(source, from, until, depth + 1);
  const next = end + 1;
  if (open.text === '\\{') return { node: braces(source, at + 1, end, inside), next };
  if (at + 1 === end) throw new Unparsed('empty brackets');
  if (open.text === '{') return { node: group(source, at + 1, end, inside), next };
  return { node: bracketed(open.text, source.tokens[end].text, inside()), next };
}

/** |x|: up to the next bar outside brackets. */
function bars(source: Source, from: number, to: number, depth: number): Enclosed {
  for (const [index, token] of outside(source, from, to)) {
    if (token.kind !== 'sign' || token.text !== '|' || index === from) continue;
    return { node: fn('abs', source.statement(source, from, index, depth + 1)), next: index + 1 };
  }
  throw new Unparsed('one bar without the other');
}

function bracketed(open: string, close: string, inside: Node): Node {
  if (open === 'lfloor' || open === 'lceil') {
    return fn(open === 'lfloor' ? 'floor' : 'ceil', inside);
  }
  const items = itemsOf(inside);
  if (open === 'langle') return { op: 'bracket', open: '<', close: '>', items };
  if (inside.op !== 'list') return inside;
  return {
    op: 'bracket',
    open: open === '(' ? '(' : '[',
    close: close === ')' ? ')' : ']',
    items,
  };
}

type Inside = (from?: number, until?: number) => Node;

/** TeX's own braces; {n \\choose k} is met here. */
function group(source: Source, from: number, to: number, inside: Inside): Node {
  for (const [index, token] of outside(source, from, to)) {
    if (token.kind === 'cmd' && token.text === 'choose') {
      return fn('binom', inside(from, index), inside(index + 1, to));
    }
  }
  return inside(from, to);
}

/** A set by its items, or by a condition: \\{x | x > 2\\} is read as the condition. */
function braces(source: Source, from: number, to: number, inside: Inside): Node {
  if (from === to) return { op: 'bracket', open: '{', close: '}', items: [] };
  for (const [index, token] of outside(source, from, to)) {
    const such = token.kind === 'sign' && (token.text === '|' || token.text === ':');
    if (such && index > from) return inside(index + 1, to);
  }
  return { op: 'bracket', open: '{', close: '}', items: itemsOf(inside(from, to)) };
}

/** \\begin{..} .. \\end{..}. */
function environment(source: Source, at: number, end: number, depth: number): Enclosed {
  const named = source.close[at + 1];
  if (named === undefined || named < 0 || named > end) throw new Unparsed('\\begin without a name');
  const kind = rawText(source, at + 2, named)
    .replace('*', '')
    .trim();
  let from = named + 1;
  if (kind === 'array' && isSign(source, from, '{')) from = source.close[from] + 1;
  const inner = new Environment(source, from, end, depth + 1);
  const next = (source.close[end + 1] ?? -1) + 1;
  if (next === 0) throw new Unparsed('\\end without a name');
  if (statementKinds.has(kind)) {
    const lines = inner.lines();
    const node: Node = lines.length === 1 ? lines[0] : { op: 'list', joint: 'and', items: lines };
    return { node, next };
  }
  const matrix: Node = { op: 'matrix', kind, rows: inner.rows() };
  return { node: kind === 'vmatrix' ? fn('det', matrix) : matrix, next };
}

function itemsOf(node: Node): Node[] {
  return node.op === 'list' ? node.items : [node];
}
