/** Taking back what was said last. */
import { UserError } from '../../core/errors.ts';
import type { AnnotationRecord, TaskRecord } from '../../store/desk.ts';
import type { Repositories } from '../../store/types.ts';
import { alone, counts, isWork, leaseFrom, type QueueContext } from './context.ts';
import type { Submission } from './types.ts';

/**
 * Takes the annotator's last annotation back, and the label it made; its question goes into their hands again, in the
 * place of one that they hold. A ruling that is taken back puts its question in dispute again, with its labels. Where the question has
 * a label from elsewhere, or others decided it, it is not handed out. UserError, with nothing changed, where somebody
 * else has ruled on it or it is in other hands.
 */
export async function undo(context: QueueContext, annotator: string): Promise<Submission | null> {
  const { account } = context.settings;
  return await alone(context, async (repositories) => {
    const now = context.clock();
    const { desk } = repositories;
    const last = await desk.latest(account, annotator);
    const task = last && (await desk.task(account, last.promptId));
    if (last === undefined || task === undefined) return null;
    await refuseRuled(repositories, last);
    await desk.markUndone(last.ordinal);
    const after = await reopened(context, repositories, task, last, now);
    if (!last.adjudicates && (after.state === 'open' || after.state === 'withdrawn')) {
      await handBack(context, repositories, after, annotator, now);
    }
    const { promptId, kind, answer, note, revealed } = last;
    const event = { at: now, annotator, action: 'label.undo', promptId } as const;
    await context.record(repositories, { ...event, detail: {} });
    return { promptId, kind, answer, note, revealed };
  });
}

/** A ruling of one's own came later and is undone first. */
async function refuseRuled({ desk }: Repositories, last: AnnotationRecord): Promise<void> {
  if (last.adjudicates || last.kind === 'skip') return;
  const standing = await desk.standing(last.account, [last.promptId]);
  if (!standing.some((one) => one.adjudicates)) return;
  throw new UserError({
    wanted: 'an answer that can be taken back',
    found: 'one on which somebody else has ruled since',
    where: `prompt '${last.promptId}'`,
  });
}

/** The task as it stands without `last`. */
async function reopened(
  { settings: { budget } }: QueueContext,
  { desk, labels }: Repositories,
  task: TaskRecord,
  last: AnnotationRecord,
  now: number,
): Promise<TaskRecord> {
  const { account, promptId } = task;
  if (!last.adjudicates && !counts(last)) return task;
  if (task.labelSource !== null) {
    // Later than a ruling of this moment: what it took back is known by its time, and this is not of it.
    const at = last.adjudicates ? Math.max(now, last.at + 1) : now;
    await labels.withdraw(account, promptId, task.labelSource, at);
  }
  const restored = last.adjudicates ? await labels.restore(account, promptId, last.at) : 0;
  if (restored > 0 && budget !== null && (await desk.spoken(account, now)) > budget) {
    throw noRoom(promptId);
  }
  const labelled = (await labels.owned(account, [promptId])).length > 0;
  const state = stateAfter(task, last, labelled);
  const after: TaskRecord = {
    ...task,
    answers: task.answers - (last.adjudicates ? 0 : 1),
    state,
    outcome: state === 'done' ? 'labelled' : null,
    labelSource: null,
    decidedAt: null,
  };
  await desk.change(account, promptId, after);
  return after;
}

function stateAfter(
  { state, checks, labelSource }: TaskRecord,
  { adjudicates }: AnnotationRecord,
  labelled: boolean,
): TaskRecord['state'] {
  // A check is over when somebody has answered, not when there is a label: unless it was this answer's.
  const wantsCheck = checks !== null && (adjudicates || checks !== labelSource);
  if (labelled && !wantsCheck) return 'done';
  if (state === 'withdrawn') return state;
  return adjudicates ? 'adjudicate' : 'open';
}

async function handBack(
  { settings }: QueueContext,
  { desk }: Repositories,
  task: TaskRecord,
  annotator: string,
  now: number,
): Promise<void> {
  const { account, promptId } = task;
  const { budget } = settings;
  const hands = await desk.hands(account, promptId, annotator, now);
  await desk.putLease(leaseFrom(settings, promptId, annotator, now));
  const fits = budget === null || !isWork(task) || (await desk.spoken(account, now)) <= budget;
  if (fits && task.answers + hands < task.overlap) return;
  if (!fits) throw noRoom(promptId);
  throw new UserError({
    wanted: 'a question that can be handed out again',
    found: 'that it is in other hands',
    where: `prompt '${promptId}'`,
  });
}

function noRoom(promptId: string): UserError {
  return new UserError({
    wanted: 'a question that can be handed out again',
    found: 'that the label budget has no room for it',
    where: `prompt '${promptId}'`,
  });
}
