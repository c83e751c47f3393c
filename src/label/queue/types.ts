/**
 * The annotation queue as data: who labels, what waits for a label, what was said about it.
 *
 * Times are milliseconds since 1970 by the clock of the caller. Knows nothing of HTTP or of SQL.
 */

/** What a person may do; each role may do what the ones after it may: admin, annotator, viewer. */
export const roles = ['admin', 'annotator', 'viewer'] as const;
export type Role = (typeof roles)[number];

/** Someone who labels: a person, or a teacher (a model behind an endpoint, which cannot sign in). */
export interface Annotator {
  /** Stable and opaque. */
  id: string;
  /** Unique; the source of this annotator's labels. */
  name: string;
  role: Role;
  kind: 'person' | 'teacher';
  disabled: boolean;
}

/**
 * open: wants more answers; adjudicate: its answers disagree; done: it has its label, or has been closed without one;
 * withdrawn: no longer wanted.
 */
export type TaskState = 'open' | 'adjudicate' | 'done' | 'withdrawn';

/** How a task ended: with a label, or because people say that it has none. */
export type Outcome = 'labelled' | 'no_answer' | 'bad_question';

/** A prompt of an account that wants a label. */
export interface TaskOrder {
  promptId: string;
  /** Expected utility of the label; higher is handed out first. */
  utility: number;
  /** Who asks: a run at a step, or null where a plan does. */
  run: string | null;
  step: number | null;
  /** Why, for people: 'group_disagrees', 'planned', 'undecided', 'image', 'gold', 'check'. */
  reason: string;
}

export interface Task extends TaskOrder {
  account: string;
  state: TaskState;
  outcome: Outcome | null;
  /** Answers by different people that are wanted before it is decided. */
  overlap: number;
  /** Known answer: it estimates its annotators, makes no label and costs no budget. */
  gold: boolean;
  /**
   * Source of the label that people answer again, without knowing it: makes no label and costs no budget unless an
   * admin rules on a disagreement. null: it wants a label.
   */
  checks: string | null;
  createdAt: number;
  /** null: undecided, or decided by a label that came from elsewhere. */
  decidedAt: number | null;
}

/** A task in somebody's hands until `expiresAt`. */
export interface Lease {
  account: string;
  promptId: string;
  annotator: string;
  takenAt: number;
  expiresAt: number;
}

export type AnnotationKind = 'answer' | 'no_answer' | 'bad_question' | 'skip';

export interface Annotation {
  /** Counts up over all accounts. */
  ordinal: number;
  account: string;
  promptId: string;
  annotator: string;
  kind: AnnotationKind;
  /** What was typed; null unless kind is 'answer'. */
  answer: string | null;
  note: string;
  /** Whether the policy's answers were shown before it was given: that biases. */
  revealed: boolean;
  /** From being handed out to being answered. */
  seconds: number;
  at: number;
  /** Taken back by its author; it counts for nothing and stays on record. */
  undone: boolean;
  /** It settles a disagreement. */
  adjudicates: boolean;
}

export interface QueueSettings {
  account: string;
  /** Labels that the account may hold in all; null = no limit. */
  budget: number | null;
  /** Different people who answer each question. */
  overlap: number;
  leaseMs: number;
  /** Every so many questions an annotator gets a gold one, while there are some left; 0 = never. */
  goldEvery: number;
  /** As `goldEvery`, for checks of labels, which are also handed out where nothing else is; 0 = only then. */
  checkEvery: number;
}

/** Why there is nothing to do: nothing waits, all of it is in other hands or was answered by you, or no label may be added. */
export type NothingNext = 'empty' | 'taken' | 'budget';

export interface Submission {
  promptId: string;
  kind: AnnotationKind;
  answer: string | null;
  note: string;
  revealed: boolean;
}

/**
 * What came of a submission. `decided`: the task has its label now; `disagree`: it goes to adjudication; `check`: a label
 * was checked, whatever came of it.
 */
export type Verdict = 'waiting' | 'decided' | 'disagree' | 'closed' | 'skipped' | 'gold' | 'check';

/** Gold questions left out. */
export interface QueueProgress {
  /** Wanting answers, those in somebody's hands included. */
  open: number;
  leased: number;
  adjudicate: number;
  done: number;
  /** Prompts of the account that have a label, wherever it came from. */
  labels: number;
  budget: number | null;
}

