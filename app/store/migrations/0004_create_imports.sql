create table imports (
  id integer primary key,
  feed text not null,                       -- residents, households, insured, certifications, consultations
  file_sha256 text not null,
  file_bytes integer not null,
  encoding text not null,
  rows_read integer not null,
  rows_loaded integer not null,
  rows_warned integer not null,
  rows_rejected integer not null,
  count_new integer not null,
  count_changed integer not null,
  count_moved integer not null,
  count_died integer not null,
  count_unchanged integer not null,
  count_absent integer not null,            -- known to us, not in the file
  applied_by integer references staff,      -- null: from the command line
  applied_at text not null
) strict;

create table import_undos (
  id integer primary key,
  import_id integer not null unique references imports,
  undone_by integer references staff,
  recorded_at text not null
) strict;
