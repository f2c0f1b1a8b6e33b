-- One row per write and per look at a person. Never updated, never deleted: the triggers refuse
-- it, and the hash chain shows it should somebody remove the triggers.
create table audit_entries (
  id integer primary key,                    -- position in the chain, from 1, without gaps
  at text not null,                          -- UTC, microseconds; never runs backwards
  staff_id integer,                          -- null: the system, or nobody signed in
  centre_id integer,                         -- null: the city
  menu text not null,
  operation text not null,
  resident_id integer,
  record_kind text,
  record_id integer,
  terminal text not null,
  outcome text not null check (outcome in ('done', 'refused')),
  detail text not null,
  hash blob not null check (length(hash) = 32)
) strict;
create index audit_entries_by_resident on audit_entries (resident_id, id);
create index audit_entries_by_staff on audit_entries (staff_id, id);
create index audit_entries_by_at on audit_entries (at);

create trigger audit_entries_keep before delete on audit_entries
begin select raise(abort, 'audit entries are kept'); end;
create trigger audit_entries_freeze before update on audit_entries
begin select raise(abort, 'audit entries do not change'); end;

-- How many entries there are and the hash of the last, signed with a key that is not in this file:
-- a cut tail cannot be hidden by whoever holds only the database.
create table audit_head (
  id integer primary key check (id = 1),
  entries integer not null,
  hash blob not null,
  signature blob not null
) strict;
