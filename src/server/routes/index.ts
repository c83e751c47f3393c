/** All routes. A new noun is a new file and a new line here. */
import type { DeskContext } from '../context.ts';
import type { RouteEntry } from '../types.ts';
import { routes as adjudication } from './adjudication.ts';
import { routes as audit } from './audit.ts';
import { routes as dashboard } from './dashboard.ts';
import { routes as exports } from './exports.ts';
import { routes as figures } from './figures.ts';
import { routes as live } from './live.ts';
import { routes as queue } from './queue.ts';
import { routes as session } from './session.ts';
import { routes as traces } from './traces.ts';
import { routes as users } from './users.ts';

export function routesOf(context: DeskContext): RouteEntry[] {
  return [
    session,
    users,
    queue,
    adjudication,
    figures,
    audit,
    live,
    traces,
    dashboard,
    exports,
  ].flatMap((routes) => routes(context));
}
