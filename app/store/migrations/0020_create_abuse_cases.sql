-- 高齢者虐待: one report and everything that follows from it. `id` is drawn at random, so that no
-- number tells how many there are; what hangs on a case is counted within it (`no`).
create table abuse_cases (
  id integer primary key,
  centre_id integer references support_centres,  -- null: the city received it
  consultation_id integer references consultations, -- the consultation that it came out of
  submission text not null unique,
  received_by integer not null references staff,
  recorded_at text not null
) strict;

-- What is known; a correction adds one. The reporter's identity is never here.
create table abuse_case_versions (
  id integer primary key,
  case_id integer not null references abuse_cases,
  version integer not null,
  case_type text not null check (case_type in ('carer', 'self_neglect', 'consumer', 'facility')),
  reported_on text not null,
  reported_at text not null,                -- HH:MM
  received_at text not null check (received_at in ('city', 'centre')),
  reporter_kind text not null,
  resident_id integer references residents, -- null: not yet identified
  victim_name text not null,                -- as told
  victim_sex text not null,
  victim_age text not null,
  victim_note text not null,
  carer_resident_id integer references residents,
  carer_name text not null,
  carer_relation text not null,
  carer_note text not null,
  kinds text not null,                      -- codes, separated by commas
  content text not null,
  source text not null,
  urgency text not null,
  place_now text not null,                  -- where she lives now
  recorded_by integer not null references staff,
  recorded_at text not null,
  correction_reason text not null,
  unique (case_id, version)
) strict;
create index abuse_case_versions_by_resident on abuse_case_versions (resident_id)
  where resident_id is not null;

-- Entered by mistake: readable, frozen.
create table abuse_case_withdrawals (
  id integer primary key,
  case_id integer not null unique references abuse_cases,
  reason text not null,
  staff_id integer not null references staff,
  recorded_at text not null
) strict;

-- What was done, met about, decided. A correction is a row that names the one it stands for.
create table abuse_steps (
  id integer primary key,
  case_id integer not null references abuse_cases,
  no integer not null,
  kind text not null,
  held_on text not null,
  held_at text not null,                    -- HH:MM or empty
  persons text not null,                    -- who was there, whom it was done with
  method text not null,
  safety text not null,                     -- fact finding: confirmed, unseen
  manager text not null,                    -- core meeting: the city's manager who attended
  judgement text not null,
  urgent text not null,
  severity text not null,
  policy text not null,
  roles text not null,
  next_review_on text,
  power text not null,                      -- a power of the city alone
  closing_reason text not null,
  note text not null,
  corrects integer,                         -- no of the step in whose place this one stands
  correction_reason text not null,
  submission text not null unique,
  staff_id integer not null references staff,
  recorded_at text not null,
  unique (case_id, no)
) strict;

create table abuse_step_withdrawals (
  id integer primary key,
  case_id integer not null references abuse_cases,
  step_no integer not null,
  reason text not null,
  staff_id integer not null references staff,
  recorded_at text not null,
  unique (case_id, step_no)
) strict;

-- Who knows of it. Nobody else does, but for those who keep all cases.
create table abuse_members (
  id integer primary key,
  case_id integer not null references abuse_cases,
  no integer not null,
  staff_id integer not null references staff,
  may_write integer not null check (may_write in (0, 1)),
  reads_reporter integer not null check (reads_reporter in (0, 1)),
  starts_on text not null,
  ends_on text,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null,
  unique (case_id, no)
) strict;
create index abuse_members_by_staff on abuse_members (staff_id);

create table abuse_member_endings (
  id integer primary key,
  member_id integer not null unique references abuse_members,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;

-- Who never knows of it, whatever else is written: the accused, her relatives.
create table abuse_bars (
  id integer primary key,
  case_id integer not null references abuse_cases,
  no integer not null,
  staff_id integer not null references staff,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null,
  unique (case_id, no)
) strict;
create index abuse_bars_by_staff on abuse_bars (staff_id);

create table abuse_bar_endings (
  id integer primary key,
  bar_id integer not null unique references abuse_bars,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;

-- Who reported it: apart from the case, opened with a reason. The newest version counts.
create table abuse_reporters (
  id integer primary key,
  case_id integer not null references abuse_cases,
  version integer not null,
  anonymous integer not null check (anonymous in (0, 1)),
  city_only integer not null check (city_only in (0, 1)),
  name text not null,
  relation text not null,
  contact text not null,
  recorded_by integer not null references staff,
  recorded_at text not null,
  unique (case_id, version)
) strict;

create table abuse_reporter_looks (
  id integer primary key,
  case_id integer not null references abuse_cases,
  reason text not null,
  note text not null,
  staff_id integer not null references staff,
  recorded_at text not null
) strict;
create index abuse_reporter_looks_by_case on abuse_reporter_looks (case_id, id);

-- A consultation that only those who know of the case still see.
create table abuse_takings (
  id integer primary key,
  case_id integer not null references abuse_cases,
  consultation_id integer not null references consultations,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
create index abuse_takings_by_consultation on abuse_takings (consultation_id);
create index abuse_takings_by_case on abuse_takings (case_id);

create table abuse_taking_endings (
  id integer primary key,
  taking_id integer not null unique references abuse_takings,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
