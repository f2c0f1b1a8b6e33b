-- What an import changed, row by row: the difference report, the undo, and what the centre has
-- to take note of.
create table resident_changes (
  id integer primary key,
  import_id integer not null references imports,
  feed text not null,
  resident_id integer not null references residents,
  record_id integer not null,               -- row of the feed's own table
  kind text not null check (kind in ('new', 'changed', 'moved', 'died', 'left')),
  fields text not null,                     -- names of the changed columns, comma separated
  before text                               -- the row it replaced, as JSON; null when new
) strict;
create index resident_changes_by_import on resident_changes (import_id, id);
create index resident_changes_by_resident on resident_changes (resident_id, id);
-- The first delivery is new people only, hundreds of thousands of rows that wait for nobody.
create index resident_changes_waiting on resident_changes (id) where kind <> 'new';

create table resident_change_confirmations (
  id integer primary key,
  change_id integer not null unique references resident_changes,
  staff_id integer not null references staff,
  recorded_at text not null
) strict;

-- What staff typed on purpose where the register says something else.
create table resident_corrections (
  id integer primary key,
  resident_id integer not null references residents,
  field text not null check (field in ('kana', 'phone', 'address', 'centre')),
  value text not null,
  register_value text not null,             -- what the register said at that moment
  reason text not null,
  staff_id integer not null references staff,
  recorded_at text not null
) strict;
create index resident_corrections_by_resident on resident_corrections (resident_id, id);

create table resident_correction_endings (
  id integer primary key,
  correction_id integer not null unique references resident_corrections,
  reason text not null,
  staff_id integer references staff,        -- null: replaced by a newer correction in an undo
  recorded_at text not null
) strict;

create table import_conflicts (
  id integer primary key,
  import_id integer not null references imports,
  resident_id integer not null references residents,
  correction_id integer not null references resident_corrections,
  register_value text not null
) strict;
create index import_conflicts_by_resident on import_conflicts (resident_id);

create table import_conflict_decisions (
  id integer primary key,
  conflict_id integer not null unique references import_conflicts,
  decision text not null check (decision in ('keep', 'register')),
  staff_id integer not null references staff,
  recorded_at text not null
) strict;
