-- By person and by record alone, the entries of a day fall on as many pages as persons were looked at, each
-- of which is written, shipped and saved anew. Grouped by position (65,536 entries are about a week of the
-- city), they fall on the few pages of the newest group; a search walks the groups.
drop index audit_entries_by_resident;
create index audit_entries_by_resident on audit_entries (id >> 16, resident_id)
where resident_id is not null;
drop index audit_entries_by_record;
create index audit_entries_by_record on audit_entries (id >> 16, record_kind, record_id)
where record_kind is not null;
