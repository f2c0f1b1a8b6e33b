-- A finished year of the access log may move into a file of its own. What stays is the cut: which
-- entries went, the hash before them and of their last, signed like the head.
create table audit_cuts (
  year integer primary key,
  first_id integer not null,
  last_id integer not null check (last_id >= first_id),
  hash_before blob not null check (length(hash_before) = 32),
  hash blob not null check (length(hash) = 32),
  file text not null,                        -- name inside the directory of archives
  archived_at text not null,
  signature blob not null
) strict;
create trigger audit_cuts_keep before delete on audit_cuts
begin select raise(abort, 'audit cuts are kept'); end;
create trigger audit_cuts_freeze before update on audit_cuts
begin select raise(abort, 'audit cuts do not change'); end;

-- Only what a cut names may go.
drop trigger audit_entries_keep;
create trigger audit_entries_keep before delete on audit_entries
when old.id > (select coalesce(max(last_id), 0) from audit_cuts)
begin select raise(abort, 'audit entries are kept'); end;

-- Every search of the log has one index that it walks in the order of the page. Most entries are
-- done and many are about no record: those two are kept partial.
create index audit_entries_by_menu on audit_entries (menu, id);
create index audit_entries_by_operation on audit_entries (operation, id);
create index audit_entries_by_terminal on audit_entries (terminal, id);
create index audit_entries_by_record on audit_entries (record_kind, record_id, id)
where record_kind is not null;
create index audit_entries_refused on audit_entries (id) where outcome = 'refused';

-- That somebody looked into unusual use: findings are computed, this is what stays. More entries
-- than there were open it again.
create table unusual_use_reviews (
  id integer primary key,
  day text not null,
  kind text not null,
  staff_id integer not null references staff,
  entries integer not null check (entries > 0),
  note text not null,
  reviewed_by integer not null references staff,
  recorded_at text not null
) strict;
create index unusual_use_reviews_by_day on unusual_use_reviews (day, id);
