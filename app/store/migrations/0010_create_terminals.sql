-- A machine that staff work at (端末). What it is called stands in its details.
create table terminals (
  id integer primary key,
  submission text not null unique,                -- the form that made it: sent twice, it is one
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;

-- The newest row counts.
create table terminal_details (
  id integer primary key,
  terminal_id integer not null references terminals,
  name text not null,
  kind text not null check (kind in ('pc', 'tablet')),
  centre_id integer references support_centres,   -- null: the city
  notes text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
create index terminal_details_by_terminal on terminal_details (terminal_id, id);

-- The newest certificate of a terminal counts, unless it was revoked.
create table terminal_certificates (
  id integer primary key,
  terminal_id integer not null references terminals,
  fingerprint text not null unique,               -- SHA-256 of the certificate's DER, hexadecimal
  expires_on text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
create index terminal_certificates_by_terminal on terminal_certificates (terminal_id, id);

-- From this moment on nobody gets in with that certificate.
create table terminal_revocations (
  id integer primary key,
  certificate_id integer not null unique references terminal_certificates,
  reason text not null check (reason in ('lost', 'retired', 'replaced')),
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
