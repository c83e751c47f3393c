/** How annotators do, and how far they agree: for admins, since it speaks of persons. */
import type { DeskContext } from '../context.ts';
import type { RouteEntry } from '../types.ts';
import { paths } from '../wire.ts';

export function routes({ queue }: DeskContext): RouteEntry[] {
  return [
    {
      method: 'GET',
      path: paths.figures,
      access: 'admin',
      async handle() {
        const [annotators, checks, agreement] = await Promise.all([
          queue.figures(),
          queue.checks(),
          queue.agreement(),
        ]);
        return { annotators, checks, agreement };
      },
    },
  ];
}
