/**
 * What a label is and where labels are bought. Knows nothing of rewards, routes or where answers are kept.
 */

/** An answer that was paid for. It does not say whether a simulated annotator erred. */
export interface Label {
  promptId: string;
  answer: string;
  /** 'file', the name of a person or of a teacher. */
  source: string;
  /** In units of one label; of a teacher, what its setting `price` is counted in. */
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

/** A prompt that a label is wanted for. */
export interface Wish {
  promptId: string;
  /** Expected utility of the label; higher is wanted more. */
  utility: number;
  /** Why, for people: 'group_disagrees', 'planned'. */
  reason: string;
}

/** Something that answers in its own time: a label of it turns up in the account when it is there. */
export interface LiveSource {
  /** For people: where the answers come from. */
  readonly name: string;
  /** Puts questions up. Those that are up, answered or refused stay as they are. */
  put(wishes: readonly Wish[], buyer: Buyer): Promise<void>;
  /** Of these prompts, those that will get no label. UserError where the source cannot go on at all. */
  refused(promptIds: readonly string[]): Promise<string[]>;
  /** Until nothing more comes of itself: at once for people, after its last call for a teacher. */
  idle(): Promise<void>;
  close(): Promise<void>;
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
   * Prompts that were asked for through this desk and get no label, as far as it is known: the source has no answer,
   * or the budget is used up.
   */
  refused(): string[];
  /**
   * Labels bought so far, arrived or not; with a moment, those bought up to then: a resumed run may own
   * labels that it is yet to ask for.
   */
  spent(moment?: Moment): Promise<number>;
}

/** A desk whose labels come in their own time, from people or a teacher. */
export interface LiveDesk extends LabelDesk {
  /** May asking take as long as somebody needs to answer? */
  readonly waits: boolean;
  /** Puts prompts up without waiting for any. */
  put(wishes: readonly Wish[], moment: Moment): Promise<void>;
  /** As `request`, with reasons; waits for the labels where that is what is done when one is missing. Throws Interrupted. */
  ask(wishes: readonly Wish[], moment: Moment): Promise<Label[]>;
  /** Prompts that are left out until their label is there. */
  left(): ReadonlySet<string>;
  /** Waits until a label comes or a prompt is refused; returns all labels. Throws Interrupted. */
  change(moment: Moment): Promise<Label[]>;
  close(): Promise<void>;
}
