// The inside of \\begin{..} .. \\end{..}: cells by & and rows by \\\\. Knows nothing of what the cells mean.
import type { Node } from './node.ts';
import { matched, outside, type Source } from './source.ts';

/** Environments whose rows are statements, aligned by & for the eye only. */
export const statementKinds: ReadonlySet<string> = new Set(
  'align aligned gather gathered split eqnarray equation multline alignat alignedat'.split(' '),
);

export class Environment {
  private readonly source: Source;
  private readonly from: number;
  private readonly to: number;
  private readonly depth: number;

  constructor(source: Source, from: number, to: number, depth: number) {
    this.source = source;
    this.from = from;
    this.to = to;
    this.depth = depth;
  }

  /** The cells as statements, by rows; empty rows are left out. */
  rows(): Node[][] {
    const cells = this.bounds().map((row) => this.cut(row, '&'));
    const rows = cells.map((row) =>
      row.map(([from, to]) => this.source.statement(this.source, from, to, this.depth)),
    );
    return rows.filter((row) => row.length > 0);
  }

  /** The rows as statements; a row that begins with a sign goes on from the one before. */
  lines(): Node[] {
    const tokens = this.bounds().map(([from, to]) =>
      this.source.tokens
        .slice(from, to)
        .filter(({ kind, text }) => kind !== 'sign' || text !== '&'),
    );
    const joined: (typeof tokens)[number][] = [];
    for (const row of tokens) {
      const last = joined.at(-1);
      if (row.length === 0) continue;
      if (last !== undefined && /^(?:[=<>+-]|le|ge|approx)$/.test(row[0].text)) last.push(...row);
      else joined.push([...row]);
    }
    return joined.map((row) => {
      const source: Source = { ...this.source, tokens: row, close: matched(row) };
      return source.statement(source, 0, row.length, this.depth);
    });
  }

  private bounds(): [number, number][] {
    return this.cut([this.from, this.to], '\\\\');
  }

  /** Non-empty parts of a slice between the signs `mark`. */
  private cut([from, to]: [number, number], mark: string): [number, number][] {
    const out: [number, number][] = [];
    let start = from;
    for (const [index, token] of outside(this.source, from, to)) {
      if (token.kind !== 'sign' || token.text !== mark) continue;
      if (index > start) out.push([start, index]);
      start = index + 1;
    }
    if (to > start) out.push([start, to]);
    return out;
  }
}
