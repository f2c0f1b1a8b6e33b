-- Disposal of what is past its time: asked for by one person, decided by another, done, written down.
-- The rules themselves are data (data/retention.toml).
create table disposal_requests (
  id integer primary key,
  class text not null,                            -- class of data/retention.toml
  due_on text not null,                           -- the day for which the list was made
  rule text not null,                             -- the rule as it read that day
  submission text not null unique,                -- one per opened form
  approval_id integer not null unique references approvals,  -- who asked, why, and who decided
  recorded_at text not null
) strict;

-- The list as it was asked for and approved: numbers, nothing of what the records say.
create table disposal_request_records (
  request_id integer not null references disposal_requests,
  record_id integer not null,
  number text not null,
  primary key (request_id, record_id)
) strict, without rowid;

create table disposals (
  id integer primary key,
  request_id integer not null unique references disposal_requests,
  disposed integer not null,                      -- records that are gone
  kept integer not null,                          -- on the list, but no longer due
  method text not null,
  backups_forget_on text,                         -- null: site.toml does not say
  disposed_by integer not null references staff,
  recorded_at text not null
) strict;
