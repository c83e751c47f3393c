// What a side of an equation calls the other: x, f(x), AB, m + n, "Area". Knows nothing of what follows from names.
import { has, type Node } from './node.ts';

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
  return side.op === 'mul' || side.op === 'add' ? compoundLabel(side, other, mentions) : undefined;
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
  const constant = !has(other, ({ op }) => op === 'sym' || op === 'text');
  return constant ? `${side.op}:${names.sort().join(' ')}` : undefined;
}
