/**
 * What blocks of one text read by position: keys and values, an array per layer and key head, so that those of a text's
 * first tokens are one piece; rotations and the positions themselves. It grows to the longest text so far.
 */
import type { DecoderConfig } from '../model/config.ts';
import { fullRopeTables } from '../model/forward.ts';
import { blockKeys, blockValues, pastKeys, pastValues } from '../model/prefill-graph.ts';

interface Rows {
  /** Names in the graph: of what is read and of what is written. */
  past: string;
  block: string;
  array: Float32Array;
}

export class PrefillCache {
  private readonly config: DecoderConfig;
  private readonly layers: number;
  private rows: Rows[] = [];
  private rotary: ReturnType<typeof fullRopeTables> = {
    cos: new Float32Array(0),
    sin: new Float32Array(0),
  };
  /** 0, 1, 2, .. as the graph wants them. */
  private places = new Float32Array(0);

  /** For the first `layers` layers of a model. */
  constructor(config: DecoderConfig, layers: number) {
    this.config = config;
    this.layers = layers;
  }

  /** Floats that are held. */
  get size(): number {
    const rows = this.rows.reduce((sum, { array }) => sum + array.length, 0);
    return rows + 2 * this.rotary.cos.length + this.places.length;
  }

  /**
   * Makes room for a text of `wanted` tokens: twice as much as before where that was too little, and what was there is
   * lost. The system gives memory to rows as they are written, not before.
   */
  reserve(wanted: number): void {
    if (wanted <= this.places.length) return;
    const positions = Math.max(wanted, 2 * this.places.length);
    const { kvHeads, headDim } = this.config;
    const make = () => new Float32Array(positions * headDim);
    this.rows = [];
    for (let layer = 0; layer < this.layers; layer++) {
      for (let head = 0; head < kvHeads; head++) {
        this.rows.push(
          { past: pastKeys(layer, head), block: blockKeys(layer, head), array: make() },
          { past: pastValues(layer, head), block: blockValues(layer, head), array: make() },
        );
      }
    }
    this.rotary = fullRopeTables(this.config, positions);
    this.places = Float32Array.from({ length: positions }, (_, i) => i);
  }

  /** What a block of `queries` tokens after the first `at` reads, and where its own rows go. */
  bindings(at: number, queries: number): Record<string, Float32Array> {
    const { headDim } = this.config;
    const end = at + queries;
    const own = (array: Float32Array) => array.subarray(at * headDim, end * headDim);
    const bindings: Record<string, Float32Array> = {
      cos: own(this.rotary.cos),
      sin: own(this.rotary.sin),
      queries: this.places.subarray(at, end),
      keys: this.places.subarray(0, end),
    };
    for (const { past, block, array } of this.rows) {
      bindings[past] = array.subarray(0, at * headDim);
      bindings[block] = own(array);
    }
    return bindings;
  }
}
