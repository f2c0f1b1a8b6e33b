-- Each look for viruses into an attached file; the newest row counts. A file without one was never looked into.
create table attachment_scans (
  id integer primary key,
  attachment_id integer not null references attachments,
  finding text not null,                     -- as the signatures call it; empty: nothing was found
  signatures integer not null,               -- number of the daily signatures; 0: they have none
  recorded_at text not null
) strict;
create index attachment_scans_by_attachment on attachment_scans (attachment_id);
