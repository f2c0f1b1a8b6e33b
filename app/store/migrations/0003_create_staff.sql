create table staff (
  id integer primary key,
  login text not null unique,
  name text not null,
  kana text not null,
  role text not null,
  job text not null,
  centre_id integer references support_centres,   -- null: the city
  starts_on text not null,
  ends_on text,                                   -- last day of work
  recorded_at text not null
) strict;

-- The newest row is the password; the others are its history.
create table staff_passwords (
  id integer primary key,
  staff_id integer not null references staff,
  hash text not null,                             -- argon2id, PHC string
  must_change integer not null check (must_change in (0, 1)),
  recorded_at text not null
) strict;
create index staff_passwords_by_staff on staff_passwords (staff_id, id);

-- Failures since the last success, per login as typed (hashed: a password typed into the wrong
-- box must not be readable here) and per terminal.
create table sign_in_failures (
  subject text primary key,
  failures integer not null,
  last_at text not null
) strict, without rowid;

-- Operational state, not a record: rows change while somebody works.
create table sessions (
  id integer primary key,
  token_hash blob not null unique,
  staff_id integer not null references staff,
  csrf text not null,
  terminal text not null,
  started_at text not null,
  last_seen_at text not null,
  ended_at text,
  ended_by text check (ended_by in ('signed_out', 'everywhere', 'idle', 'limit', 'password', 'replaced'))
) strict;
create index sessions_by_staff on sessions (staff_id) where ended_at is null;
