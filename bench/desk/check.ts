/**
 * Holds the ledger of the annotators against the database. Each check names what is wrong; nothing is, when all is well.
 */
import type { AnnotationRecord, LeaseRecord, TaskRecord } from '../../src/store/desk.ts';
import { openStore } from '../../src/store/store.ts';
import type { OwnedLabel, Store } from '../../src/store/types.ts';
import type { Hold, Ledger, Sent } from './ledger.ts';

export interface Books {
  annotations: AnnotationRecord[];
  labels: OwnedLabel[];
  tasks: TaskRecord[];
  leases: LeaseRecord[];
  /** Names by id. */
  names: ReadonlyMap<string, string>;
  /** Submissions on the audit log, by annotator and prompt. */
  audited: ReadonlySet<string>;
}

export async function readBooks(target: string, account: string): Promise<Books> {
  const store = await openStore(target);
  try {
    return {
      annotations: await store.desk.annotations(account),
      labels: await store.labels.owned(account),
      tasks: await store.desk.tasks(account),
      leases: await store.desk.leases(account),
      names: new Map((await store.users.list()).map(({ id, name }) => [id, name])),
      audited: await auditedIn(store),
    };
  } finally {
    await store.close();
  }
}

async function auditedIn(store: Store): Promise<Set<string>> {
  const found = new Set<string>();
  for (let before: number | undefined; ; ) {
    const page = await store.auditLog.page(5_000, before);
    for (const { userId, action, subject } of page) {
      if (action === 'label.submit') found.add(`${userId} ${subject}`);
    }
    before = page.at(-1)?.ordinal;
    if (before === undefined) return found;
  }
}

/** What is wrong, by the promise that it breaks. */
export interface Findings {
  /** Acknowledged, and not in the database as it was sent. */
  lost: string[];
  /** Sent once or repeated, and there more than once; or there and never sent. */
  counted_twice: string[];
  /** In two pairs of hands at one time. */
  leased_twice: string[];
  /** Answered by more people than the overlap of one. */
  answered_by_two: string[];
  over_budget: string[];
  /** Tasks, labels and answers that contradict each other; answers of the server that do. */
  contradictions: string[];
}

export function check(ledger: Ledger, books: Books, budget: number): Findings {
  const rows = grouped(books.annotations, ({ note }) => note);
  const sent = [...ledger.sent.values()];
  return {
    lost: [
      ...sent.flatMap((one) => lostOf(one, rows.get(one.serial) ?? [], books)),
      ...lostLabels(sent, books),
    ],
    counted_twice: [
      ...[...rows].flatMap(([note, all]) => doubles(note, all, ledger, books)),
      ...repeatedIn(books.labels, ({ promptId }) => `labels of ${promptId}`),
    ],
    leased_twice: [
      ...overlaps(ledger.holds),
      ...repeatedIn(
        books.leases.filter(({ expiresAt }) => expiresAt > Date.now()),
        ({ promptId }) => `leases of ${promptId}`,
      ),
    ],
    answered_by_two: repeatedIn(
      books.annotations.filter(({ undone, kind }) => !undone && kind !== 'skip'),
      ({ promptId }) => `answers to ${promptId}`,
    ),
    over_budget: [ledger.mostLabels, new Set(books.labels.map(({ promptId }) => promptId)).size]
      .filter((labels) => labels > budget)
      .map((labels) => `${labels} labels of ${budget}`),
    contradictions: [...ledger.surprises, ...contradictions(books)],
  };
}

function lostOf(one: Sent, rows: readonly AnnotationRecord[], { names }: Books): string[] {
  const [row] = rows;
  if (one.fate === 'sent') return [`${one.serial} was never answered`];
  if (one.fate === 'refused') {
    return row === undefined ? [] : [`${one.serial} was refused and is there`];
  }
  if (row === undefined) return [`${one.serial} was acknowledged and is not there`];
  const same =
    row.promptId === one.promptId &&
    row.kind === one.kind &&
    row.answer === one.answer &&
    names.get(row.annotator) === one.person;
  if (!same) return [`${one.serial} is there as something else`];
  if (one.undone !== 'unknown' && row.undone !== (one.undone === 'yes')) {
    return [
      `${one.serial} was ${one.undone === 'yes' ? '' : 'not '}taken back and is not so there`,
    ];
  }
  return [];
}

function lostLabels(sent: readonly Sent[], { labels }: Books): string[] {
  const answers = new Map(labels.map((label) => [label.promptId, label]));
  return sent
    .filter(({ fate, verdict, undone }) => {
      return fate === 'acknowledged' && verdict === 'decided' && undone === 'no';
    })
    .filter(({ promptId, answer, person }) => {
      const label = answers.get(promptId);
      return label?.answer !== answer || label.source !== person;
    })
    .map(({ serial, promptId }) => `the label of ${promptId} by ${serial} is not there`);
}

function doubles(
  note: string,
  rows: readonly AnnotationRecord[],
  ledger: Ledger,
  { names }: Books,
): string[] {
  const sender = ledger.sent.get(note)?.person;
  if (sender === undefined) return [`an annotation that nobody sent: "${note}"`];
  if (rows.some(({ annotator }) => names.get(annotator) !== sender)) {
    return [`${note} stands under another name`];
  }
  return rows.length === 1 ? [] : [`${note} is there ${rows.length} times`];
}

/** A question was in two hands if one heard of it before the other one's time was over. */
function overlaps(holds: readonly Hold[]): string[] {
  const found: string[] = [];
  for (const [promptId, all] of grouped(holds, (hold) => hold.promptId)) {
    let last: Hold | undefined;
    for (const hold of all
      .filter(({ from, until }) => until > from)
      .sort((a, b) => a.from - b.from)) {
      if (last !== undefined && last.person !== hold.person && hold.from < last.until) {
        found.push(`${promptId} was in the hands of ${last.person} and ${hold.person}`);
      }
      if (last === undefined || hold.until > last.until) last = hold;
    }
  }
  return found;
}

function contradictions({ tasks, labels, annotations }: Books): string[] {
  const labelled = new Set(labels.map(({ promptId }) => promptId));
  const standing = new Map(
    annotations
      .filter(({ undone, kind }) => !undone && kind !== 'skip')
      .map((row) => [row.promptId, row]),
  );
  return tasks.flatMap(({ promptId, state, outcome, answers }) => {
    const answer = standing.get(promptId);
    const wanted =
      answer === undefined ? null : answer.kind === 'answer' ? 'labelled' : answer.kind;
    const fits =
      outcome === wanted &&
      (state === 'done') === (wanted !== null) &&
      labelled.has(promptId) === (wanted === 'labelled') &&
      answers === (wanted === null ? 0 : 1);
    return fits ? [] : [`${promptId} is ${state}, ${outcome}, with ${answers} answers`];
  });
}

function repeatedIn<T>(rows: readonly T[], name: (row: T) => string): string[] {
  return [...grouped(rows, name)]
    .filter(([, all]) => all.length > 1)
    .map(([key, all]) => `${all.length} ${key}`);
}

function grouped<K, T>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** Answers that stand and are not on the audit log: their server died between the two. */
export function unaudited({ annotations, audited }: Books): number {
  return annotations.filter(({ annotator, promptId }) => !audited.has(`${annotator} ${promptId}`))
    .length;
}
