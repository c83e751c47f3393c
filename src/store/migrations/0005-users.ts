/** Who may sign in, and what they did. Times are milliseconds since 1970; secrets are kept as hashes only. */
export const users = {
  id: 5,
  name: 'users',
  sql: `
create table users (
  id text primary key,
  name text not null,
  name_key text not null unique,
  role text not null check (role in ('admin', 'annotator', 'viewer')),
  kind text not null check (kind in ('person', 'teacher')),
  disabled boolean not null,
  password text,
  created_at double precision not null,
  -- A teacher is a model: nothing of it can sign in.
  check (kind = 'person' or password is null)
);

create table sessions (
  key text primary key,
  user_id text not null references users (id) on delete cascade,
  created_at double precision not null,
  seen_at double precision not null,
  expires_at double precision not null
);
create index sessions_of_user on sessions (user_id);

create table invitations (
  key text primary key,
  user_id text references users (id) on delete cascade,
  role text not null check (role in ('admin', 'annotator', 'viewer')),
  name text,
  created_by text references users (id) on delete set null,
  created_at double precision not null,
  expires_at double precision not null,
  used boolean not null
);

-- No reference to users: what was done stays on record.
create table audit (
  ordinal integer primary key,
  at double precision not null,
  user_id text,
  action text not null,
  subject text not null,
  detail json not null
);
-- Hashed, because a subject may be longer than an index takes.
create index audit_of_user on audit (user_id, action, md5(subject));
`,
};
