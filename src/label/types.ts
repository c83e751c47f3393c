/**
 * What a label is and where labels are bought. Knows nothing of rewards, routes or where answers are kept.
 */

/** An answer that was paid for. It does not say whether a simulated annotator erred. */
export interface Label {
  promptId: string;
  answer: string;
  /** 'file', the name of a person or of a teacher. */
  source: string;
  /** In units of one label. */
  cost: number;
}

/** A label as a source sells it. `noisy`: wrong on purpose, by a simulated error; for the audit alone. */
export interface SoldLabel extends Label {
  noisy: boolean;
}

/** Who buys, for which run and at which training step (null before training). */
export interface Buyer {
  account: string;
  run: string | null;
  step: number | null;
}

/** Something that sells labels. */
export interface LabelSource {
  readonly name: string;
  /**
   * Labels for `promptIds`, in any order; a prompt that the source has no answer for is left out.
   * Asking again for the same account and prompt gives the same label and is counted once.
   */
  buy(promptIds: readonly string[], buyer: Buyer): Promise<SoldLabel[]>;
}

/** Where training stands when it asks; step null = before training. */
export interface Moment {
  run: string | null;
  step: number | null;
}

/** What the training side sees of labels: those that were bought, and a way to buy more. */
export interface LabelDesk {
  readonly account: string;
  /** Labels that may be bought in all; null = no limit. */
  readonly budget: number | null;
  /**
   * Buys what is missing, in the order given, while the budget lasts, and returns the labels of
   * `promptIds` that have arrived. Asking again for an owned label costs nothing.
   */
  request(promptIds: readonly string[], moment: Moment): Promise<Label[]>;
  /** All labels of the account that had arrived at `moment`. A resumed run sees no label of its own future. */
  arrived(moment: Moment): Promise<Label[]>;
  /**
   * Labels bought so far, arrived or not; with a moment, those bought up to then: a resumed run may own
   * labels that it is yet to ask for.
   */
  spent(moment?: Moment): Promise<number>;
}
