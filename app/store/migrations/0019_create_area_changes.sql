-- Areas get another centre from a day on: planned, perhaps withdrawn, applied at 00:00 of the day.
create table area_changes (
  id integer primary key,
  to_centre_id integer not null references support_centres,
  effective_on text not null,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;

create table area_change_areas (
  change_id integer not null references area_changes,
  area_code text not null,
  primary key (change_id, area_code)
) strict, without rowid;

create table area_change_withdrawals (
  id integer primary key,
  change_id integer not null unique references area_changes,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;

-- How many people got another centre, those under 支援措置 left out of every number.
create table area_change_applications (
  id integer primary key,
  change_id integer not null unique references area_changes,
  people integer not null,
  elders integer not null,
  certified integer not null,
  waiting integer not null,
  recorded_at text not null
) strict;
