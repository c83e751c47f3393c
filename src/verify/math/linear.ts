// Matrices and vectors that are written as expressions: a scalar before a matrix, a determinant, 3i - 2j. Turns them into
// rows of expressions. Knows nothing of how matrices are compared.
import { has, mul, type Node, num, parts, sum } from './node.ts';

/** Larger determinants are not written out. */
const maxSize = 5;

/** The rows of a matrix with scalars before it, or of a sum of matrices; undefined where the expression is no such. */
export function matrixRows(node: Node): Node[][] | undefined {
  if (node.op === 'matrix') return node.rows;
  if (node.op === 'mul') {
    const inner = node.args.filter((arg) => has(arg, ({ op }) => op === 'matrix'));
    const rows = inner.length === 1 ? matrixRows(inner[0]) : undefined;
    const scalars = node.args.filter((arg) => arg !== inner[0]);
    return rows?.map((row) => row.map((cell) => mul(...scalars, cell)));
  }
  if (node.op !== 'add') return undefined;
  const terms = node.args.map(matrixRows);
  const known = terms.filter((rows) => rows !== undefined);
  const [first] = known;
  const alike =
    known.length === terms.length &&
    known.every(
      (rows) =>
        rows.length === first.length && rows.every((row, i) => row.length === first[i].length),
    );
  return alike
    ? first.map((row, i) => row.map((_, j) => sum(...known.map((rows) => rows[i][j]))))
    : undefined;
}

/** The node with determinants of matrices written out. */
export function withDeterminants(node: Node): Node {
  if (
    node.op === 'fn' &&
    (node.name === 'det' || node.name === 'abs') &&
    node.args[0]?.op === 'matrix'
  ) {
    return determinant(node.args[0].rows) ?? node;
  }
  if (node.op === 'mul') return mul(...node.args.map(withDeterminants));
  return node.op === 'add' ? sum(...node.args.map(withDeterminants)) : node;
}

function determinant(rows: readonly (readonly Node[])[]): Node | undefined {
  const size = rows.length;
  if (size > maxSize || rows.some((row) => row.length !== size)) return undefined;
  if (size === 1) return rows[0][0];
  const terms = rows[0].map((cell, column) => {
    const minor = determinant(rows.slice(1).map((row) => row.filter((_, j) => j !== column)));
    return minor === undefined ? undefined : mul(num(column % 2 === 0 ? 1 : -1), cell, minor);
  });
  const known = terms.filter((term) => term !== undefined);
  return known.length === terms.length ? sum(...known) : undefined;
}

const axes = ['i', 'j', 'k'];

/** The components of 3\mathbf{i} - 2\mathbf{j}; undefined where no unit vector occurs. */
export function components(node: Node): Node[] | undefined {
  const used = axes.map((axis) => has(node, (part) => axisOf(part) === axis));
  if (!used.includes(true) || !isLinear(node)) return undefined;
  return axes.slice(0, used[2] ? 3 : 2).map((axis) => along(node, axis));
}

/** i, j or k, where a node is a unit vector. Every expression is asked. */
function axisOf(node: Node): string | undefined {
  return node.op === 'sym'
    ? /^\\(?:bold|hat|vec) \\?([ijk])(?:math)?$/.exec(node.name)?.[1]
    : undefined;
}

function isLinear(node: Node): boolean {
  if (node.op === 'add') return node.args.every(isLinear);
  const vectors = parts(node).filter((part) => has(part, (one) => axisOf(one) !== undefined));
  return (
    vectors.length <= 1 &&
    (vectors.length === 0 || node.op === 'mul' ? vectors.every(isLinear) : false)
  );
}

/** The expression with 1 for one unit vector and 0 for the others. */
function along(node: Node, axis: string): Node {
  const replaced = axisOf(node);
  if (replaced !== undefined) return num(replaced === axis ? 1 : 0);
  if (node.op === 'add') return sum(...node.args.map((arg) => along(arg, axis)));
  return node.op === 'mul' ? mul(...node.args.map((arg) => along(arg, axis))) : node;
}
