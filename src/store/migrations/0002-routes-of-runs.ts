/** A run that routes without a plan files its transitions under a name of its own. */
import type { Migration } from './index.ts';

export const routesOfRuns: Migration = {
  id: 2,
  name: 'routes of runs',
  sql: `
alter table transitions drop constraint transitions_plan_fkey;
alter table routes drop constraint routes_plan_fkey;
`,
};
