-- Extraordinary access: doors that the city opens for the vendor, by the hour, and the sealed
-- envelopes for the day on which the last administrator is gone.
create table maintenance_grants (
  id integer primary key,
  staff_id integer not null references staff,     -- whom of the vendor
  purpose text not null,
  starts_at text not null,                        -- UTC
  ends_at text not null,                          -- UTC; a longer window is a new grant
  submission text not null unique,                -- one per opened form: a double click is one grant
  granted_by integer not null references staff,
  recorded_at text not null
) strict;
create index maintenance_grants_by_staff on maintenance_grants (staff_id, ends_at);
create index maintenance_grants_by_end on maintenance_grants (ends_at);

-- Ended before its time, by the city or by the vendor.
create table maintenance_endings (
  id integer primary key,
  grant_id integer not null unique references maintenance_grants,
  reason text not null,
  ended_by integer not null references staff,
  recorded_at text not null
) strict;

-- Everything that was asked for and typed in a window, written before it is done.
create table maintenance_requests (
  id integer primary key,
  grant_id integer not null references maintenance_grants,
  at text not null,
  terminal text not null,
  method text not null,
  path text not null,
  typed text not null,                            -- lines of name＝value, without secrets, bounded
  allowed integer not null check (allowed in (0, 1))
) strict;
create index maintenance_requests_by_grant on maintenance_requests (grant_id, id);

-- Two envelopes make a pair; only the hashes of what is in them are here.
create table break_glass_envelopes (
  id integer primary key,
  pair text not null,
  position integer not null check (position in (1, 2)),
  holder text not null,                           -- who keeps the envelope
  hash text not null,                             -- argon2id, PHC string
  prepared_by text not null,                      -- name of whoever sat at the console
  reason text not null,
  recorded_at text not null,
  unique (pair, position)
) strict;

create table break_glass_openings (
  id integer primary key,
  pair text not null unique,                      -- an envelope opens once
  staff_id integer not null references staff,     -- whose administrator account
  password_id integer not null unique references staff_passwords,
  valid_until text not null,                      -- UTC; the password must be changed before
  first_person text not null,
  second_person text not null,
  reason text not null,
  recorded_at text not null
) strict;

-- An administrator has taken note; the others still see it.
create table break_glass_acknowledgements (
  id integer primary key,
  opening_id integer not null references break_glass_openings,
  staff_id integer not null references staff,
  recorded_at text not null,
  unique (opening_id, staff_id)
) strict;
