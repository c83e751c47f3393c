/** Signing in and out, and using one-time links. */
import type { DeskContext } from '../context.ts';
import { type Call, Refusal, type RouteEntry, type SignedIn } from '../types.ts';
import {
  acceptInvitation,
  invitationToken,
  type Me,
  passwordChange,
  paths,
  signIn,
  type WireInvited,
} from '../wire.ts';

export function routes(context: DeskContext): RouteEntry[] {
  const { accounts, sessions, store, audit } = context;
  const me = (session: SignedIn | null): Me => ({
    user: session?.user ?? null,
    csrf: session?.csrf ?? null,
    account: session === null ? '' : context.account,
    version: session === null ? '' : context.version,
  });
  const signedIn = async (
    { token, session }: { token: string; session: SignedIn },
    { host, session: before }: Call,
  ) => {
    // The browser forgets it, so nobody could end it.
    if (before !== null) await store.sessions.end(before.id);
    const headers = { 'set-cookie': sessions.cookie(token, host) };
    return Response.json(me(session), { headers });
  };
  const signedOut = async ({ host }: Call) => {
    await context.live.endStale();
    return new Response(null, {
      status: 204,
      headers: { 'set-cookie': sessions.noCookie(host) },
    });
  };
  return [
    { method: 'GET', path: paths.me, access: 'anyone', handle: ({ session }) => me(session) },
    {
      method: 'POST',
      path: paths.session,
      access: 'anyone',
      async handle(call) {
        const given = await call.body(signIn);
        const begun = await accounts.signIn(given, call.address).catch(async (error) => {
          // Those that were not even tried are no news, and there may be many.
          if (error instanceof Refusal && error.status === 401) {
            await audit(null, 'session.refused', given.name, { address: call.address });
          }
          throw error;
        });
        await audit(begun.session.user, 'session.begin', begun.session.user.name, {
          address: call.address,
        });
        return await signedIn(begun, call);
      },
    },
    {
      method: 'DELETE',
      path: paths.session,
      access: 'viewer',
      async handle(call) {
        if (call.session !== null) await store.sessions.end(call.session.id);
        await audit(call.user, 'session.end', call.user.name);
        return await signedOut(call);
      },
    },
    {
      method: 'DELETE',
      path: paths.sessions,
      access: 'viewer',
      async handle(call) {
        await store.sessions.endOf(call.user.id);
        await audit(call.user, 'session.end_all', call.user.name);
        return await signedOut(call);
      },
    },
    {
      method: 'POST',
      path: paths.password,
      access: 'viewer',
      async handle(call) {
        const given = await call.body(passwordChange);
        if (call.session === null) throw new Error('a route for viewers met nobody');
        const begun = await accounts.changePassword(call.session, given, call.address);
        await audit(call.user, 'user.password', call.user.name);
        await context.live.endStale();
        return await signedIn(begun, call);
      },
    },
    {
      method: 'POST',
      path: paths.look,
      access: 'anyone',
      async handle(call): Promise<WireInvited> {
        const { token } = await call.body(invitationToken);
        const { invitation, user } = await accounts.look(token, call.address);
        if (user !== null) return { kind: 'sign_in', role: user.role, name: user.name };
        return { kind: 'new', role: invitation.role, name: invitation.name };
      },
    },
    {
      method: 'POST',
      path: paths.accept,
      access: 'anyone',
      async handle(call) {
        const { token, name, password } = await call.body(acceptInvitation);
        const given = {
          token,
          ...(name === undefined ? {} : { name }),
          ...(password === undefined ? {} : { password }),
        };
        const begun = await accounts.accept(given, call.address);
        const { user } = begun.session;
        await audit(user, begun.isNew ? 'user.join' : 'session.begin_by_link', user.name, {
          address: call.address,
          role: user.role,
        });
        context.changed('users');
        return await signedIn(begun, call);
      },
    },
  ];
}
