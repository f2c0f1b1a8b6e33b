-- Personal data that leaked, was lost or altered, or may have been.
create table incidents (
  id integer primary key,
  centre_id integer references support_centres,   -- where it happened; null: the city
  submission text not null unique,                -- one per opened form
  reported_by integer not null references staff,
  recorded_at text not null
) strict;
create index incidents_by_centre on incidents (centre_id);

-- What is known; a correction adds a version.
create table incident_versions (
  id integer primary key,
  incident_id integer not null references incidents,
  version integer not null,
  title text not null,
  kind text not null check (kind in ('leak', 'loss', 'damage', 'feared')),
  known_on text not null,                         -- the clocks run from here
  happened text not null,                         -- when, as far as anybody knows
  summary text not null,
  items text not null,                            -- which fields of people's data
  persons integer,                                -- how many people; null: not known yet
  cause text not null,
  secondary text not null,                        -- further harm, or the fear of it
  response text not null,                         -- what was done for the people
  publication text not null,
  prevention text not null,
  other text not null,
  criteria text not null,                         -- codes that apply, comma separated
  assessed integer not null check (assessed in (0, 1)),
  recorded_by integer not null references staff,
  recorded_at text not null,
  correction_reason text not null,
  unique (incident_id, version)
) strict;

-- What was done, when; closing and reopening among it.
create table incident_steps (
  id integer primary key,
  incident_id integer not null references incidents,
  kind text not null,
  held_on text not null,
  note text not null,
  submission text not null unique,
  staff_id integer not null references staff,
  recorded_at text not null
) strict;
create index incident_steps_by_incident on incident_steps (incident_id, id);

-- Reports and notices as somebody has worded them; the newest version counts.
create table incident_texts (
  id integer primary key,
  incident_id integer not null references incidents,
  kind text not null check (kind in ('preliminary', 'final', 'notice', 'publication')),
  version integer not null,
  body text not null,
  recorded_by integer not null references staff,
  recorded_at text not null,
  unique (incident_id, kind, version)
) strict;

-- What was put aside, signed: a folder below `evidence` of the data directory.
create table incident_evidence (
  id integer primary key,
  incident_id integer not null references incidents,
  folder text not null unique,
  reason text not null,
  first_on text not null,                         -- span of the log that was extracted
  last_on text not null,
  rows integer not null,
  bytes integer not null,
  sums_sha256 text not null,                      -- of the signed list of files
  submission text not null unique,
  staff_id integer not null references staff,
  recorded_at text not null
) strict;
create index incident_evidence_by_incident on incident_evidence (incident_id, id);
