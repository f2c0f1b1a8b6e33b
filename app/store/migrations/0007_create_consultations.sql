create table consultations (
  id integer primary key,
  number text not null unique,              -- printed on the slip
  centre_id integer references support_centres,   -- null: taken by the city
  submission text not null unique,          -- one per opened form: a double click is one record
  created_by integer references staff,      -- null: delivered by the old system
  created_at text not null
) strict;
create index consultations_by_centre on consultations (centre_id);
create index consultations_by_writer on consultations (created_by) where created_by is not null;

-- Whom it is about; the newest row counts. No row: nobody knows yet. A record written under a
-- namesake moves with a new row, and the old one still shows where it was.
create table consultation_clients (
  id integer primary key,
  consultation_id integer not null references consultations,
  resident_id integer not null references residents,
  staff_id integer references staff,
  recorded_at text not null
) strict;
create index consultation_clients_by_consultation on consultation_clients (consultation_id, id);
create index consultation_clients_by_resident on consultation_clients (resident_id);

-- A correction adds a version; the former ones stay readable.
create table consultation_versions (
  id integer primary key,
  consultation_id integer not null references consultations,
  version integer not null,
  received_on text not null,
  started_at text not null,                 -- HH:MM or ''
  ended_at text not null,
  minutes integer,
  channel text not null,
  caller_kind text not null,
  caller_name text not null,
  caller_relation text not null,
  caller_contact text not null,
  client_name text not null,                -- as told, when the person is not in the register
  client_note text not null,                -- age, area, looks: what helps to find out who it is
  urgency text not null,
  content text not null,
  response text not null,
  referred_to text not null,
  outcome text not null,
  closing_reason text not null,
  next_action text not null,
  next_due_on text,
  recorded_by integer references staff,
  recorded_at text not null,
  correction_reason text not null,
  unique (consultation_id, version)
) strict;
create index consultation_versions_by_day on consultation_versions (received_on);
-- What is still to be done, and by when: few rows of many.
create index consultation_versions_waiting on consultation_versions (next_due_on)
  where next_due_on is not null or next_action <> '';

create table consultation_categories (
  version_id integer not null references consultation_versions,
  category text not null,
  primary key (version_id, category)
) strict, without rowid;

create table consultation_responses (
  version_id integer not null references consultation_versions,
  kind text not null,
  primary key (version_id, kind)
) strict, without rowid;

create table consultation_withdrawals (
  id integer primary key,
  consultation_id integer not null unique references consultations,
  reason text not null,
  staff_id integer not null references staff,
  recorded_at text not null
) strict;

-- The next action was done (or is no longer needed): it leaves "my day".
create table consultation_follow_ups (
  id integer primary key,
  consultation_id integer not null references consultations,
  version integer not null,
  note text not null,
  staff_id integer not null references staff,
  recorded_at text not null,
  unique (consultation_id, version)
) strict;

-- Half-typed words of one person at one form; gone when the form is saved.
create table drafts (
  id integer primary key,
  staff_id integer not null references staff,
  form text not null,                       -- e.g. consultations/new?resident=12
  body text not null,
  saved_at text not null,
  unique (staff_id, form)
) strict;
