-- Who is in charge of a person (担当): one main member of staff and others beside her, with days.
-- "Now" = begun, and no row in assignment_endings whose last day has passed.
create table assignments (
  id integer primary key,
  resident_id integer not null references residents,
  staff_id integer not null references staff,
  part text not null check (part in ('main', 'beside')),
  starts_on text not null,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
create index assignments_resident on assignments (resident_id);
create index assignments_staff on assignments (staff_id);

create table assignment_endings (
  id integer primary key,
  assignment_id integer not null unique references assignments,
  ends_on text not null,                     -- last day
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
