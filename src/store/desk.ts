/**
 * The tables of the annotation queue as its rules see them: single steps, to be put together in one transaction
 * that begins with `lock`. Times are milliseconds since 1970.
 *
 * Knows nothing of what makes a label, who may do what, or whether two answers are the same.
 */

export interface TaskRecord {
  account: string;
  promptId: string;
  /** Higher is handed out first. */
  utility: number;
  run: string | null;
  step: number | null;
  reason: string;
  state: 'open' | 'adjudicate' | 'done' | 'withdrawn';
  /** null unless done. */
  outcome: 'labelled' | 'no_answer' | 'bad_question' | null;
  /** Answers wanted. */
  overlap: number;
  gold: boolean;
  /** Source of the label that it puts before people again; null: it wants a label. */
  checks: string | null;
  /** Answers that count towards `overlap`; 0 for gold. */
  answers: number;
  /** Goes up with every change but of the utility. */
  revision: number;
  /** Source of the label that the task made; null where it made none. */
  labelSource: string | null;
  createdAt: number;
  /** null: undecided, or decided by a label from elsewhere. */
  decidedAt: number | null;
}

/** What a decision, or its undoing, changes of a task. */
export type TaskChange = Pick<
  TaskRecord,
  'state' | 'outcome' | 'checks' | 'answers' | 'labelSource' | 'decidedAt'
>;

export interface LeaseRecord {
  account: string;
  promptId: string;
  annotator: string;
  takenAt: number;
  /** In force while this is after the caller's now. */
  expiresAt: number;
}

export interface AnnotationRecord {
  ordinal: number;
  account: string;
  promptId: string;
  annotator: string;
  kind: 'answer' | 'no_answer' | 'bad_question' | 'skip';
  answer: string | null;
  note: string;
  revealed: boolean;
  seconds: number;
  at: number;
  undone: boolean;
  adjudicates: boolean;
  gold: boolean;
  /** Source of the label that it was held against; null: none. */
  checks: string | null;
  /** Right by the known answer, or by the label; null: there is neither, or skipped. */
  correct: boolean | null;
}

/** A question that wants a label, one whose answer is known, or one that has a label which is checked. */
export type Asked = 'question' | 'gold' | 'check';

/** Which question to look for. */
export interface Wanted {
  account: string;
  annotator: string;
  now: number;
  kind: Asked;
  /** Only questions that somebody answered already or holds. */
  started: boolean;
}

/** `hands`: others that hold it at this moment. */
export type Candidate = TaskRecord & { hands: number };

export interface DeskCounts {
  /** In state open, gold left out. */
  open: number;
  /** In somebody's hands, gold left out. */
  leased: number;
  adjudicate: number;
  /** Gold left out. */
  done: number;
  /** Prompts with a label. */
  labels: number;
}

/** Rulings and undone annotations left out. */
export interface AnnotatorCounts {
  annotator: string;
  answers: number;
  skips: number;
  revealed: number;
  medianSeconds: number | null;
  goldAnswered: number;
  goldRight: number;
}

/** What people found of the labels of a source; undone answers and those after a look at the policy's left out. */
export interface CheckCounts {
  source: string;
  /** Labels that somebody answered again. */
  checked: number;
  /** Of these: the answer was another one. */
  differing: number;
  /** Of the differing: ruled upon; and ruled wrong. */
  ruled: number;
  wrong: number;
}

export interface Desk {
  /**
   * Waits until no other transaction of the account is under way, labels included; held to the end of this one.
   * It must be the first statement of its transaction: see repositories/desk.ts.
   */
  lock(account: string): Promise<void>;

  task(account: string, promptId: string): Promise<TaskRecord | undefined>;
  /** All tasks, or those of `promptIds`, in the order of being handed out. */
  tasks(account: string, promptIds?: readonly string[]): Promise<TaskRecord[]>;
  /** Writes or overwrites; one that is there gets a higher revision. */
  putTasks(tasks: readonly TaskRecord[]): Promise<void>;
  /** Lifts utilities; none goes down. */
  raise(
    account: string,
    utilities: readonly { promptId: string; utility: number }[],
  ): Promise<void>;
  /** Returns how many of them were open or in dispute. */
  withdraw(account: string, promptIds: readonly string[]): Promise<number>;
  change(account: string, promptId: string, change: TaskChange): Promise<void>;
  /** The task that the annotator should get, the most useful first, then the oldest, then by id. */
  candidate(wanted: Wanted): Promise<Candidate | undefined>;
  /** The kinds of questions of which some are open. */
  openKinds(account: string): Promise<Asked[]>;
  /** In dispute, in the order of being handed out. */
  disputed(account: string, limit: number): Promise<{ tasks: TaskRecord[]; total: number }>;

  putGolds(account: string, known: readonly { promptId: string; answer: string }[]): Promise<void>;
  gold(account: string, promptId: string): Promise<string | undefined>;

  /** In force or not. */
  lease(account: string, annotator: string): Promise<LeaseRecord | undefined>;
  /** Everybody's, in force or not, by annotator. */
  leases(account: string): Promise<LeaseRecord[]>;
  /** Takes the place of the annotator's other one. */
  putLease(lease: LeaseRecord): Promise<void>;
  dropLease(account: string, annotator: string): Promise<void>;
  /** How many others hold the question. */
  hands(account: string, promptId: string, annotator: string, now: number): Promise<number>;
  /** Prompts that have a label, or are answered but undecided, or are in somebody's hands; gold and checks left out. */
  spoken(account: string, now: number): Promise<number>;

  /** Returns the ordinal. */
  annotate(annotation: Omit<AnnotationRecord, 'ordinal'>): Promise<number>;
  markUndone(ordinal: number): Promise<void>;
  /** The annotator's newest one that is not undone. */
  latest(account: string, annotator: string): Promise<AnnotationRecord | undefined>;
  /** What the annotator's newest `limit` that are not undone were, the newest first. Rulings left out. */
  recent(account: string, annotator: string, limit: number): Promise<Asked[]>;
  /** Those of `promptIds`, or of everything, that are not undone; in the order in which they were given. */
  standing(account: string, promptIds?: readonly string[]): Promise<AnnotationRecord[]>;
  /** All, in the order in which they were given. */
  annotations(account: string): Promise<AnnotationRecord[]>;

  counts(account: string, now: number): Promise<DeskCounts>;
  /** By annotator. */
  figures(account: string): Promise<AnnotatorCounts[]>;
  /** By source. */
  checks(account: string): Promise<CheckCounts[]>;
}
