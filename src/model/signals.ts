/** What leaves a traced graph: names, heads and per-token summaries of attention. */

/** The six attention signals (METHOD, section 2), in the order in which they are listed to people. */
export const signalNames = [
  'far_mass',
  'distance',
  'entropy',
  'change',
  'received',
  'agreement',
] as const;

export type SignalName = (typeof signalNames)[number];

/** One attention head: layer and query head, both from 0. */
export interface Head {
  layer: number;
  head: number;
}

/** Per-token attention summaries of one response. */
export interface RawTrace {
  /** The heads that were traced, in the order of the columns. */
  heads: Head[];
  /** Response tokens T, the stop token included. */
  tokens: number;
  /**
   * Token-major, [T * heads.length]; `agreement` is [T * kept layers], its layers in the order of
   * `layersOf(heads)`. `received` may hold NaN: keys with no query far enough behind them.
   */
  signals: Partial<Record<SignalName, Float32Array>>;
  /**
   * Far mass averaged over the traced heads of each layer, [T * kept layers], same layer order:
   * what `agreement` is computed from.
   */
  layerFarMass?: Float32Array;
}
