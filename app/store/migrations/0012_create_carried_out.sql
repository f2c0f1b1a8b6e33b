-- 持出し台帳: everything that leaves, whether the product made the file or somebody took a medium.
-- Holds no name of a resident: what it was and how many persons are in it.
create table carried_out (
  id integer primary key,
  centre_id integer references support_centres,   -- null: the city
  origin text not null check (origin in ('export', 'manual', 'command')),
  submission text not null unique,                -- one per opened form: a double click is one entry
  created_by integer references staff,            -- null: the console
  operator text not null,                         -- who sat at the console; '' otherwise
  created_at text not null
) strict;
create index carried_out_by_centre on carried_out (centre_id);
create index carried_out_by_staff on carried_out (created_by);

-- A correction adds a version; the former ones stay readable.
create table carried_out_versions (
  id integer primary key,
  carried_out_id integer not null references carried_out,
  version integer not null,
  taken_on text not null,
  what text not null,
  persons integer not null check (persons >= 0),
  purpose text not null,                          -- code list carried_out_purpose
  purpose_note text not null,
  medium text not null,                           -- code list carried_out_medium
  medium_note text not null,                      -- number of the USB stick, label of the disk
  destination text not null,
  carried_by text not null,                       -- member of staff or vendor who takes it along
  encrypted integer not null check (encrypted in (0, 1)),
  protection text not null,                       -- what protects it instead, when not encrypted
  due_on text,                                    -- null: stays there for good
  note text not null,
  recorded_by integer references staff,
  recorded_at text not null,
  correction_reason text not null,                -- '' for the first version
  unique (carried_out_id, version)
) strict;
create index carried_out_versions_by_day on carried_out_versions (taken_on);

-- The files of an export as they were handed over: a double click hands over twice.
create table carried_out_files (
  id integer primary key,
  carried_out_id integer not null references carried_out,
  name text not null,
  sha256 text not null,
  bytes integer not null,
  recorded_at text not null
) strict;
create index carried_out_files_by_entry on carried_out_files (carried_out_id);

-- Returned or disposed of; the newest row counts, and 'open' takes a mistaken one back.
create table carried_out_endings (
  id integer primary key,
  carried_out_id integer not null references carried_out,
  kind text not null check (kind in ('returned', 'disposed', 'open')),
  ended_on text,                                  -- null when taken back
  handled_by text not null,
  method text not null,                           -- how it was destroyed
  certificate text not null,                      -- number of the certificate, if there is one
  note text not null,                             -- reason when taken back
  recorded_by integer references staff,
  recorded_at text not null
) strict;
create index carried_out_endings_by_entry on carried_out_endings (carried_out_id, id);

create table carried_out_withdrawals (
  id integer primary key,
  carried_out_id integer not null unique references carried_out,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;

-- Each entry with its newest version and what became of it.
create view carried_out_states as
  select c.id, c.centre_id, c.origin, c.created_by, c.operator, c.created_at,
         v.version, v.taken_on, v.what, v.persons, v.purpose, v.purpose_note, v.medium, v.medium_note,
         v.destination, v.carried_by, v.encrypted, v.protection, v.due_on, v.note,
         e.kind as ending, e.ended_on,
         exists (select 1 from carried_out_withdrawals w where w.carried_out_id = c.id) as withdrawn
  from carried_out c
  join carried_out_versions v on v.carried_out_id = c.id
    and v.version = (select max(l.version) from carried_out_versions l where l.carried_out_id = c.id)
  left join carried_out_endings e on e.carried_out_id = c.id
    and e.id = (select max(l.id) from carried_out_endings l where l.carried_out_id = c.id);
