-- Who is kept from whom. What of a person is hidden, from everybody but the named (支援措置), and from
-- one member of staff (relatives, neighbours).

-- Beside the flag of the register: a shield that the city set itself, or one that the register no
-- longer names and that stays until the city has confirmed its end.
create table shields (
  id integer primary key,
  resident_id integer not null references residents,
  kind text not null check (kind in ('register', 'city')),
  planned_until text,                       -- last day as planned; lifts nothing by itself
  reason text not null,
  recorded_by integer references staff,     -- null: an import
  recorded_at text not null
) strict;
create index shields_by_resident on shields (resident_id);

create table shield_endings (
  id integer primary key,
  shield_id integer not null unique references shields,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;

-- 閲覧許可: one member of staff may open one shielded person. An urgent one works at once and for two
-- days only; any other one waits for a second person.
create table shield_grants (
  id integer primary key,
  resident_id integer not null references residents,
  staff_id integer not null references staff,
  starts_on text not null,
  ends_on text not null,
  reason text not null,
  urgent integer not null check (urgent in (0, 1)),
  recorded_by integer not null references staff,
  recorded_at text not null,
  approval_id integer not null unique references approvals  -- what the second person decided
) strict;
create index shield_grants_by_resident on shield_grants (resident_id);
create index shield_grants_by_staff on shield_grants (staff_id);

create table shield_grant_endings (
  id integer primary key,
  grant_id integer not null unique references shield_grants,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;

-- Related to her or living beside her: this member of staff does not meet this person at all.
create table exclusions (
  id integer primary key,
  resident_id integer not null references residents,
  staff_id integer not null references staff,
  relation text not null,                   -- code list exclusion_relation
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
create index exclusions_by_staff on exclusions (staff_id);
create index exclusions_by_resident on exclusions (resident_id);

create table exclusion_endings (
  id integer primary key,
  exclusion_id integer not null unique references exclusions,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
