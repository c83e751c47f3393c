// Reads a whole answer: lists, relations, unions, ratios, and one value with its unit. What cannot be read becomes a text
// node; nothing throws. Knows nothing of equality.

import { quantity } from './amount.ts';
import { clean } from './clean.ts';
import {
  mul,
  type Node,
  num,
  reciprocal,
  type Sign,
  sym,
  Unparsed,
  unnamedVariable,
} from './node.ts';
import { matched, maxDepth, maxSteps, outside, rawText, type Source, step } from './source.ts';
import { type Token, type TokenSettings, tokensOf } from './tokens.ts';

/** Parses an answer as it was written. Text that is no mathematics gives a `text` node. */
export function parseAnswer(answer: string, settings: TokenSettings = { groups: true }): Node {
  const text = clean(linesJoined(answer));
  if (verbatim.test(text)) return { op: 'text', text };
  try {
    const tokens = tokensOf(text, settings);
    const source: Source = {
      text,
      tokens,
      close: matched(tokens),
      steps: { left: maxSteps },
      statement,
    };
    return statement(source, 0, tokens.length, 0);
  } catch (error) {
    if (error instanceof Unparsed) return { op: 'text', text };
    throw error;
  }
}

/** Dates, telephone numbers and dotted numbers: sequences of digits that are no differences or quotients. */
const verbatim =
  /^(?:\d{4}-\d{2}-\d{2}|\d{1,2}\/\d{1,2}\/\d{2,4}|\d{3}-(?:\d{3}-)?\d{4}|\d+(?:\.\d+){2,})$/;

/** Lines, or parts with wide blanks between them, that are an equation each are a list of them. */
function linesJoined(answer: string): string {
  if (!/\n|\\q?quad/.test(answer) || answer.includes('\\begin')) return answer;
  const lines = answer
    .split(/\s*(?:\n|\\q?quad(?![a-z]))\s*/)
    .map((line) => line.replace(/[,;]\s*$/, ''))
    .filter((line) => line !== '');
  return lines.every((line) => /^[^=]{1,200}=[^=]{1,400}$/.test(line)) ? lines.join(', ') : answer;
}

const closingMarks = new Set(['.', ',', ';', '!', '?', ':']);

function statement(source: Source, first: number, last: number, depth: number): Node {
  if (depth > maxDepth) throw new Unparsed('nested too deeply');
  step(source);
  const from = afterArrow(source, first, last);
  let to = last;
  // "5." and "5," end a sentence; "5!" is a factorial.
  while (
    to > from + 1 &&
    source.tokens[to - 1].kind === 'sign' &&
    closingMarks.has(source.tokens[to - 1].text)
  ) {
    const [last, before] = [source.tokens[to - 1].text, source.tokens[to - 2].text];
    // "5!" is a factorial, "5..." goes on.
    if (last === '!' || (last === '.' && before === '.')) break;
    to--;
  }
  const pieces = split(source, from, to, jointOf);
  if (pieces.length <= 1)
    return relation(source, pieces[0]?.from ?? from, pieces[0]?.to ?? to, depth);
  const cases = nested(source, pieces, depth);
  if (cases !== undefined) return cases;
  const joints = pieces.map(({ joint }) => joint);
  const joint = joints.includes('or') ? 'or' : joints.includes('and') ? 'and' : ',';
  return {
    op: 'list',
    joint,
    items: pieces.map((piece) => readable(source, piece, depth)),
  };
}

/** An item of a list; one that is no mathematics is text. */
function readable(source: Source, { from, to }: Piece, depth: number): Node {
  try {
    return relation(source, from, to, depth);
  } catch (error) {
    if (error instanceof Unparsed) return { op: 'text', text: rawText(source, from, to) };
    throw error;
  }
}

