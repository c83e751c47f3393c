/**
 * Attention signals of a block of queries over everything before it (prefill-graph.ts), head group by head group as
 * the decoder gets to them: no more than one group's rows exist at a time.
 */
import type { Graph } from '../engine/graph.ts';
import { OPEN, type Tensor } from '../engine/tensor.ts';
import {
  entropy,
  farMass,
  type Geometry,
  type GraphSignal,
  geometryOf,
  meanDistance,
  type TraceRequest,
  totalVariation,
} from './attention-signals.ts';
import { LAST_ROW, nextState, RECEIVED, signalOutput } from './attention-trace.ts';

/** Input [1, 1, 1, queries]: 1 for a query whose attention counts as received, else 0. */
export const COUNTED_QUERIES = 'counted_queries';

/** Queries `from`..`to` - 1 of the block: they see OPEN + `to` keys. */
export interface Part {
  from: number;
  to: number;
  /** Positions [to - from, 1] of the queries and [OPEN + to] of the keys. */
  queries: Tensor;
  keys: Tensor;
}

/** What has been computed of some traced heads: [1, heads, queries of a part] per part. */
interface Group {
  /** Places among the query heads that share the key head, and on the request's head axis. */
  heads: readonly { head: number; place: number }[];
  perQuery: Map<GraphSignal, Tensor[]>;
  /** [1, heads, 1, OPEN + to] per part. */
  received: Tensor[];
  /** The last row so far, [1, heads, 1, OPEN + to], where the change is traced. */
  last: Tensor | undefined;
}

export class BlockTrace {
  private readonly g: Graph;
  private readonly request: TraceRequest;
  private readonly wanted: ReadonlySet<GraphSignal>;
  private readonly queries: number;
  private readonly geometries = new Map<Part, Geometry>();
  private readonly groups: Group[] = [];
  private readonly lastRow: Tensor | undefined;
  private readonly counts: Tensor | undefined;

  /**
   * Declares the inputs that the request needs: `state.last_row` [1, heads, OPEN], the attention of the query before
   * the block, for `change`; `counted_queries` for `received`.
   */
  constructor(g: Graph, request: TraceRequest, queries: number) {
    this.g = g;
    this.request = request;
    this.queries = queries;
    this.wanted = new Set(request.heads.length === 0 ? [] : request.signals);
    if (this.wanted.has('change')) {
      this.lastRow = g.input(LAST_ROW, [1, request.heads.length, OPEN]);
    }
    if (this.wanted.has('received')) this.counts = g.input(COUNTED_QUERIES, [1, 1, 1, queries]);
  }

  /**
   * Begins the `count` query heads of a layer from `first` on, which share a key head; `add` takes their rows, part
   * after part. Undefined where none of them is traced.
   */
  begin(layer: number, first: number, count: number): Group | undefined {
    const { g, lastRow } = this;
    const heads = this.request.heads.flatMap((one, place) => {
      const head = one.head - first;
      return one.layer === layer && head >= 0 && head < count ? [{ head, place }] : [];
    });
    if (heads.length === 0) return undefined;
    const places = g.ints(heads.map(({ place }) => place));
    const last =
      lastRow === undefined
        ? undefined
        : g.reshape(g.gather(lastRow, places, 1), [1, heads.length, 1, OPEN]);
    const group: Group = { heads, perQuery: new Map(), received: [], last };
    this.groups.push(group);
    return group;
  }

