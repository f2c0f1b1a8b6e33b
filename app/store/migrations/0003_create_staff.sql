create table staff (
  id integer primary key,
  login text not null unique,                     -- lower case; never given to somebody else
  name text not null,
  kana text not null,
  recorded_at text not null
) strict;

-- What somebody does, where, since when. The posts of one person never overlap.
create table staff_posts (
  id integer primary key,
  staff_id integer not null references staff,
  role text not null,
  job text not null,
  centre_id integer references support_centres,   -- null: the city
  starts_on text not null,
  reason text not null,
  recorded_by integer references staff,           -- null: the console
  recorded_at text not null
) strict;
create index staff_posts_by_staff on staff_posts (staff_id, id);

-- The newest row counts. A last day before the first one: the post never came to be.
create table staff_post_endings (
  id integer primary key,
  post_id integer not null references staff_posts,
  ends_on text,                                   -- last day; null: goes on after all
  reason text not null,
  recorded_by integer references staff,           -- null: the console
  recorded_at text not null
) strict;
create index staff_post_endings_by_post on staff_post_endings (post_id, id);

-- Each post with the last day that counts: what decides role and centre of a day.
create view staff_terms as
  select p.id, p.staff_id, p.role, p.job, p.centre_id, p.starts_on,
         (select e.ends_on from staff_post_endings e where e.post_id = p.id
          order by e.id desc limit 1) as ends_on
  from staff_posts p;

-- The newest row is the password; the others are its history.
create table staff_passwords (
  id integer primary key,
  staff_id integer not null references staff,
  hash text not null,                             -- argon2id, PHC string
  must_change integer not null check (must_change in (0, 1)),
  recorded_by integer references staff,           -- null: the console
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
  certificate_id integer references terminal_certificates,  -- the session holds at this terminal only
  locked_at text,                                 -- nothing is shown or taken before the password
  factor_open integer not null default 0 check (factor_open in (0, 1)),  -- 1: half signed in
  challenge text,                                 -- of the second factor under way
  ended_at text,
  ended_by text check (ended_by in ('signed_out', 'everywhere', 'limit', 'password', 'replaced',
    'administrator', 'terminal', 'factor'))
) strict;
create index sessions_by_staff on sessions (staff_id, started_at);
