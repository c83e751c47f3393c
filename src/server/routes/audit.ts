/** Who did what: for admins. */
import { z } from 'zod';
import type { DeskContext } from '../context.ts';
import type { RouteEntry } from '../types.ts';
import { paths } from '../wire.ts';

const page = z.object({
  before: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

export function routes({ store }: DeskContext): RouteEntry[] {
  return [
    {
      method: 'GET',
      path: paths.audit,
      access: 'admin',
      async handle(call) {
        const { before, limit } = call.query(page);
        const records = await store.auditLog.page(limit, before);
        const names = new Map((await store.users.list()).map(({ id, name }) => [id, name]));
        return {
          entries: records.map(({ userId, ...rest }) => ({
            ...rest,
            who: userId === null ? null : (names.get(userId) ?? userId),
          })),
          before: records.length < limit ? null : (records.at(-1)?.ordinal ?? null),
        };
      },
    },
  ];
}
