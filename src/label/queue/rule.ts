/** Settling a disagreement. */
import { UserError } from '../../core/errors.ts';
import type { OwnedLabel } from '../../store/types.ts';
import { alone, type QueueContext } from './context.ts';
import { sameSaid } from './judging.ts';
import { labelFor, resolved } from './resolution.ts';
import { cleaned } from './submit.ts';
import type { Submission, Verdict } from './types.ts';

type Ruling = Omit<Submission, 'revealed'>;

/** Changes of one task's labels under the judge's hands. */
const mostTries = 10;

/**
 * The ruling is the last word: labels that say otherwise are taken back, and where none is left, an answer is the label
 * of its author. UserError where the prompt is not in dispute.
 */
export async function rule(
  context: QueueContext,
  annotator: string,
  ruling: Ruling,
): Promise<Verdict> {
  const given = cleaned(ruling);
  if (given.kind === 'skip') {
    throw new UserError({
      wanted: 'an answer, or that the question has none',
      found: 'a ruling that says neither',
      where: `prompt '${given.promptId}'`,
    });
  }
  const { account } = context.settings;
  const name = await context.nameOf(annotator);
  for (let tries = 0; tries < mostTries; tries++) {
    // Judged before it is committed, for judges are slow; committed if the labels are still the same.
    const owned = await context.store.labels.owned(account, [given.promptId]);
    const wrong = await differing(context, owned, given);
    const verdict = await commit(context, { annotator, name }, given, { owned, wrong });
    if (verdict !== undefined) return verdict;
  }
  throw new Error(`the labels of '${given.promptId}' changed ${mostTries} times`);
}

/** Labels that do not say what the ruling says. */
async function differing(
  { judge }: QueueContext,
  owned: readonly OwnedLabel[],
  ruling: Ruling,
): Promise<OwnedLabel[]> {
  const wrong: OwnedLabel[] = [];
  for (const label of owned) {
    const said = { kind: 'answer', answer: label.answer } as const;
    if (!(await sameSaid(judge, ruling.promptId, said, ruling))) wrong.push(label);
  }
  return wrong;
}

/** undefined: the labels have changed since they were judged. */
async function commit(
  context: QueueContext,
  { annotator, name }: { annotator: string; name: string },
  given: Ruling,
  judged: { owned: readonly OwnedLabel[]; wrong: readonly OwnedLabel[] },
): Promise<Verdict | undefined> {
  const { promptId, kind, answer, note } = given;
  const { account, budget } = context.settings;
  const { outcome, label } = resolved(given, name);
  return await alone(context, async (repositories) => {
    const { desk, labels } = repositories;
    const task = await desk.task(account, promptId);
    if (task?.state !== 'adjudicate') throw notInDispute(promptId);
    if (keysOf(await labels.owned(account, [promptId])) !== keysOf(judged.owned)) return undefined;
    const now = context.clock();
    await desk.annotate({
      ...{ account, promptId, annotator, kind, answer, note },
      revealed: false,
      seconds: 0,
      at: now,
      undone: false,
      adjudicates: true,
      gold: false,
      checks: null,
      correct: null,
    });
    for (const { source } of judged.wrong) await labels.withdraw(account, promptId, source, now);
    // One of the labels may be what the ruling says.
    const added = judged.wrong.length < judged.owned.length ? null : label;
    await labelFor(repositories, task, { outcome, label: added }, budget);
    await desk.change(account, promptId, {
      ...task,
      state: 'done',
      outcome,
      labelSource: added?.source ?? null,
      decidedAt: now,
    });
    const verdict = label === null ? 'closed' : 'decided';
    const event = { at: now, annotator, action: 'label.rule', promptId } as const;
    await context.record(repositories, { ...event, detail: { kind, verdict } });
    return verdict;
  });
}

function keysOf(labels: readonly OwnedLabel[]): string {
  return JSON.stringify(labels.map(({ source, answer }) => [source, answer]));
}

function notInDispute(promptId: string): UserError {
  return new UserError({
    wanted: 'a question whose answers disagree',
    found: `'${promptId}', which is not in dispute`,
    fix: 'Load the list of disputes again: somebody may have settled it.',
  });
}
