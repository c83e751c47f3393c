/** Questions in an annotator's hands, and what they say of them. */

import type { AnnotationKind, Next, Verdict } from '../../label/queue/types.ts';
import { answersByClass, readAnswer } from '../answers.ts';
import { messagesOf } from '../content.ts';
import type { DeskContext } from '../context.ts';
import { openLimiter } from '../limits.ts';
import { type Call, Refusal, type RouteEntry } from '../types.ts';
import {
  paths,
  previewRequest,
  revealRequest,
  submission,
  type WireNext,
  type WireProgress,
  type WireQuestion,
  type WireSubmitted,
} from '../wire.ts';

/** Reasons that would tell an annotator that their answer is checked. */
const secretReasons = new Set(['gold', 'check']);

/** Questions to the verifiers that one annotator may ask: a typist needs few, and all share the threads. */
const perAnnotator = { tries: 60, perMs: 10_000 };

export function routes(context: DeskContext): RouteEntry[] {
  const { audit, queue } = context;
  const asking = openLimiter(perAnnotator, context.clock);
  const refuseFlood = ({ user }: Call) => {
    const seconds = asking.take(user.id);
    if (seconds === 0) return;
    throw new Refusal(429, 'Too many previews at once.', {
      headers: { 'retry-after': String(seconds) },
    });
  };
  return [
    {
      method: 'POST',
      path: paths.next,
      access: 'annotator',
      handle: (call) => next(context, call),
    },
    {
      method: 'POST',
      path: paths.submit,
      access: 'annotator',
      async handle(call) {
        const given = await call.body(submission);
        const { promptId, kind } = given;
        // The page says so too, but only what was really shown counts.
        const revealed =
          given.revealed ||
          (await context.store.auditLog.did(call.user.id, 'label.reveal', promptId));
        const verdict = await queue.submit(call.user.id, { ...given, revealed });
        context.labelled(verdict);
        return { verdict: shownVerdict(context, kind, verdict), next: await next(context, call) };
      },
    },
    {
      method: 'POST',
      path: paths.undo,
      access: 'annotator',
      async handle(call) {
        const undone = await queue.undo(call.user.id);
        context.labelled('decided');
        return { undone, next: await next(context, call) };
      },
    },
    {
      method: 'POST',
      path: paths.release,
      access: 'annotator',
      async handle({ user }) {
        await queue.release(user.id);
        context.changed('queue');
      },
    },
    {
      method: 'POST',
      path: paths.preview,
      access: 'annotator',
      async handle(call) {
        const { promptId, answer } = await call.body(previewRequest);
        refuseFlood(call);
        const { source } = await promptOf(context, promptId);
        return await readAnswer(context.verifiers.of(source), answer);
      },
    },
    {
      method: 'POST',
      path: paths.reveal,
      access: 'annotator',
      async handle(call) {
        const { promptId } = await call.body(revealRequest);
        const { source } = await promptOf(context, promptId);
        await refuseIdle(context, call, promptId);
        refuseFlood(call);
        await audit(call.user, 'label.reveal', promptId);
        const rollouts = await context.store.rollouts.of(await context.round(), [promptId]);
        const answers = rollouts.map(({ answer }) => answer);
        return await answersByClass(context.verifiers.of(source), answers);
      },
    },
    {
      method: 'GET',
      path: paths.progress,
      access: 'viewer',
      handle: (call) => progress(context, call),
    },
  ];
}

async function next(context: DeskContext, call: Call): Promise<WireNext> {
  const found = await context.queue.next(call.user.id);
  if ('lease' in found) context.changed('queue');
  const [question, figures] = await Promise.all([
    'lease' in found ? questionOf(context, found) : null,
    progress(context, call),
  ]);
  return { question, nothing: 'nothing' in found ? found.nothing : null, progress: figures };
}

async function questionOf(
  context: DeskContext,
  { task, lease }: Extract<Next, { task: unknown }>,
): Promise<WireQuestion> {
  const { promptId, run, step, reason } = task;
  const { prompt, source } = await promptOf(context, promptId);
  return {
    ...{ promptId, source, run, step },
    messages: messagesOf(prompt),
    reason: secretReasons.has(reason) ? 'planned' : reason,
    expiresAt: lease.expiresAt,
  };
}

async function progress(context: DeskContext, { user }: Call): Promise<WireProgress> {
  const midnight = new Date(context.clock()).setHours(0, 0, 0, 0);
  const [all, mine] = await Promise.all([
    context.progress(),
    context.store.watch.own(context.account, user.id, midnight),
  ]);
  return { ...all, mine };
}

async function promptOf({ store }: DeskContext, promptId: string) {
  const [prompt] = await store.prompts.list([promptId]);
  if (prompt === undefined) throw new Refusal(404, 'There is no such question.');
  return prompt;
}

/** The policy's answers are for whoever has the question in hand, or settles a dispute about it. */
async function refuseIdle(
  { store, account, clock }: DeskContext,
  { user }: Call,
  promptId: string,
): Promise<void> {
  if (user.role === 'admin') return;
  const lease = await store.desk.lease(account, user.id);
  if (lease?.promptId === promptId && lease.expiresAt > clock()) return;
  throw new Refusal(409, 'This question is not in your hands any more. Take the next one.');
}

/** Whether a question was there to check its annotator, or a teacher, is not theirs to know. */
function shownVerdict(
  { queue }: DeskContext,
  kind: AnnotationKind,
  verdict: Verdict,
): WireSubmitted['verdict'] {
  if (verdict !== 'gold' && verdict !== 'check') return verdict;
  if (queue.settings.overlap > 1) return 'waiting';
  return kind === 'answer' ? 'decided' : 'closed';
}
