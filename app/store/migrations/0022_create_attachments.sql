-- Files that staff attach to a person or to a consultation. The bytes lie beside the database under
-- their hash (store's shelf), equal bytes once; a row never stands without its bytes.
create table attachments (
  id integer primary key,
  resident_id integer references residents,
  consultation_id integer references consultations,
  sha256 text not null check (length(sha256) = 64),
  bytes integer not null check (bytes > 0),
  kind text not null,                        -- found in the content: data/attachment_kinds.toml
  file_name text not null,                   -- as it was called, for reading; never a path
  submission text not null,                  -- one opened form, which may bring several files
  position integer not null,
  centre_id integer references support_centres,  -- who attached it; null: the city
  created_by integer not null references staff,
  created_at text not null,
  unique (submission, position),
  check ((resident_id is null) <> (consultation_id is null))
) strict;
create index attachments_by_resident on attachments (resident_id) where resident_id is not null;
create index attachments_by_consultation on attachments (consultation_id)
  where consultation_id is not null;
create index attachments_by_bytes on attachments (sha256);

-- What is said about a file; a correction adds a version.
create table attachment_versions (
  id integer primary key,
  attachment_id integer not null references attachments,
  version integer not null,
  title text not null,                       -- empty: its file name
  note text not null,
  correction_reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null,
  unique (attachment_id, version)
) strict;

-- Attached by mistake: shown struck through, opened by nobody any more.
create table attachment_withdrawals (
  id integer primary key,
  attachment_id integer not null unique references attachments,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
