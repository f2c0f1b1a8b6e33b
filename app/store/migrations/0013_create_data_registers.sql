-- 個人情報管理台帳: what personal data are held, where, why, by whom. What the product itself holds is
-- shipped as data and gets a row here when somebody changes its words.
create table data_holdings (
  id integer primary key,
  centre_id integer references support_centres,   -- null: the city
  shipped_key text unique,                        -- entry of data/data_holdings.toml, if it is one
  submission text not null unique,                -- one per opened form
  created_by integer not null references staff,
  created_at text not null
) strict;

-- A change adds a version; the former ones stay readable.
create table data_holding_versions (
  id integer primary key,
  holding_id integer not null references data_holdings,
  version integer not null,
  name text not null,
  purpose text not null,
  items text not null,
  source text not null,                           -- where the data come from
  place text not null,
  users text not null,
  responsible text not null,
  started text not null,                          -- a day, a year, or words
  retention text not null,
  outsourcing text not null,
  note text not null,
  recorded_by integer references staff,           -- null: as shipped
  recorded_at text not null,
  reason text not null,
  unique (holding_id, version)
) strict;

-- No longer held.
create table data_holding_endings (
  id integer primary key,
  holding_id integer not null unique references data_holdings,
  ended_on text not null,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;

-- 定期点検: one check of one office by the list of its day.
create table inspections (
  id integer primary key,
  centre_id integer references support_centres,   -- null: the city
  submission text not null unique,
  checked_on text not null,
  checker text not null,
  next_due_on text not null,
  list_from text not null,                        -- which list of data/inspections.toml
  note text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
create index inspections_by_centre on inspections (centre_id, checked_on);

create table inspection_results (
  inspection_id integer not null references inspections,
  item text not null,
  result text not null check (result in ('good', 'bad', 'none')),
  remark text not null,
  fix_due_on text,                                -- only when bad
  primary key (inspection_id, item)
) strict, without rowid;

-- What was bad is mended.
create table inspection_fixes (
  id integer primary key,
  inspection_id integer not null references inspections,
  item text not null,
  fixed_on text not null,
  note text not null,
  recorded_by integer not null references staff,
  recorded_at text not null,
  unique (inspection_id, item)
) strict;

create table inspection_withdrawals (
  id integer primary key,
  inspection_id integer not null unique references inspections,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
