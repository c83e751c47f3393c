// What a side of an equation calls the other: x, f(x), AB, m + n, "Area". Knows nothing of what follows from names.
import { has, type Node, spelling } from './node.ts';

/** What a side of an equation names, where it is a name for the other side: x, f(x), AB, m + n, "Area". */
export function labelOf(side: Node, other: Node): string | undefined {
  const mentions = (name: string): boolean =>
    has(other, (part) => part.op === 'sym' && part.name === name);
  if (side.op === 'text') return `"${side.text.toLowerCase()}"`;
  if (side.op === 'sym') return mentions(side.name) ? undefined : side.name;
  // "A^{-1} = ..." names a matrix.
  if (side.op === 'pow' && side.base.op === 'sym' && other.op === 'matrix') return side.base.name;
  const set = side.op === 'union' || side.op === 'intersection' || side.op === 'without';
  if (set && other.op === 'bracket') return 'set';
  if (side.op === 'bracket') {
    return side.items.every(({ op }) => op === 'sym') ? `(${side.items.length})` : undefined;
  }
  if (side.op === 'fn' && /^[fgFG]'*$/.test(side.name)) return `fn:${side.name}`;
  if (side.op === 'fn' && side.name === 'abs') {
    const inner = labelOf(side.args[0], other);
    // |AB| is the length of AB; |x| is not x.
    return inner !== undefined && /^mul:[A-Z]/.test(inner) ? inner : inner && `|${inner}|`;
  }
  // "\\tan\\alpha = 2" and "P(X = 2) = 1/3" say what a number is the value of.
  if (!hasSymbols(other) && isValueOf(side)) return `value:${spelling(side)}`;
  return side.op === 'mul' || side.op === 'add' ? compoundLabel(side, other, mentions) : undefined;
}

function hasSymbols(node: Node): boolean {
  return has(node, ({ op }) => op === 'sym' || op === 'text');
}

function isValueOf(side: Node): boolean {
  if (side.op === 'fn') return hasSymbols(side);
  if (side.op !== 'mul') return false;
  const [head, ...rest] = side.args;
  const named = head.op === 'sym' && /^[PEDV]$/.test(head.name);
  return named && rest.some(({ op }) => op === 'relation' || op === 'bracket');
}

/** "AB = 5" and "m + n = 17" name a number, "y(x) = 2x" a function. */
function compoundLabel(
  side: Extract<Node, { op: 'mul' | 'add' }>,
  other: Node,
  mentions: (name: string) => boolean,
): string | undefined {
  const names = side.args.map((arg) =>
    arg.op === 'sym' && !arg.name.includes("'") ? arg.name : '',
  );
  if (names.includes('')) return undefined;
  const [head, argument] = names;
  const applied = side.op === 'mul' && names.length === 2 && mentions(argument) && !mentions(head);
  if (applied) return `fn:${head}`;
  return !hasSymbols(other) ? `${side.op}:${names.sort().join(' ')}` : undefined;
}
