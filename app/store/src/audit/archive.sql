-- The file of one archived year: the entries as they were in the database, with their hashes.
-- Who: staff_id, centre_id; about whom: resident_id; `hash` covers the row and the hash before it.
create table audit_entries (
  id integer primary key,
  at text not null,
  staff_id integer,
  centre_id integer,
  menu text not null,
  operation text not null,
  resident_id integer,
  record_kind text,
  record_id integer,
  terminal text not null,
  outcome text not null,
  detail text not null,
  hash blob not null
) strict;

create index audit_entries_by_resident on audit_entries (resident_id, id);
create index audit_entries_by_staff on audit_entries (staff_id, id);
create index audit_entries_by_at on audit_entries (at);
create index audit_entries_by_menu on audit_entries (menu, id);
create index audit_entries_by_operation on audit_entries (operation, id);
create index audit_entries_by_terminal on audit_entries (terminal, id);
create index audit_entries_by_record on audit_entries (record_kind, record_id, id)
where record_kind is not null;
create index audit_entries_refused on audit_entries (id) where outcome = 'refused';
