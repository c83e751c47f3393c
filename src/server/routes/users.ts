/** Who may use the desk: for admins. */

import type { DeskContext } from '../context.ts';
import { annotatorOf } from '../sessions.ts';
import type { RouteEntry } from '../types.ts';
import { invitation, joinPage, paths, userChange } from '../wire.ts';

export function routes(context: DeskContext): RouteEntry[] {
  const { accounts, audit, store } = context;
  return [
    {
      method: 'GET',
      path: paths.users,
      access: 'admin',
      handle: async () => ({ users: (await store.users.list()).map(annotatorOf) }),
    },
    {
      method: 'POST',
      path: paths.invite,
      access: 'admin',
      async handle(call) {
        const { role, name } = await call.body(invitation);
        const { token, expiresAt } = await accounts.invite({ role, name }, call.user);
        await audit(call.user, 'user.invite', name ?? '', { role });
        return { url: linkTo(context, call.host, token), expiresAt };
      },
    },
    {
      method: 'POST',
      path: paths.userLink,
      access: 'admin',
      async handle(call) {
        const id = call.param('id');
        const { token, expiresAt } = await accounts.signInLink(id, call.user);
        await audit(call.user, 'user.link', id);
        return { url: linkTo(context, call.host, token), expiresAt };
      },
    },
    {
      method: 'PATCH',
      path: paths.user,
      access: 'admin',
      async handle(call) {
        const { role, disabled } = await call.body(userChange);
        const change = {
          ...(role === undefined ? {} : { role }),
          ...(disabled === undefined ? {} : { disabled }),
        };
        const changed = await accounts.change(call.param('id'), change);
        await audit(call.user, 'user.change', changed.name, change);
        if (changed.disabled) await context.queue.release(changed.id);
        await context.live.endStale();
        context.changed('users');
        return changed;
      },
    },
  ];
}

/** After the hash, so that no log on the way keeps the token. */
function linkTo({ origin }: DeskContext, host: string, token: string): string {
  return `${origin ?? `http://${host}`}${joinPage}#${token}`;
}
