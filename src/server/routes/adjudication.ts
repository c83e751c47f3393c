/** Disagreements, and who decides them: admins. */
import { z } from 'zod';
import { messagesOf } from '../content.ts';
import type { DeskContext } from '../context.ts';
import type { RouteEntry } from '../types.ts';
import { paths, ruling, type WireDispute } from '../wire.ts';

const page = z.object({ limit: z.coerce.number().int().min(1).max(100).default(20) });

export function routes(context: DeskContext): RouteEntry[] {
  const { queue, store } = context;
  return [
    {
      method: 'GET',
      path: paths.adjudication,
      access: 'admin',
      async handle(call) {
        const { limit } = call.query(page);
        const { disputes, total } = await queue.disputes(limit);
        const ids = disputes.map(({ task }) => task.promptId);
        const prompts = new Map((await store.prompts.list(ids)).map((one) => [one.id, one.prompt]));
        const names = new Map((await store.users.list()).map(({ id, name }) => [id, name]));
        return {
          total,
          disputes: disputes.map(
            ({ task, annotations, labels }): WireDispute => ({
              promptId: task.promptId,
              messages: messagesOf(prompts.get(task.promptId) ?? ''),
              labels,
              annotations: annotations.map(
                ({ ordinal, annotator, kind, answer, note, revealed, at }) => ({
                  ...{ ordinal, kind, answer, note, revealed, at },
                  annotator: names.get(annotator) ?? annotator,
                }),
              ),
            }),
          ),
        };
      },
    },
    {
      method: 'POST',
      path: paths.adjudication,
      access: 'admin',
      async handle(call) {
        const given = await call.body(ruling);
        const verdict = await queue.rule(call.user.id, given);
        context.labelled(verdict);
        return { verdict };
      },
    },
  ];
}