/** "x = 1, y = 2 or x = 3, y = 4": several solutions, each of several parts. */
function nested(source: Source, pieces: readonly Piece[], depth: number): Node | undefined {
  const groups: Piece[][] = [[]];
  for (const piece of pieces) {
    groups.at(-1)?.push(piece);
    if (piece.joint === 'or') groups.push([]);
  }
  const size = groups[0].length;
  if (groups.length < 2 || size < 2 || groups.some((group) => group.length !== size))
    return undefined;
  const items = groups.map(
    (group): Node => ({
      op: 'list',
      joint: ',',
      items: group.map((piece) => relation(source, piece.from, piece.to, depth)),
    }),
  );
  const allRelations = items.every(
    (item) => item.op === 'list' && item.items.every(({ op }) => op === 'relation'),
  );
  return allRelations ? { op: 'list', joint: 'or', items } : undefined;
}

/** Behind the last arrow: "2x = 4 \Rightarrow x = 2" says x = 2. */
function afterArrow(source: Source, from: number, to: number): number {
  let start = from;
  for (const [index, token] of outside(source, from, to)) {
    if (token.kind === 'cmd' && token.text === 'Rightarrow' && index + 1 < to) start = index + 1;
  }
  return start;
}

interface Piece {
  from: number;
  to: number;
  /** What parts it from the next one. */
  joint: ',' | 'or' | 'and' | undefined;
}

function jointOf(token: Token): ',' | 'or' | 'and' | undefined {
  if (token.kind === 'sign') return token.text === ',' || token.text === ';' ? ',' : undefined;
  if (token.kind === 'cmd')
    return token.text === 'lor' ? 'or' : token.text === 'land' ? 'and' : undefined;
  if (token.kind !== 'word') return undefined;
  const word = token.text.toLowerCase().trim();
  if (word === '或') return 'or';
  if (word === '且' || word === '和' || word === '与' || word === '及') return 'and';
  return word === 'or' || word === 'and' ? word : undefined;
}

/** The non-empty pieces between joints. "1, 2, and 3" has three. */
function split(
  source: Source,
  from: number,
  to: number,
  jointBy: (token: Token) => Piece['joint'],
): Piece[] {
  const pieces: Piece[] = [];
  let start = from;
  const put = (end: number, joint: Piece['joint']): void => {
    if (end > start) pieces.push({ from: start, to: end, joint });
    else if (pieces.length > 0 && joint !== undefined && joint !== ',')
      pieces[pieces.length - 1].joint = joint;
  };
  for (const [index, token] of outside(source, from, to)) {
    const joint = jointBy(token);
    if (joint === undefined) continue;
    put(index, joint);
    start = index + 1;
  }
  put(to, undefined);
  return pieces;
}

const commandSigns: ReadonlyMap<string, Sign> = new Map(
  Object.entries<Sign>({ le: '<=', ge: '>=', ne: '!=', approx: '~', in: 'in' }),
);

/** The relation sign at `index` and how many tokens it takes. */
function relationAt({ tokens }: Source, index: number): { sign: Sign; size: number } | undefined {
  const { kind, text } = tokens[index];
  if (kind === 'cmd') {
    const sign = commandSigns.get(text);
    return sign === undefined ? undefined : { sign, size: 1 };
  }
  if (kind !== 'sign') return undefined;
  const next = tokens[index + 1];
  const equals = next?.kind === 'sign' && next.text === '=' && !next.space;
  if (text === '=') return { sign: '=', size: equals ? 2 : 1 };
  if (text === '<' || text === '>')
    return { sign: equals ? (text === '<' ? '<=' : '>=') : text, size: equals ? 2 : 1 };
  if ((text === '!' || text === ':') && equals) return { sign: text === '!' ? '!=' : '=', size: 2 };
  return undefined;
}

