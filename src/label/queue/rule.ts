/** Settling a disagreement. */
import { UserError } from '../../core/errors.ts';
import { alone, type QueueContext } from './context.ts';
import { labelFor, resolved } from './resolution.ts';
import { cleaned } from './submit.ts';
import type { Submission, Verdict } from './types.ts';

/** The ruling is the last word, and a label by it is its author's. UserError where the prompt is not in dispute. */
export async function rule(
  context: QueueContext,
  annotator: string,
  ruling: Omit<Submission, 'revealed'>,
): Promise<Verdict> {
  const given = cleaned(ruling);
  const { promptId, kind, answer, note } = given;
  if (kind === 'skip') {
    throw new UserError({
      wanted: 'an answer, or that the question has none',
      found: 'a ruling that says neither',
      where: `prompt '${promptId}'`,
    });
  }
  const resolution = resolved(given, await context.nameOf(annotator));
  const { account, budget } = context.settings;
  return await alone(context, async (repositories) => {
    const { desk } = repositories;
    const task = await desk.task(account, promptId);
    if (task?.state !== 'adjudicate') throw notInDispute(promptId);
    const now = context.clock();
    await desk.annotate({
      ...{ account, promptId, annotator, kind, answer, note },
      revealed: false,
      seconds: 0,
      at: now,
      undone: false,
      adjudicates: true,
      gold: false,
      correct: null,
    });
    await labelFor(repositories, task, resolution, budget);
    await desk.change(account, promptId, {
      state: 'done',
      outcome: resolution.outcome,
      answers: task.answers,
      labelSource: resolution.label?.source ?? null,
      decidedAt: now,
    });
    return resolution.label === null ? 'closed' : 'decided';
  });
}

function notInDispute(promptId: string): UserError {
  return new UserError({
    wanted: 'a question whose answers disagree',
    found: `'${promptId}', which is not in dispute`,
    fix: 'Load the list of disputes again: somebody may have settled it.',
  });
}
