// What a written answer is parsed into. Knows nothing of notation before it or of equality after it.
import { integer, type Q } from './q.ts';

/** Signs of relations, in one spelling each. */
export type Sign = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | '~';

export type Constant = 'pi' | 'e' | 'i' | 'inf';

/** A mathematical expression: one value. */
export type Expression =
  | { op: 'num'; value: Q }
  | { op: 'sym'; name: string }
  | { op: 'const'; name: Constant }
  | { op: 'add' | 'mul'; args: Node[] }
  | { op: 'pow'; base: Node; exponent: Node }
  /** The real root where there is one: the cube root of -8 is -2. */
  | { op: 'root'; radicand: Node; index: Node }
  | { op: 'fn'; name: string; args: Node[] }
  /** Both signs at once; `sign` is -1 for \mp. */
  | { op: 'pm'; sign: 1 | -1; arg: Node }
  | { op: 'percent' | 'degree'; arg: Node };

/** An answer that is more than one value, or a value with something around it. */
export type Form =
  | { op: 'unit'; arg: Node; unit: string }
  /** Digits in a base other than ten: 1011_2. */
  | { op: 'based'; digits: string; base: number }
  | { op: 'list'; items: Node[]; joint: ',' | 'or' | 'and' }
  | { op: 'bracket'; open: '(' | '[' | '{' | '<'; close: ')' | ']' | '}' | '>'; items: Node[] }
  | { op: 'matrix'; rows: Node[][]; kind: string }
  | { op: 'relation'; sides: Node[]; signs: Sign[] }
  | { op: 'ratio'; items: Node[] }
  | { op: 'union' | 'intersection' | 'without'; args: Node[] }
  | { op: 'text'; text: string };

export type Node = Expression | Form;

/** The variable of a relation that names none: "> 3". */
export const unnamedVariable = '?';

/** Raised by the parser where the text is not in its grammar; whoever calls it reads the text in another way. */
export class Unparsed extends Error {}

export function num(value: bigint | number | Q): Node {
  return { op: 'num', value: typeof value === 'object' ? value : integer(value) };
}

export function sym(name: string): Node {
  return { op: 'sym', name };
}

export function mul(...args: Node[]): Node {
  return args.length === 1 ? args[0] : { op: 'mul', args };
}

export function sum(...args: Node[]): Node {
  return args.length === 1 ? args[0] : { op: 'add', args };
}

export function pow(base: Node, exponent: Node): Node {
  return { op: 'pow', base, exponent };
}

export function fn(name: string, ...args: Node[]): Node {
  return { op: 'fn', name, args };
}

export function negative(node: Node): Node {
  return node.op === 'num'
    ? num({ n: -node.value.n, d: node.value.d })
    : { op: 'mul', args: [num(-1), node] };
}

export function reciprocal(node: Node): Node {
  return pow(node, num(-1));
}

/** The parts of a node, for walks that do not care which it is. */
export function parts(node: Node): readonly Node[] {
  switch (node.op) {
    case 'add':
    case 'mul':
    case 'fn':
    case 'union':
    case 'intersection':
    case 'without':
      return node.args;
    case 'pow':
      return [node.base, node.exponent];
    case 'root':
      return [node.radicand, node.index];
    case 'pm':
    case 'percent':
    case 'degree':
    case 'unit':
      return [node.arg];
    case 'list':
    case 'bracket':
    case 'ratio':
      return node.items;
    case 'matrix':
      return node.rows.flat();
    case 'relation':
      return node.sides;
    default:
      return [];
  }
}

/** A node as text: alike for nodes that are written alike, and for no others. */
export function spelling(node: Node): string {
  return JSON.stringify(node, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

/** The number of parts of a node, itself among them. */
export function sizeOf(node: Node): number {
  return parts(node).reduce((total, part) => total + sizeOf(part), 1);
}

/** An expression with each of its parts replaced; a form that is no expression stays as it is. */
export function mapParts(node: Node, replaced: (part: Node) => Node): Node {
  switch (node.op) {
    case 'add':
      return sum(...node.args.map(replaced));
    case 'mul':
      return mul(...node.args.map(replaced));
    case 'fn':
      return { ...node, args: node.args.map(replaced) };
    case 'pow':
      return { ...node, base: replaced(node.base), exponent: replaced(node.exponent) };
    case 'root':
      return { ...node, radicand: replaced(node.radicand), index: replaced(node.index) };
    case 'pm':
    case 'percent':
    case 'degree':
      return { ...node, arg: replaced(node.arg) };
    default:
      return node;
  }
}

/** Whether a node or one of its parts is what `wanted` says. */
export function has(node: Node, wanted: (part: Node) => boolean): boolean {
  return wanted(node) || parts(node).some((part) => has(part, wanted));
}
