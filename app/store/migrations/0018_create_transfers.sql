-- From which centre to which, since when; until when the former one may go on reading.
create table centre_transfers (
  id integer primary key,
  resident_id integer not null references residents,
  from_centre_id integer not null references support_centres,
  to_centre_id integer not null references support_centres,
  effective_on text not null,
  cause text not null check (cause in ('register', 'area')),
  readable_until text not null,
  import_id integer references imports,     -- null: areas got another centre
  recorded_by integer references staff,     -- null: the command line
  recorded_at text not null
) strict;
create index centre_transfers_by_resident on centre_transfers (resident_id, id);
create index centre_transfers_by_former on centre_transfers (from_centre_id, readable_until);
create index centre_transfers_by_new on centre_transfers (to_centre_id, effective_on);
create index centre_transfers_by_import on centre_transfers (import_id) where import_id is not null;

-- What made her move was taken back: nobody hands over, and the former centre's tail is gone.
create table transfer_endings (
  id integer primary key,
  transfer_id integer not null unique references centre_transfers,
  reason text not null,
  recorded_by integer references staff,     -- null: the command line
  recorded_at text not null
) strict;

-- What the former centre hands over in words; the newest counts.
create table transfer_notes (
  id integer primary key,
  transfer_id integer not null references centre_transfers,
  note text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
create index transfer_notes_by_transfer on transfer_notes (transfer_id, id);

-- The new centre has read it and takes over.
create table transfer_receipts (
  id integer primary key,
  transfer_id integer not null unique references centre_transfers,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;

-- Beyond one's centre: a person referred to a city section, or named to one member of staff.
create table case_grants (
  id integer primary key,
  resident_id integer not null references residents,
  role text,                                -- a section: everybody with this role
  staff_id integer references staff,        -- or one member of staff
  may_write integer not null check (may_write in (0, 1)),
  starts_on text not null,
  ends_on text,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null,
  check ((role is null) <> (staff_id is null))
) strict;
create index case_grants_by_resident on case_grants (resident_id);
create index case_grants_by_staff on case_grants (staff_id) where staff_id is not null;
create index case_grants_by_role on case_grants (role) where role is not null;

create table case_grant_endings (
  id integer primary key,
  grant_id integer not null unique references case_grants,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
