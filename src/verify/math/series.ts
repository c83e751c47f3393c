// Sums and products with whole bounds, written out: \\sum_{k=1}^{4} k is 1 + 2 + 3 + 4. Knows nothing of notation.
import { mapParts, mul, type Node, num, sizeOf, sum, Unparsed } from './node.ts';

/** Series that come to more parts are not written out. */
const maxNodes = 5000n;

/** The terms of `body` for all whole values of a variable from `low` to `high`, added or multiplied. */
export function series(
  kind: 'sum' | 'prod',
  body: Node,
  name: string,
  low: Node,
  high: Node,
): Node {
  if (low.op !== 'num' || high.op !== 'num' || low.value.d !== 1n || high.value.d !== 1n) {
    throw new Unparsed('a series without whole bounds');
  }
  const count = high.value.n - low.value.n + 1n;
  if (count < 1n || count * BigInt(sizeOf(body)) > maxNodes)
    throw new Unparsed('a series that is empty or too long');
  const first = low.value.n;
  const terms = Array.from({ length: Number(count) }, (_, i) =>
    substitute(body, name, num(first + BigInt(i))),
  );
  return kind === 'sum' ? sum(...terms) : mul(...terms);
}

/** The node with `value` for the variable. */
export function substitute(node: Node, name: string, value: Node): Node {
  // i may be what a series counts with: no variable has the name of a constant.
  if (node.op === 'sym' || node.op === 'const') return node.name === name ? value : node;
  return mapParts(node, (part) => substitute(part, name, value));
}
