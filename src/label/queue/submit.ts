/**
 * What comes of an answer.
 *
 * Judged first, then committed if nothing changed meanwhile: a task's revision goes up with every change of its
 * answers or its state, so that an equal revision means that the judge saw what the commit sees.
 */
import { UserError } from '../../core/errors.ts';
import type { AnnotationRecord, LeaseRecord, TaskRecord } from '../../store/desk.ts';
import type { Repositories } from '../../store/types.ts';
import { counts, hasRoom, type QueueContext } from './context.ts';
import { allSame, sameSaid } from './judging.ts';
import { labelFor, type Resolution, resolved, sourceOf } from './resolution.ts';
import type { Came, Together } from './together.ts';
import type { Submission, Verdict } from './types.ts';

/** Changes of one task under the judge's hands, one for each of its other answers and a few more. */
const mostTries = 100;

/** What was thought about a submission before it was committed. */
interface Opinion {
  revision: number;
  /** Gold, or a check: was it right by what is known? */
  correct: boolean | null;
  /** What the task comes to with this answer; undefined: it waits for more. */
  resolution: Resolution | 'disagree' | undefined;
}

/**
 * Takes a submission. UserError where the annotator does not hold the question, or came late and the place is gone,
 * or the answer is empty. The same submission again, after its answer was lost on the way, is taken once.
 */
export async function submit(
  context: QueueContext,
  together: Together<Considered, Verdict | undefined>,
  annotator: string,
  submission: Submission,
): Promise<Verdict> {
  const given = cleaned(submission);
  for (let tries = 0; tries < mostTries; tries++) {
    const opinion = await consider(context, annotator, given);
    const verdict = await together.do({ annotator, given, opinion });
    if (verdict !== undefined) return verdict;
  }
  throw new Error(`'${given.promptId}' changed ${mostTries} times while its answers were compared`);
}

/** Without white space around the answer. UserError where it is missing, or there where the kind has none. */
export function cleaned<T extends Omit<Submission, 'revealed'>>(submission: T): T {
  const { kind, promptId } = submission;
  const answer = submission.answer?.trim() ?? '';
  if (kind !== 'answer') return { ...submission, answer: null };
  if (answer !== '') return { ...submission, answer };
  throw new UserError({
    wanted: 'an answer',
    found: 'an empty one',
    where: `prompt '${promptId}'`,
    fix: 'Type an answer, or say that the question has none.',
  });
}

async function consider(
  context: QueueContext,
  annotator: string,
  given: Submission,
): Promise<Opinion> {
  const { store, settings, judge, nameOf } = context;
  const { account } = settings;
  const { promptId, kind } = given;
  // The revision is read before the answers: a change in between shows at the commit.
  const task = await store.desk.task(account, promptId);
  if (task === undefined) throw notHeld(promptId);
  const { revision, gold, overlap } = task;
  if (kind === 'skip') return { revision, correct: null, resolution: undefined };
  if (gold) {
    const known = await store.desk.gold(account, promptId);
    const { answer } = given;
    const correct =
      known !== undefined && answer !== null && (await judge.equivalent(promptId, known, answer));
    return { revision, correct, resolution: undefined };
  }
  if (task.checks !== null) return { revision, ...(await compared(context, task, given)) };
  const said = task.answers === 0 ? [] : await store.desk.standing(account, [promptId]);
  const others = said.filter(counts);
  if (task.state === 'done' || others.length + 1 < overlap) {
    return { revision, correct: null, resolution: undefined };
  }
  if (!(await allSame(judge, promptId, [...others, given]))) {
    return { revision, correct: null, resolution: 'disagree' };
  }
  const names = await Promise.all(
    [...others.map((one) => one.annotator), annotator].map((id) => nameOf(id)),
  );
  return { revision, correct: null, resolution: resolved(others[0] ?? given, sourceOf(names)) };
}

/** A check is over when somebody says what the label says, and in dispute otherwise; one without a label is over as well. */
async function compared(
  { store, judge }: QueueContext,
  { account, promptId, checks }: TaskRecord,
  given: Submission,
): Promise<Pick<Opinion, 'correct' | 'resolution'>> {
  const labels = await store.labels.owned(account, [promptId]);
  const label = labels.find(({ source }) => source === checks);
  const agreed = { outcome: 'labelled', label: null } as const;
  if (label === undefined) return { correct: null, resolution: agreed };
  const { answer } = label;
  const correct = await sameSaid(judge, promptId, { kind: 'answer', answer }, given);
  return { correct, resolution: correct ? agreed : 'disagree' };
}

/** A submission, and what was thought about it. */
export interface Considered {
  annotator: string;
  given: Submission;
  opinion: Opinion;
}

/** Takes submissions in, one after the other. What is refused is its annotator's matter alone, and has written nothing. */
export async function takeIn(
  context: QueueContext,
  repositories: Repositories,
  all: readonly Considered[],
): Promise<Came<Verdict | undefined>[]> {
  const came: Came<Verdict | undefined>[] = [];
  const room: Room = { labels: undefined };
  for (const one of all) {
    try {
      const verdict = await commit(context, repositories, room, one);
      came.push(() => verdict);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      came.push(() => {
        throw error;
      });
    }
  }
  return came;
}

/** Prompts with a label, at most, while nobody else can add one; undefined: to be counted, which takes a walk over all. */
interface Room {
  labels: number | undefined;
}