  /**
   * `all` [query heads of the key head, queries of the part, OPEN + part.to]: their attention rows. Gives what was
   * computed from them, for others to wait for.
   */
  add(group: Group, part: Part, all: Tensor): Tensor[] {
    const { g, wanted, counts } = this;
    const chosen = group.heads.map(({ head }) => head);
    const whole = chosen.length === all.shape[0] && chosen.every((head, i) => head === i);
    const picked = whole ? all : g.gather(all, g.ints(chosen));
    const rows = g.reshape(picked, [1, ...picked.shape]);
    const geometry = this.geometryOf(part);
    const made: Tensor[] = [];
    const keep = (signal: GraphSignal, of: () => Tensor) => {
      if (!wanted.has(signal)) return;
      const values = of();
      group.perQuery.set(signal, [...(group.perQuery.get(signal) ?? []), values]);
      made.push(values);
    };
    keep('far_mass', () => farMass(g, [rows], geometry));
    keep('distance', () => meanDistance(g, [rows], geometry));
    keep('entropy', () => {
      const seen = g.add(part.queries, g.scalar(1));
      return entropy(g, [rows], g.reshape(seen, [1, 1, part.to - part.from]));
    });
    if (group.last !== undefined) {
      const { last } = group;
      keep('change', () => this.change(last, part, rows));
      group.last = g.slice(rows, 2, part.to - part.from - 1, part.to - part.from);
      made.push(group.last);
    }
    if (counts !== undefined) {
      const far = g.mul(rows, geometry.far[0]);
      const sums = g.matMul(g.slice(counts, 3, part.from, part.to), far);
      group.received.push(sums);
      made.push(sums);
    }
    return made;
  }

  /** Declares the outputs: `signal.*` [1, heads, queries], `state.*` and `next.state.*` [1, heads, OPEN + queries]. */
  finish(): void {
    const { g, queries } = this;
    for (const signal of this.wanted) {
      if (signal === 'received') continue;
      const parts = this.groups.map(({ perQuery }) => g.concat(perQuery.get(signal) ?? [], 2));
      g.output(signalOutput(signal), this.inOrder(parts));
    }
    const flat = (x: Tensor) => g.reshape(x, [1, x.shape[1], OPEN + queries]);
    if (this.counts !== undefined) {
      const whole = this.groups.map(({ received }) =>
        flat(received.map((x) => this.widened(x)).reduce((a, b) => g.add(a, b))),
      );
      g.output(RECEIVED, this.inOrder(whole));
    }
    if (this.lastRow !== undefined) {
      const rows = this.groups.flatMap(({ last }) => (last === undefined ? [] : [flat(last)]));
      g.output(nextState(LAST_ROW), this.inOrder(rows));
    }
  }

  private geometryOf(part: Part): Geometry {
    const found = this.geometries.get(part);
    if (found !== undefined) return found;
    const { g } = this;
    const queries = g.reshape(part.queries, [1, 1, part.to - part.from, 1]);
    const keys = g.reshape(part.keys, [1, 1, 1, OPEN + part.to]);
    const made = geometryOf(g, this.request, queries, [keys]);
    this.geometries.set(part, made);
    return made;
  }

  private change(last: Tensor, { from, to }: Part, rows: Tensor): Tensor {
    const { g } = this;
    const fresh = g.scalar(0, [1, rows.shape[1], 1, to - from]);
    const before = g.concat([last, fresh], 3);
    const shifted = g.concat([before, g.slice(rows, 2, 0, to - from - 1)], 2);
    return totalVariation(g, [rows], [shifted]);
  }

  /** Zeros for the keys of the block that come after a part. */
  private widened(x: Tensor): Tensor {
    const missing = OPEN + this.queries - x.shape[3];
    return missing === 0 ? x : this.g.concat([x, this.g.scalar(0, [1, x.shape[1], 1, missing])], 3);
  }

  /** Puts the heads of all groups, one after the other on axis 1, into the order of the request. */
  private inOrder(parts: readonly Tensor[]): Tensor {
    const places = this.groups.flatMap(({ heads }) => heads.map(({ place }) => place));
    const joined = this.g.concat(parts, 1);
    if (places.every((place, i) => place === i)) return joined;
    const order = places.map((_, i) => places.indexOf(i));
    return this.g.gather(joined, this.g.ints(order), 1);
  }
}