/** One annotator's figures over an account; rulings and undone annotations left out, gold questions and checks not. */
export interface AnnotatorFigures {
  annotator: string;
  name: string;
  answers: number;
  skips: number;
  revealed: number;
  /** Median seconds per answer; null where there is none. */
  medianSeconds: number | null;
  /** Gold questions answered, and answered right. */
  gold: { answered: number; right: number };
}

/** Whether two answers to a prompt are the same: the verifier of the prompt's source. */
export interface Judge {
  equivalent(promptId: string, a: string, b: string): Promise<boolean>;
}

/** A question in an annotator's hands, or why there is none. */
export type Next = { task: Task; lease: Lease } | { nothing: NothingNext };

export interface Dispute {
  task: Task;
  annotations: Annotation[];
  /** Labels of the prompt, where it has some: that which was checked, or those that differ. The first one counts. */
  labels: { source: string; answer: string }[];
}

/** How often labels of a source are wrong, as far as people have checked them. */
export interface LabelChecks {
  source: string;
  /** Labels that somebody answered again, without a look at the policy's answers. */
  checked: number;
  /** Of these: the answer was another one. */
  differing: number;
  /** Of the differing: no admin has ruled yet; ruled against the label. */
  open: number;
  wrong: number;
  /** Of the decided ones the share that is wrong, with its 95 % interval (Wilson); null where none is decided. */
  rate: { value: number; low: number; high: number } | null;
}

/** What somebody has done that is kept for the audit. */
export interface QueueEvent {
  at: number;
  annotator: string;
  action: 'label.submit' | 'label.undo' | 'label.rule';
  promptId: string;
  detail: Record<string, string | boolean>;
}

export interface Agreement {
  /** Questions with answers of two people or more. */
  questions: number;
  /** Share of pairs of answers that are equal, 0..1. */
  percent: number;
  /** Chance-corrected, at most 1; null where undefined. Cohen's kappa needs exactly two annotators. */
  cohen: number | null;
  fleiss: number | null;
  krippendorff: number | null;
}

/**
 * The queue of one account. Every call is one transaction, or several while a judge is at work; several processes may
 * share a queue on a server.
 */
export interface Queue {
  readonly settings: QueueSettings;
  /** Puts prompts up, or raises what is there; those that have a label or are closed stay as they are. Returns how many are new. */
  order(tasks: readonly TaskOrder[]): Promise<number>;
  /** Puts up questions whose answer is known. */
  orderGold(known: readonly { promptId: string; answer: string }[]): Promise<number>;
  /**
   * Puts labels of `source` before people again, who do not know it; where they answer otherwise, admins decide. Prompts
   * that people have answered, or whose label was checked before, are left as they are. Returns how many are new.
   */
  orderChecks(promptIds: readonly string[], source: string): Promise<number>;
  /**
   * Puts prompts whose labels differ before admins. Those without two labels, in dispute already or ruled upon are left
   * as they are. Returns how many are new.
   */
  contest(promptIds: readonly string[]): Promise<number>;
  /** No longer wanted; answers that were given stay on record, and who holds one may finish it. */
  withdraw(promptIds: readonly string[]): Promise<number>;
  /** The question that the annotator holds, which they keep for a whole lease from now, or the next most useful one. */
  next(annotator: string): Promise<Next>;
  /** UserError where the annotator does not hold the question, or the answer is empty. */
  submit(annotator: string, submission: Submission): Promise<Verdict>;
  /**
   * Takes the annotator's last annotation back and hands its question out to them again; null where there is none.
   * UserError where somebody else has ruled on it since, or holds it, or the budget has no room for it.
   */
  undo(annotator: string): Promise<Submission | null>;
  /** Gives the question that the annotator holds free. */
  release(annotator: string): Promise<void>;
  disputes(limit: number): Promise<{ disputes: Dispute[]; total: number }>;
  /**
   * Settles a disagreement. Labels that say otherwise are taken back; where none is left and the ruling is an answer, it
   * becomes the label. UserError where the prompt is not in dispute.
   */
  rule(annotator: string, ruling: Omit<Submission, 'revealed'>): Promise<Verdict>;
  progress(): Promise<QueueProgress>;
  figures(): Promise<AnnotatorFigures[]>;
  /** By source. */
  checks(): Promise<LabelChecks[]>;
  /** null where no question has two answers. */
  agreement(): Promise<Agreement | null>;
  /** In the order in which they were given; undone ones too. */
  annotations(): Promise<Annotation[]>;
  /** How tasks stand, by prompt. */
  tasks(promptIds?: readonly string[]): Promise<Task[]>;
}
