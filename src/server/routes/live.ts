/** What changes, as it happens. */
import type { DeskContext } from '../context.ts';
import { Refusal, type RouteEntry } from '../types.ts';
import { paths } from '../wire.ts';

export function routes({ live }: DeskContext): RouteEntry[] {
  return [
    {
      method: 'GET',
      path: paths.live,
      access: 'viewer',
      handle({ session }) {
        if (session === null) throw new Refusal(401, 'Sign in first.');
        return live.open(session.id);
      },
    },
  ];
}
