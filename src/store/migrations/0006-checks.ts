/**
 * Labels that are put before people again: `checks` is the source of the label, in a task and in what was said of it.
 * Changes of state that happen again.
 */
export const checks = {
  id: 6,
  name: 'checks of labels',
  sql: `
alter table tasks add column checks text;
alter table annotations add column checks text;

drop index tasks_next;
create index tasks_next on tasks (account, utility desc, created_at, (prompt_id collate "C"))
  where state = 'open' and not gold and checks is null;
create index tasks_check on tasks (account, utility desc, created_at, (prompt_id collate "C"))
  where state = 'open' and checks is not null;
-- A label may come, be taken back and come again without a step of training in between: the same change, once more.
alter table transitions add column again integer not null default 0;
alter table transitions drop constraint transitions_plan_revision_prompt_id_round_step_to_state_key;
alter table transitions add constraint transitions_once
  unique (plan, revision, prompt_id, round, step, to_state, again);
create index annotations_check on annotations (account, checks) where checks is not null;
`,
};