/** undefined: the task changed since the opinion was formed. UserError before anything is written. */
async function commit(
  context: QueueContext,
  repositories: Repositories,
  room: Room,
  { annotator, given, opinion }: Considered,
): Promise<Verdict | undefined> {
  const { account } = context.settings;
  const { promptId } = given;
  const now = context.clock();
  const { desk } = repositories;
  const task = await desk.task(account, promptId);
  if (task === undefined) throw notHeld(promptId);
  const lease = await desk.lease(account, annotator);
  if (lease?.promptId !== promptId) return await repeated(repositories, task, annotator, given);
  if (lease.expiresAt <= now) await requirePlace(context, repositories, task, annotator, now);
  if (task.revision !== opinion.revision) return undefined;
  await takeRoom(context, repositories, room, task, opinion);
  await desk.annotate(annotationFor(task, lease, given, opinion.correct, now));
  await desk.dropLease(account, annotator);
  const verdict = await settle(repositories, task, given, opinion, now);
  const { kind, revealed } = given;
  const event = { at: now, annotator, action: 'label.submit', promptId } as const;
  await context.record(repositories, { ...event, detail: { kind, verdict, revealed } });
  return verdict;
}

/** The queue keeps room for every question it hands out; labels from elsewhere may still have taken it. */
async function takeRoom(
  { settings: { account, budget } }: QueueContext,
  { labels }: Repositories,
  room: Room,
  { promptId }: TaskRecord,
  { resolution }: Opinion,
): Promise<void> {
  const isLabel = typeof resolution === 'object' && resolution.label !== null;
  if (budget === null || !isLabel) return;
  room.labels ??= await labels.count(account);
  if (room.labels >= budget) room.labels = await labels.count(account);
  if (room.labels < budget) {
    room.labels += 1;
    return;
  }
  if ((await labels.owned(account, [promptId])).length > 0) return;
  throw new UserError({
    wanted: 'room in the label budget',
    found: 'that labels from elsewhere used it up meanwhile',
    fix: 'Raise the budget, or skip the question.',
  });
}

/** The verdict that the annotator's same submission got before. UserError where there is none. */
async function repeated(
  { desk }: Repositories,
  task: TaskRecord,
  annotator: string,
  { promptId, kind, answer }: Submission,
): Promise<Verdict> {
  const before = (await desk.standing(task.account, [promptId])).find(
    (one) => one.annotator === annotator && !one.adjudicates,
  );
  if (before?.kind !== kind || before.answer !== answer) throw notHeld(promptId);
  return verdictOn(task, kind);
}

function verdictOn(task: TaskRecord, kind: Submission['kind']): Verdict {
  if (kind === 'skip') return 'skipped';
  if (task.gold) return 'gold';
  if (task.checks !== null) return 'check';
  if (task.state === 'done') return task.outcome === 'labelled' ? 'decided' : 'closed';
  return task.answers >= task.overlap ? 'disagree' : 'waiting';
}

/** Somebody who comes late gets in where nobody else has taken the place, and the budget has room. */
async function requirePlace(
  { settings }: QueueContext,
  repositories: Repositories,
  task: TaskRecord,
  annotator: string,
  now: number,
): Promise<void> {
  const { account, promptId } = task;
  const hands = await repositories.desk.hands(account, promptId, annotator, now);
  const started = task.gold || task.checks !== null || task.answers > 0 || hands > 0;
  const free =
    task.state === 'open' &&
    task.answers + hands < task.overlap &&
    (started || (await hasRoom(repositories, settings, now)));
  if (free) return;
  throw new UserError({
    wanted: 'an answer while the question is in your hands',
    found: 'that its time ran out and its place is taken',
    where: `prompt '${promptId}'`,
    fix: 'Go on with the next question.',
  });
}

function annotationFor(
  { account, gold, checks }: TaskRecord,
  { annotator, takenAt }: LeaseRecord,
  { promptId, kind, answer, note, revealed }: Submission,
  correct: boolean | null,
  now: number,
): Omit<AnnotationRecord, 'ordinal'> {
  return {
    ...{ account, promptId, annotator, kind, answer, note, revealed, gold, checks, correct },
    seconds: Math.max(0, now - takenAt) / 1000,
    at: now,
    undone: false,
    adjudicates: false,
  };
}

/** Moves the task on by one answer. */
async function settle(
  repositories: Repositories,
  task: TaskRecord,
  { kind }: Submission,
  { resolution }: Opinion,
  now: number,
): Promise<Verdict> {
  const { account, promptId } = task;
  if (kind === 'skip' || task.gold) return verdictOn(task, kind);
  const after: TaskRecord = { ...task, answers: task.answers + 1 };
  if (resolution === 'disagree') {
    // One that is no longer wanted needs no ruling; ordered again, it goes there.
    if (task.state === 'open') after.state = 'adjudicate';
  } else if (resolution !== undefined) {
    after.state = 'done';
    after.outcome = resolution.outcome;
    after.decidedAt = now;
    after.labelSource = resolution.label?.source ?? null;
    // That there is room was seen under the same lock.
    await labelFor(repositories, task, resolution, null);
  }
  await repositories.desk.change(account, promptId, after);
  return verdictOn(after, kind);
}

function notHeld(promptId: string): UserError {
  return new UserError({
    wanted: 'an answer to the question that you hold',
    found: `one to '${promptId}', which you do not`,
    fix: 'Ask for the next question.',
  });
}
