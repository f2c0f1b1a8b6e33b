-- What the city decides and dates: centres, the areas they look after, and the code tables.
create table support_centres (
  id integer primary key,
  code text not null unique,
  name text not null,
  short_name text not null,
  phone text not null,
  valid_from text not null,
  valid_to text,
  source text not null,
  unconfirmed integer not null check (unconfirmed in (0, 1))
) strict;

create table areas (
  id integer primary key,
  code text not null,
  name text not null,
  kana text not null,
  postal_code text not null,
  centre_id integer not null references support_centres,
  valid_from text not null,
  valid_to text,
  source text not null,
  unconfirmed integer not null check (unconfirmed in (0, 1)),
  unique (code, valid_from)
) strict;

create table codes (
  id integer primary key,
  list text not null,                        -- e.g. consultation_channel
  code text not null,
  label text not null,
  position integer not null,
  valid_from text not null,
  valid_to text,
  source text not null,
  unconfirmed integer not null check (unconfirmed in (0, 1)),
  unique (list, code, valid_from)
) strict;
