-- The city's register as last delivered. Only an import writes here; what it replaced is in
-- resident_changes. What staff typed is in resident_corrections and wins on screen.
create table residents (
  id integer primary key,
  addressee_no text not null unique,
  household_no text not null,
  relationship text not null,
  name text not null,
  kana text not null,
  alias_name text not null,
  alias_kana text not null,
  latin_name text not null,
  former_surname text not null,
  born_on text not null,                    -- ISO; first possible day when born_text is partial
  born_text text not null,                  -- as delivered when it was not a full date, else ''
  sex text not null check (sex in ('0', '1', '2', '9')),
  resident_kind text not null,
  resident_state text not null              -- 0: disposed of, see retention/kinds.rs
    check (resident_state in ('0', '1', '2', '3', '4', '9')),
  postal_code text not null,
  area_code text not null,
  address text not null,
  building text not null,
  phone text not null,
  centre_id integer not null references support_centres,
  resident_since text,
  event_on text,
  event_code text not null,
  moved_from text not null,
  moved_to text not null,
  died_on text,
  nationality text not null,
  shielded integer not null check (shielded in (0, 1)),
  shielded_until text,
  has_gaiji integer not null check (has_gaiji in (0, 1)),
  import_id integer not null references imports
) strict;
create index residents_by_household on residents (household_no);
create index residents_by_birth on residents (born_on);
create index residents_by_centre on residents (centre_id);
create index residents_by_area on residents (area_code);

-- Derived from residents and resident_corrections: what the find box compares.
create table resident_names (
  resident_id integer not null references residents,
  kind text not null check (kind in ('register', 'alias', 'latin', 'former', 'correction')),
  kana_key text not null,
  kana_given_key text not null,
  kana_loose text not null,
  kana_given_loose text not null,
  kanji_key text not null,
  primary key (resident_id, kind)
) strict, without rowid;
create index resident_names_by_kana on resident_names (kana_key, resident_id);
-- With the strict key beside it: find ranks by it without a second look.
create index resident_names_by_loose on resident_names (kana_loose, kana_key, resident_id);
create index resident_names_by_given on resident_names (kana_given_loose, kana_given_key, resident_id);
create index resident_names_by_kanji on resident_names (kanji_key, resident_id);

create table resident_places (
  resident_id integer primary key references residents,
  phone_digits text not null,
  address_key text not null
) strict;
create index resident_places_by_phone on resident_places (phone_digits) where phone_digits <> '';
create index resident_places_by_phone_end on resident_places (substr(phone_digits, -4)) where phone_digits <> '';
create index resident_places_by_address on resident_places (address_key, resident_id);

create table household_members (
  id integer primary key,
  household_no text not null,
  resident_id integer not null unique references residents,
  position integer not null,
  relationship_code text not null,
  relationship text not null,
  is_head integer not null check (is_head in (0, 1)),
  resident_since text,
  address_since text,
  removed_on text,
  import_id integer not null references imports
) strict;
create index household_members_by_household on household_members (household_no, position);

create table insured_persons (
  id integer primary key,
  resident_id integer not null references residents,
  insured_no text not null unique,
  insurer_no text not null,
  category text not null,
  acquired_on text,
  acquired_reason text not null,
  lost_on text,
  lost_reason text not null,
  domicile_exception integer not null check (domicile_exception in (0, 1)),
  facility_name text not null,
  card_issued_on text,
  applying integer not null check (applying in (0, 1)),
  copay_percent integer,
  on_welfare integer not null check (on_welfare in (0, 1)),
  import_id integer not null references imports
) strict;
create index insured_persons_by_resident on insured_persons (resident_id);

create table certifications (
  id integer primary key,
  insured_person_id integer not null references insured_persons,
  history_no integer not null,
  applied_on text,
  application_kind text not null,
  state text not null,
  decided_on text,
  level text not null,
  valid_from text,
  valid_to text,
  bedridden_level text not null,
  dementia_level text not null,
  limit_units integer,
  planner_kind text not null,
  planner_office_no text not null,
  notified_on text,
  import_id integer not null references imports,
  unique (insured_person_id, history_no)
) strict;
create index certifications_by_end on certifications (valid_to);
