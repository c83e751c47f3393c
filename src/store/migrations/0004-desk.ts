/** The annotation queue: what waits for a label, in whose hands it is, what was said. Times are milliseconds since 1970. */
export const desk = {
  id: 4,
  name: 'annotation desk',
  sql: `
create table tasks (
  account text not null,
  prompt_id text not null references prompts (id) on delete cascade,
  utility double precision not null,
  run text,
  step integer,
  reason text not null,
  state text not null check (state in ('open', 'adjudicate', 'done', 'withdrawn')),
  outcome text check (outcome in ('labelled', 'no_answer', 'bad_question')),
  overlap integer not null check (overlap >= 1),
  gold boolean not null,
  -- Answers that count towards the overlap; none for gold.
  answers integer not null check (answers between 0 and overlap),
  -- Goes up with every change but of the utility.
  revision integer not null,
  -- Source of the label that the task made.
  label_source text,
  created_at double precision not null,
  decided_at double precision,
  primary key (account, prompt_id),
  check ((state = 'done') = (outcome is not null))
);
-- In the order in which questions are handed out; the collation makes it the same on every server.
create index tasks_next on tasks (account, utility desc, created_at, (prompt_id collate "C"))
  where state = 'open' and not gold;
create index tasks_gold on tasks (account, utility desc, created_at, (prompt_id collate "C"))
  where state = 'open' and gold;
create index tasks_undecided on tasks (account, prompt_id)
  where state in ('open', 'adjudicate') and answers > 0;
create index tasks_disputed on tasks (account, utility desc, created_at, (prompt_id collate "C"))
  where state = 'adjudicate';

create table golds (
  account text not null,
  prompt_id text not null,
  answer text not null,
  primary key (account, prompt_id),
  foreign key (account, prompt_id) references tasks (account, prompt_id) on delete cascade
);

-- One question per annotator; a row stays after its time until its annotator moves on.
create table leases (
  account text not null,
  prompt_id text not null,
  annotator text not null,
  taken_at double precision not null,
  expires_at double precision not null,
  primary key (account, annotator),
  foreign key (account, prompt_id) references tasks (account, prompt_id) on delete cascade
);
create index leases_of_prompt on leases (account, prompt_id);

create table annotations (
  ordinal integer primary key,
  account text not null,
  prompt_id text not null,
  annotator text not null,
  kind text not null check (kind in ('answer', 'no_answer', 'bad_question', 'skip')),
  answer text check ((answer is not null) = (kind = 'answer')),
  note text not null,
  revealed boolean not null,
  seconds double precision not null check (seconds >= 0),
  at double precision not null,
  undone boolean not null,
  adjudicates boolean not null,
  gold boolean not null,
  -- Whether a gold question was answered right.
  correct boolean,
  foreign key (account, prompt_id) references tasks (account, prompt_id) on delete cascade
);
create index annotations_of_annotator on annotations (account, annotator, ordinal);
create unique index annotations_once on annotations (account, prompt_id, annotator)
  where not undone and not adjudicates;
create unique index annotations_one_ruling on annotations (account, prompt_id)
  where not undone and adjudicates;

-- A label that was taken back stays for the audit, and its source may label the prompt again.
alter table labels add column withdrawn_at double precision;
alter table labels drop constraint labels_account_prompt_id_source_key;
create unique index labels_once on labels (account, prompt_id, source) where withdrawn_at is null;
`,
};