function relation(source: Source, from: number, to: number, depth: number): Node {
  const sides: Node[] = [];
  const signs: Sign[] = [];
  let start = from;
  let skip = from;
  for (const [index] of outside(source, from, to)) {
    if (index < skip) continue;
    const found = relationAt(source, index);
    if (found === undefined) continue;
    // "\approx 3" and "= 3" have nothing before the sign; "> 3" is said of something.
    const said = index > start ? side(source, start, index, depth) : unnamed(found.sign);
    if (said !== undefined) {
      sides.push(said);
      signs.push(found.sign);
    }
    start = index + found.size;
    skip = start;
  }
  if (sides.length === 0) return value(source, start, to, depth);
  if (start < to) sides.push(side(source, start, to, depth));
  else if (signs.pop() !== undefined && sides.length === 1 && start - from <= 2) {
    const [only] = sides;
    if (only.op === 'sym' && only.name === unnamedVariable)
      throw new Unparsed('a relation of nothing');
  }
  return sides.length === 1 ? sides[0] : { op: 'relation', sides, signs };
}

/** The variable that "> 3" leaves out. */
function unnamed(sign: Sign): Node | undefined {
  return sign === '=' || sign === '~' ? undefined : sym(unnamedVariable);
}

/** A side of a relation; one that is no mathematics ("Area", "\angle ABC") is a name. */
function side(source: Source, from: number, to: number, depth: number): Node {
  try {
    return value(source, from, to, depth);
  } catch (error) {
    if (error instanceof Unparsed) return { op: 'text', text: rawText(source, from, to) };
    throw error;
  }
}

/** Unions, ratios, or one quantity. */
function value(source: Source, from: number, to: number, depth: number): Node {
  const ops: { at: number; op: 'union' | 'intersection' | 'without' | 'ratio' }[] = [];
  for (const [index, token] of outside(source, from, to)) {
    const op = setOperation(source, index, token, from, to);
    if (op !== undefined && index > from && index + 1 < to) ops.push({ at: index, op });
  }
  for (const [index, token] of outside(source, from, to)) {
    if (token.kind !== 'cmd' || token.text !== 'over') continue;
    const below = quantity(source, index + 1, to, depth);
    return mul(quantity(source, from, index, depth), reciprocal(below));
  }
  if (ops.length === 0) return sequence(source, from, to) ?? quantity(source, from, to, depth);
  if (isClock(source, from, to)) return { op: 'text', text: rawText(source, from, to) };
  const kinds = new Set(ops.map(({ op }) => op));
  const kind = ops[0].op;
  if (kinds.size > 1) throw new Unparsed('different set operations without brackets');
  const bounds = [from - 1, ...ops.map(({ at }) => at), to];
  const args = bounds.slice(1).map((end, i) => quantity(source, bounds[i] + 1, end, depth));
  return kind === 'ratio' ? { op: 'ratio', items: args } : { op: kind, args };
}

/** "9 22 31": numbers with blanks between them, in their order. */
function sequence({ tokens }: Source, from: number, to: number): Node | undefined {
  const values = tokens.slice(from, to).map(({ value }) => value);
  const known = values.filter((one) => one !== undefined);
  if (known.length < 2 || known.length < values.length) return undefined;
  return { op: 'bracket', open: '<', close: '>', items: known.map(num) };
}

/** "12:30", "7:05 pm", "1:02:03": minutes have two digits. */
function isClock({ tokens }: Source, from: number, to: number): boolean {
  const text = tokens
    .slice(from, to)
    .map((token) => token.text)
    .join('');
  return /^(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?:[ap]m)?$/i.test(text);
}

function setOperation({ tokens }: Source, index: number, token: Token, from: number, to: number) {
  if (token.kind === 'cmd') {
    const names: ReadonlyMap<string, 'union' | 'intersection' | 'without'> = new Map(
      Object.entries<'union' | 'intersection' | 'without'>({
        cup: 'union',
        cap: 'intersection',
        setminus: 'without',
      }),
    );
    return names.get(token.text);
  }
  if (token.kind === 'sign' && token.text === ':') return 'ratio';
  // "(0,1) U (2,3)": a letter between two brackets.
  const letter = token.kind === 'name' && (token.text === 'U' || token.text === 'u');
  if (!letter || index <= from || index + 1 >= to) return undefined;
  return /^(?:\)|\]|\\\})$/.test(tokens[index - 1].text) &&
    /^(?:\(|\[|\\\{)$/.test(tokens[index + 1].text)
    ? 'union'
    : undefined;
}
