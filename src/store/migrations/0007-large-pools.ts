/**
 * Pools of millions: the decisions of a plan are kept in pages, and changes of state refer to their prompts without a
 * check per row, which cost more than writing the row; the repository checks a batch at once.
 */
export const largePools = {
  id: 7,
  name: 'large pools',
  sql: `
-- How many decisions the plan has; null: its body is none of a plan and has no such list.
alter table plans add column decisions integer;

create table plan_pages (
  plan text not null references plans (name) on delete cascade,
  page integer not null check (page >= 0),
  -- JSON: a list of at most a thousand decisions, by rank. As text, for to check it takes as long as to write it.
  decisions text not null,
  primary key (plan, page)
);
-- To compress a page takes longer than to write it.
alter table plan_pages alter column decisions set storage external;

-- The text of a decision stays as it was written.
insert into plan_pages (plan, page, decisions)
  select name, (n - 1) / 1000, '[' || string_agg(decision::text, ',' order by n) || ']'
  from plans, json_array_elements(
    case when json_typeof(body) = 'object' and json_typeof(body -> 'decisions') = 'array'
      then body -> 'decisions' else '[]'::json end
  ) with ordinality as d (decision, n)
  group by name, (n - 1) / 1000;
update plans set
  decisions = json_array_length(body -> 'decisions'),
  body = (
    select ('{' || string_agg(
      to_json(key)::text || ':' || case when key = 'decisions' then '[]' else value::text end, ',' order by n
    ) || '}')::json
    from json_each(body) with ordinality as e (key, value, n)
  )
  where json_typeof(body) = 'object' and json_typeof(body -> 'decisions') = 'array';

alter table transitions drop constraint transitions_prompt_id_fkey;
alter table routes drop constraint routes_prompt_id_fkey;
`,
};
