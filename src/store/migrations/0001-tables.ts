/** The first tables. Plain PostgreSQL 15; a migration that was released is never edited. */
export const tables = {
  id: 1,
  name: 'tables',
  sql: `
create table prompts (
  id text primary key,
  position integer not null unique,
  content json not null,
  source text not null,
  metadata json not null
);

create table rollouts (
  prompt_id text not null references prompts (id) on delete cascade,
  round integer not null,
  sample integer not null check (sample >= 0),
  text text not null,
  tokens bytea not null,
  prompt_length integer not null,
  length integer not null,
  mean_logprob double precision not null,
  mean_entropy double precision not null,
  max_entropy double precision not null,
  mean_self_certainty double precision not null,
  answer text,
  answer_class integer not null check (answer_class >= -1),
  finish text not null check (finish in ('stop', 'length')),
  primary key (round, prompt_id, sample)
);

create table traces (
  prompt_id text not null,
  round integer not null,
  sample integer not null,
  tokens integer not null,
  heads json not null,
  far_mass bytea,
  distance bytea,
  entropy bytea,
  change bytea,
  received bytea,
  agreement bytea,
  layer_far_mass bytea,
  changes bytea,
  primary key (round, prompt_id, sample),
  foreign key (round, prompt_id, sample) references rollouts (round, prompt_id, sample) on delete cascade
);

create table scores (
  prompt_id text not null references prompts (id) on delete cascade,
  round integer not null,
  estimator text not null,
  value double precision not null,
  primary key (round, estimator, prompt_id)
);

create table plans (
  name text primary key,
  revision integer not null,
  body json not null
);

-- Probes are drawn before the plan is made, so their plan need not be saved yet.
create table probes (
  plan text not null,
  prompt_id text not null references prompts (id) on delete cascade,
  round integer not null,
  pass_rate double precision not null check (pass_rate between 0 and 1),
  vote_right boolean,
  primary key (plan, prompt_id)
);

create table routes (
  plan text not null references plans (name) on delete cascade,
  prompt_id text not null references prompts (id) on delete cascade,
  state text not null,
  primary key (plan, prompt_id)
);

create table transitions (
  ordinal integer primary key,
  plan text not null references plans (name) on delete cascade,
  revision integer not null,
  prompt_id text not null references prompts (id) on delete cascade,
  round integer not null,
  step integer not null check (step >= -1),
  from_state text,
  to_state text not null,
  rule text not null,
  evidence json not null,
  unique (plan, revision, prompt_id, round, step, to_state)
);

create table labels (
  ordinal integer primary key,
  account text not null,
  prompt_id text not null references prompts (id) on delete cascade,
  source text not null,
  answer text not null,
  cost double precision not null check (cost >= 0),
  noisy boolean not null,
  bought_run text,
  bought_step integer,
  unique (account, prompt_id, source)
);

create table runs (
  name text primary key,
  kind text not null,
  status text not null check (status in ('running', 'stopped', 'done', 'failed')),
  plan text,
  account text,
  config json not null,
  summary json not null
);

create table meta (
  key text primary key,
  value json not null
);
`,
};
