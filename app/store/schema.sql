-- One row per write and per look at a person. Never updated, never deleted: the triggers refuse
-- it, and the hash chain shows it should somebody remove the triggers.
create table audit_entries (
  id integer primary key,                    -- position in the chain, from 1, without gaps
  at text not null,                          -- UTC, microseconds; never runs backwards
  staff_id integer,                          -- null: the system, or nobody signed in
  centre_id integer,                         -- null: the city
  menu text not null,
  operation text not null,
  resident_id integer,
  record_kind text,
  record_id integer,
  terminal text not null,
  outcome text not null check (outcome in ('done', 'refused')),
  detail text not null,
  hash blob not null check (length(hash) = 32)
) strict;
-- By groups of 65,536 positions, about a week of the city: a day's entries fall on few pages.
create index audit_entries_by_resident on audit_entries (id >> 16, resident_id)
where resident_id is not null;
create index audit_entries_by_staff on audit_entries (staff_id, id);
create index audit_entries_by_at on audit_entries (at);

create trigger audit_entries_keep before delete on audit_entries
begin select raise(abort, 'audit entries are kept'); end;
create trigger audit_entries_freeze before update on audit_entries
begin select raise(abort, 'audit entries do not change'); end;

-- How many entries there are and the hash of the last, signed with a key that is not in this file:
-- a cut tail cannot be hidden by whoever holds only the database.
create table audit_head (
  id integer primary key check (id = 1),
  entries integer not null,
  hash blob not null,
  signature blob not null
) strict;
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
create table staff (
  id integer primary key,
  login text not null unique,                     -- lower case; never given to somebody else
  name text not null,
  kana text not null,
  recorded_at text not null
) strict;

-- What somebody does, where, since when. The posts of one person never overlap.
create table staff_posts (
  id integer primary key,
  staff_id integer not null references staff,
  role text not null,
  job text not null,
  centre_id integer references support_centres,   -- null: the city
  starts_on text not null,
  reason text not null,
  recorded_by integer references staff,           -- null: the console
  recorded_at text not null
) strict;
create index staff_posts_by_staff on staff_posts (staff_id, id);

-- The newest row counts. A last day before the first one: the post never came to be.
create table staff_post_endings (
  id integer primary key,
  post_id integer not null references staff_posts,
  ends_on text,                                   -- last day; null: goes on after all
  reason text not null,
  recorded_by integer references staff,           -- null: the console
  recorded_at text not null
) strict;
create index staff_post_endings_by_post on staff_post_endings (post_id, id);

-- Each post with the last day that counts: what decides role and centre of a day.
create view staff_terms as
  select p.id, p.staff_id, p.role, p.job, p.centre_id, p.starts_on,
         (select e.ends_on from staff_post_endings e where e.post_id = p.id
          order by e.id desc limit 1) as ends_on
  from staff_posts p;

-- The newest row is the password; the others are its history.
create table staff_passwords (
  id integer primary key,
  staff_id integer not null references staff,
  hash text not null,                             -- argon2id, PHC string
  must_change integer not null check (must_change in (0, 1)),
  recorded_by integer references staff,           -- null: the console
  recorded_at text not null
) strict;
create index staff_passwords_by_staff on staff_passwords (staff_id, id);

-- Failures since the last success, per login as typed (hashed: a password typed into the wrong
-- box must not be readable here) and per terminal.
create table sign_in_failures (
  subject text primary key,
  failures integer not null,
  last_at text not null
) strict, without rowid;

-- Operational state, not a record: rows change while somebody works.
create table sessions (
  id integer primary key,
  token_hash blob not null unique,
  staff_id integer not null references staff,
  csrf text not null,
  terminal text not null,
  started_at text not null,
  last_seen_at text not null,
  certificate_id integer references terminal_certificates,  -- the session holds at this terminal only
  locked_at text,                                 -- nothing is shown or taken before the password
  factor_open integer not null default 0 check (factor_open in (0, 1)),  -- 1: half signed in
  challenge text,                                 -- of the second factor under way
  ended_at text,
  ended_by text check (ended_by in ('signed_out', 'everywhere', 'limit', 'password', 'replaced',
    'administrator', 'terminal', 'factor'))
) strict;
create index sessions_by_staff on sessions (staff_id, started_at);
create table imports (
  id integer primary key,
  feed text not null,                       -- residents, households, insured, certifications, consultations
  file_sha256 text not null,
  file_bytes integer not null,
  encoding text not null,
  rows_read integer not null,
  rows_loaded integer not null,
  rows_warned integer not null,
  rows_rejected integer not null,
  count_new integer not null,
  count_changed integer not null,
  count_moved integer not null,
  count_died integer not null,
  count_unchanged integer not null,
  count_absent integer not null,            -- known to us, not in the file
  applied_by integer references staff,      -- null: from the command line
  applied_at text not null
) strict;

create table import_undos (
  id integer primary key,
  import_id integer not null unique references imports,
  undone_by integer references staff,
  recorded_at text not null
) strict;
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
-- What an import changed, row by row: the difference report, the undo, and what the centre has
-- to take note of.
create table resident_changes (
  id integer primary key,
  import_id integer not null references imports,
  feed text not null,
  resident_id integer not null references residents,
  record_id integer not null,               -- row of the feed's own table
  kind text not null check (kind in ('new', 'changed', 'moved', 'died', 'left')),
  fields text not null,                     -- names of the changed columns, comma separated
  before text                               -- the row it replaced, as JSON; null when new
) strict;
create index resident_changes_by_import on resident_changes (import_id, id);
create index resident_changes_by_resident on resident_changes (resident_id, id);
-- The first delivery is new people only, hundreds of thousands of rows that wait for nobody.
create index resident_changes_waiting on resident_changes (id) where kind <> 'new';

create table resident_change_confirmations (
  id integer primary key,
  change_id integer not null unique references resident_changes,
  staff_id integer not null references staff,
  recorded_at text not null
) strict;

-- What staff typed on purpose where the register says something else.
create table resident_corrections (
  id integer primary key,
  resident_id integer not null references residents,
  field text not null check (field in ('kana', 'phone', 'address', 'centre')),
  value text not null,
  register_value text not null,             -- what the register said at that moment
  reason text not null,
  staff_id integer not null references staff,
  recorded_at text not null
) strict;
create index resident_corrections_by_resident on resident_corrections (resident_id, id);

create table resident_correction_endings (
  id integer primary key,
  correction_id integer not null unique references resident_corrections,
  reason text not null,
  staff_id integer references staff,        -- null: replaced by a newer correction in an undo
  recorded_at text not null
) strict;

create table import_conflicts (
  id integer primary key,
  import_id integer not null references imports,
  resident_id integer not null references residents,
  correction_id integer not null references resident_corrections,
  register_value text not null
) strict;
create index import_conflicts_by_resident on import_conflicts (resident_id);

create table import_conflict_decisions (
  id integer primary key,
  conflict_id integer not null unique references import_conflicts,
  decision text not null check (decision in ('keep', 'register')),
  staff_id integer not null references staff,
  recorded_at text not null
) strict;
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
  consultation_id integer not null references consultations,
  reason text not null,
  staff_id integer not null references staff,
  recorded_at text not null
) strict;
create index consultation_withdrawals_by_consultation on consultation_withdrawals (consultation_id);

-- The record came back: a withdrawal holds as long as no row ends it.
create table consultation_withdrawal_endings (
  id integer primary key,
  withdrawal_id integer not null unique references consultation_withdrawals,
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
-- Two pairs of eyes: what somebody asks for, and what somebody else decides. Whoever decides never
-- asked.
create table approvals (
  id integer primary key,
  kind text not null,
  payload text not null,                          -- JSON; read by the slice that owns the kind
  facts text not null,                            -- JSON, label and value: what was true when it was asked
  summary text not null,                          -- what would happen, in words, old and new; no resident
  reason text not null,
  urgent integer not null check (urgent in (0, 1)),  -- works already; the second person looks afterwards
  centre_id integer references support_centres,   -- of whoever asked; null: the city
  requested_by integer not null references staff,
  requested_at text not null,
  expires_on text not null                        -- last day on which it can be approved
) strict;
create index approvals_by_requester on approvals (requested_by, id);

create table approval_decisions (
  id integer primary key,
  approval_id integer not null unique references approvals,
  decision text not null check (decision in ('approved', 'refused', 'withdrawn', 'lapsed')),
  reason text not null,
  decided_by integer references staff,            -- null: nobody did in time
  recorded_at text not null,
  check ((decision = 'lapsed') = (decided_by is null))
) strict;

-- What a role may do from a day on: the row with the latest first day that has come counts, of
-- several for one day the newest. The first rows are the matrix as shipped.
create table role_rights (
  id integer primary key,
  role text not null,
  permission text not null,
  granted integer not null check (granted in (0, 1)),
  starts_on text not null,
  reason text not null,
  approval_id integer references approvals,
  recorded_by integer references staff,           -- null: as shipped, or the console
  recorded_at text not null
) strict;
create index role_rights_by_role on role_rights (role, permission, starts_on);

-- A change that was planned and taken back before its day.
create table role_right_withdrawals (
  role_right_id integer primary key references role_rights,
  reason text not null,
  recorded_by integer references staff,
  recorded_at text not null
) strict;

-- One person's exceptions from her role.
create table staff_rights (
  id integer primary key,
  staff_id integer not null references staff,
  permission text not null,
  granted integer not null check (granted in (0, 1)),
  starts_on text not null,
  ends_on text,                                   -- last day; null only for what is taken away
  reason text not null,
  approval_id integer references approvals,
  recorded_by integer references staff,           -- null: the console
  recorded_at text not null,
  check (granted = 0 or ends_on is not null)
) strict;
create index staff_rights_by_staff on staff_rights (staff_id, id);

-- The newest row counts. A last day before the first one: it never came to be.
create table staff_right_endings (
  id integer primary key,
  staff_right_id integer not null references staff_rights,
  ends_on text not null,
  reason text not null,
  recorded_by integer references staff,           -- null: the console
  recorded_at text not null
) strict;
create index staff_right_endings_by_right on staff_right_endings (staff_right_id, id);

create view role_right_terms as
  select r.id, r.role, r.permission, r.granted, r.starts_on, r.reason, r.recorded_by, r.recorded_at
  from role_rights r
  where not exists (select 1 from role_right_withdrawals w where w.role_right_id = r.id);

create view staff_right_terms as
  select r.id, r.staff_id, r.permission, r.granted, r.starts_on,
         coalesce((select e.ends_on from staff_right_endings e where e.staff_right_id = r.id
                   order by e.id desc limit 1), r.ends_on) as ends_on,
         r.reason, r.recorded_by, r.recorded_at
  from staff_rights r;

-- 年度切替: a list prepared before its day and confirmed as a whole.
create table right_plans (
  id integer primary key,
  title text not null,
  starts_on text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;

create table right_plan_items (
  id integer primary key,
  plan_id integer not null references right_plans,
  content text not null,                          -- JSON; see features/staff/rights/plans
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
create index right_plan_items_by_plan on right_plan_items (plan_id, id);

create table right_plan_removals (
  item_id integer primary key references right_plan_items,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;

-- Confirmed, or taken back (before or after that); the newest row counts.
create table right_plan_steps (
  id integer primary key,
  plan_id integer not null references right_plans,
  step text not null check (step in ('confirmed', 'withdrawn')),
  reason text not null,
  recorded_by integer references staff,
  recorded_at text not null
) strict;
create index right_plan_steps_by_plan on right_plan_steps (plan_id, id);

-- Which rows a confirmed plan wrote, so that it can be taken back as a whole.
create table right_plan_effects (
  id integer primary key,
  plan_id integer not null references right_plans,
  kind text not null check (kind in ('post', 'ending', 'role_right', 'staff_right')),
  row_id integer not null
) strict;
create index right_plan_effects_by_plan on right_plan_effects (plan_id);
-- What somebody shows besides the password. A row counts unless a later reset took it back.
create table second_factors (
  id integer primary key,
  staff_id integer not null references staff,
  kind text not null check (kind in ('totp', 'webauthn')),
  name text not null,                             -- what its owner calls it
  public_key text,                                -- webauthn: public key and counter, JSON; nothing to hide
  recorded_at text not null,
  check ((kind = 'webauthn') = (public_key is not null))
) strict;
create index second_factors_by_staff on second_factors (staff_id, id);

-- What codes are checked with, sealed by a key that is not in this file and bound to factor and person.
-- Sealed anew when the key changes; gone when the factor is taken back.
create table second_factor_secrets (
  factor_id integer primary key references second_factors,
  key text not null,                              -- name of the key
  sealed blob not null,                           -- nonce, text and tag
  sealed_at text not null
) strict;

-- An administrator takes back everything that somebody has, after a telephone was lost.
create table second_factor_resets (
  id integer primary key,
  staff_id integer not null references staff,
  last_factor_id integer not null references second_factors,  -- this one and those before it
  reason text not null,
  recorded_by integer references staff,           -- null: at the console; the access log has the name
  recorded_at text not null
) strict;
create index second_factor_resets_by_staff on second_factor_resets (staff_id, last_factor_id);

-- Operational: which code was used last, so that it is not taken twice.
create table second_factor_uses (
  factor_id integer primary key references second_factors,
  step integer not null,                          -- totp: period of 30 s; webauthn: the key's counter
  used_at text not null
) strict;
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
-- A finished year of the access log may move into a file of its own. What stays is the cut: which
-- entries went, the hash before them and of their last, signed like the head.
create table audit_cuts (
  year integer primary key,
  first_id integer not null,
  last_id integer not null check (last_id >= first_id),
  hash_before blob not null check (length(hash_before) = 32),
  hash blob not null check (length(hash) = 32),
  file text not null,                        -- name inside the directory of archives
  archived_at text not null,
  signature blob not null
) strict;
create trigger audit_cuts_keep before delete on audit_cuts
begin select raise(abort, 'audit cuts are kept'); end;
create trigger audit_cuts_freeze before update on audit_cuts
begin select raise(abort, 'audit cuts do not change'); end;

-- Only what a cut names may go.
drop trigger audit_entries_keep;
create trigger audit_entries_keep before delete on audit_entries
when old.id > (select coalesce(max(last_id), 0) from audit_cuts)
begin select raise(abort, 'audit entries are kept'); end;

-- Every search of the log has one index that it walks in the order of the page. Most entries are
-- done and many are about no record: those two are kept partial.
create index audit_entries_by_menu on audit_entries (menu, id);
create index audit_entries_by_operation on audit_entries (operation, id);
create index audit_entries_by_terminal on audit_entries (terminal, id);
create index audit_entries_by_record on audit_entries (id >> 16, record_kind, record_id)
where record_kind is not null;
create index audit_entries_refused on audit_entries (id) where outcome = 'refused';

-- That somebody looked into unusual use: findings are computed, this is what stays. More entries
-- than there were open it again.
create table unusual_use_reviews (
  id integer primary key,
  day text not null,
  kind text not null,
  staff_id integer not null references staff,
  entries integer not null check (entries > 0),
  note text not null,
  reviewed_by integer not null references staff,
  recorded_at text not null
) strict;
create index unusual_use_reviews_by_day on unusual_use_reviews (day, id);
-- 持出し台帳: everything that leaves, whether the product made the file or somebody took a medium.
-- Holds no name of a resident: what it was and how many persons are in it.
create table carried_out (
  id integer primary key,
  centre_id integer references support_centres,   -- null: the city
  origin text not null check (origin in ('export', 'manual', 'command')),
  submission text not null unique,                -- one per opened form: a double click is one entry
  created_by integer references staff,            -- null: the console
  operator text not null,                         -- who sat at the console; '' otherwise
  created_at text not null
) strict;
create index carried_out_by_centre on carried_out (centre_id);
create index carried_out_by_staff on carried_out (created_by);

-- A correction adds a version; the former ones stay readable.
create table carried_out_versions (
  id integer primary key,
  carried_out_id integer not null references carried_out,
  version integer not null,
  taken_on text not null,
  what text not null,
  persons integer not null check (persons >= 0),
  purpose text not null,                          -- code list carried_out_purpose
  purpose_note text not null,
  medium text not null,                           -- code list carried_out_medium
  medium_note text not null,                      -- number of the USB stick, label of the disk
  destination text not null,
  carried_by text not null,                       -- member of staff or vendor who takes it along
  encrypted integer not null check (encrypted in (0, 1)),
  protection text not null,                       -- what protects it instead, when not encrypted
  due_on text,                                    -- null: stays there for good
  note text not null,
  recorded_by integer references staff,
  recorded_at text not null,
  correction_reason text not null,                -- '' for the first version
  unique (carried_out_id, version)
) strict;
create index carried_out_versions_by_day on carried_out_versions (taken_on);

-- The files of an export as they were handed over: a double click hands over twice.
create table carried_out_files (
  id integer primary key,
  carried_out_id integer not null references carried_out,
  name text not null,
  sha256 text not null,
  bytes integer not null,
  recorded_at text not null
) strict;
create index carried_out_files_by_entry on carried_out_files (carried_out_id);

-- Returned or disposed of; the newest row counts, and 'open' takes a mistaken one back.
create table carried_out_endings (
  id integer primary key,
  carried_out_id integer not null references carried_out,
  kind text not null check (kind in ('returned', 'disposed', 'open')),
  ended_on text,                                  -- null when taken back
  handled_by text not null,
  method text not null,                           -- how it was destroyed
  certificate text not null,                      -- number of the certificate, if there is one
  note text not null,                             -- reason when taken back
  recorded_by integer references staff,
  recorded_at text not null
) strict;
create index carried_out_endings_by_entry on carried_out_endings (carried_out_id, id);

create table carried_out_withdrawals (
  id integer primary key,
  carried_out_id integer not null unique references carried_out,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;

-- Each entry with its newest version and what became of it.
create view carried_out_states as
  select c.id, c.centre_id, c.origin, c.created_by, c.operator, c.created_at,
         v.version, v.taken_on, v.what, v.persons, v.purpose, v.purpose_note, v.medium, v.medium_note,
         v.destination, v.carried_by, v.encrypted, v.protection, v.due_on, v.note,
         e.kind as ending, e.ended_on,
         exists (select 1 from carried_out_withdrawals w where w.carried_out_id = c.id) as withdrawn
  from carried_out c
  join carried_out_versions v on v.carried_out_id = c.id
    and v.version = (select max(l.version) from carried_out_versions l where l.carried_out_id = c.id)
  left join carried_out_endings e on e.carried_out_id = c.id
    and e.id = (select max(l.id) from carried_out_endings l where l.carried_out_id = c.id);
-- 個人情報管理台帳: what personal data are held, where, why, by whom. What the product itself holds is
-- shipped as data and gets a row here when somebody changes its words.
create table data_holdings (
  id integer primary key,
  centre_id integer references support_centres,   -- null: the city
  shipped_key text unique,                        -- entry of data/data_holdings.toml, if it is one
  submission text not null unique,                -- one per opened form
  created_by integer not null references staff,
  created_at text not null
) strict;

-- A change adds a version; the former ones stay readable.
create table data_holding_versions (
  id integer primary key,
  holding_id integer not null references data_holdings,
  version integer not null,
  name text not null,
  purpose text not null,
  items text not null,
  source text not null,                           -- where the data come from
  place text not null,
  users text not null,
  responsible text not null,
  started text not null,                          -- a day, a year, or words
  retention text not null,
  outsourcing text not null,
  note text not null,
  recorded_by integer references staff,           -- null: as shipped
  recorded_at text not null,
  reason text not null,
  unique (holding_id, version)
) strict;

-- No longer held.
create table data_holding_endings (
  id integer primary key,
  holding_id integer not null unique references data_holdings,
  ended_on text not null,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;

-- 定期点検: one check of one office by the list of its day.
create table inspections (
  id integer primary key,
  centre_id integer references support_centres,   -- null: the city
  submission text not null unique,
  checked_on text not null,
  checker text not null,
  next_due_on text not null,
  list_from text not null,                        -- which list of data/inspections.toml
  note text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
create index inspections_by_centre on inspections (centre_id, checked_on);

create table inspection_results (
  inspection_id integer not null references inspections,
  item text not null,
  result text not null check (result in ('good', 'bad', 'none')),
  remark text not null,
  fix_due_on text,                                -- only when bad
  primary key (inspection_id, item)
) strict, without rowid;

-- What was bad is mended.
create table inspection_fixes (
  id integer primary key,
  inspection_id integer not null references inspections,
  item text not null,
  fixed_on text not null,
  note text not null,
  recorded_by integer not null references staff,
  recorded_at text not null,
  unique (inspection_id, item)
) strict;

create table inspection_withdrawals (
  id integer primary key,
  inspection_id integer not null unique references inspections,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
-- Disposal of what is past its time: asked for by one person, decided by another, done, written down.
-- The rules themselves are data (data/retention.toml).
create table disposal_requests (
  id integer primary key,
  class text not null,                            -- class of data/retention.toml
  due_on text not null,                           -- the day for which the list was made
  rule text not null,                             -- the rule as it read that day
  submission text not null unique,                -- one per opened form
  approval_id integer not null unique references approvals,  -- who asked, why, and who decided
  recorded_at text not null
) strict;

-- The list as it was asked for and approved: numbers, nothing of what the records say.
create table disposal_request_records (
  request_id integer not null references disposal_requests,
  record_id integer not null,
  number text not null,
  primary key (request_id, record_id)
) strict, without rowid;

create table disposals (
  id integer primary key,
  request_id integer not null unique references disposal_requests,
  disposed integer not null,                      -- records that are gone
  kept integer not null,                          -- on the list, but no longer due
  method text not null,
  backups_forget_on text,                         -- null: site.toml does not say
  disposed_by integer not null references staff,
  recorded_at text not null
) strict;
-- Extraordinary access: doors that the city opens for the vendor, by the hour, and the sealed
-- envelopes for the day on which the last administrator is gone.
create table maintenance_grants (
  id integer primary key,
  staff_id integer not null references staff,     -- whom of the vendor
  purpose text not null,
  starts_at text not null,                        -- UTC
  ends_at text not null,                          -- UTC; a longer window is a new grant
  submission text not null unique,                -- one per opened form: a double click is one grant
  granted_by integer not null references staff,
  recorded_at text not null
) strict;
create index maintenance_grants_by_staff on maintenance_grants (staff_id, ends_at);
create index maintenance_grants_by_end on maintenance_grants (ends_at);

-- Ended before its time, by the city or by the vendor.
create table maintenance_endings (
  id integer primary key,
  grant_id integer not null unique references maintenance_grants,
  reason text not null,
  ended_by integer not null references staff,
  recorded_at text not null
) strict;

-- Everything that was asked for and typed in a window, written before it is done.
create table maintenance_requests (
  id integer primary key,
  grant_id integer not null references maintenance_grants,
  at text not null,
  terminal text not null,
  method text not null,
  path text not null,
  typed text not null,                            -- lines of name＝value, without secrets, bounded
  allowed integer not null check (allowed in (0, 1))
) strict;
create index maintenance_requests_by_grant on maintenance_requests (grant_id, id);

-- Two envelopes make a pair; only the hashes of what is in them are here.
create table break_glass_envelopes (
  id integer primary key,
  pair text not null,
  position integer not null check (position in (1, 2)),
  holder text not null,                           -- who keeps the envelope
  hash text not null,                             -- argon2id, PHC string
  prepared_by text not null,                      -- name of whoever sat at the console
  reason text not null,
  recorded_at text not null,
  unique (pair, position)
) strict;

create table break_glass_openings (
  id integer primary key,
  pair text not null unique,                      -- an envelope opens once
  staff_id integer not null references staff,     -- whose administrator account
  password_id integer not null unique references staff_passwords,
  valid_until text not null,                      -- UTC; the password must be changed before
  first_person text not null,
  second_person text not null,
  reason text not null,
  recorded_at text not null
) strict;

-- An administrator has taken note; the others still see it.
create table break_glass_acknowledgements (
  id integer primary key,
  opening_id integer not null references break_glass_openings,
  staff_id integer not null references staff,
  recorded_at text not null,
  unique (opening_id, staff_id)
) strict;
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
-- What a second person agreed to and somebody used: a file that left (taken out once).
create table approval_uses (
  approval_id integer primary key references approvals,
  carried_out_id integer not null references carried_out,
  used_at text not null
) strict;
-- Files that staff attach to a person or to a consultation. The bytes lie beside the database under
-- their hash (store's shelf), equal bytes once; a row never stands without its bytes.
create table attachments (
  id integer primary key,
  resident_id integer references residents,
  consultation_id integer references consultations,
  sha256 text not null check (length(sha256) = 64),
  bytes integer not null check (bytes > 0),
  kind text not null,                        -- found in the content: data/attachment_kinds.toml
  file_name text not null,                   -- as it was called, for reading; never a path
  submission text not null,                  -- one opened form, which may bring several files
  position integer not null,
  centre_id integer references support_centres,  -- who attached it; null: the city
  created_by integer not null references staff,
  created_at text not null,
  unique (submission, position),
  check ((resident_id is null) <> (consultation_id is null))
) strict;
create index attachments_by_resident on attachments (resident_id) where resident_id is not null;
create index attachments_by_consultation on attachments (consultation_id)
  where consultation_id is not null;
create index attachments_by_bytes on attachments (sha256);

-- What is said about a file; a correction adds a version.
create table attachment_versions (
  id integer primary key,
  attachment_id integer not null references attachments,
  version integer not null,
  title text not null,                       -- empty: its file name
  note text not null,
  correction_reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null,
  unique (attachment_id, version)
) strict;

-- Attached by mistake: shown struck through, opened by nobody any more.
create table attachment_withdrawals (
  id integer primary key,
  attachment_id integer not null references attachments,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
create index attachment_withdrawals_by_attachment on attachment_withdrawals (attachment_id);

-- The file came back: a withdrawal holds as long as no row ends it.
create table attachment_withdrawal_endings (
  id integer primary key,
  withdrawal_id integer not null unique references attachment_withdrawals,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
-- Each look for viruses into an attached file; the newest row counts. A file without one was never looked into.
create table attachment_scans (
  id integer primary key,
  attachment_id integer not null references attachments,
  finding text not null,                     -- as the signatures call it; empty: nothing was found
  signatures integer not null,               -- number of the daily signatures; 0: they have none
  recorded_at text not null
) strict;
create index attachment_scans_by_attachment on attachment_scans (attachment_id);
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
-- Which history this directory goes on with. Every restore in place and every undo draws a new token
-- and takes over those that it supersedes: a directory that lacks what a repository knows is an old
-- machine that came back.
create table lineages (
  id integer primary key,
  epoch integer not null check (epoch > 0),
  token text not null unique check (length(token) = 32),
  recorded_at text not null
) strict;

-- What was brought back here from a backup, or put back.
create table restores (
  id integer primary key,
  kind text not null check (kind in ('restore', 'undo')),
  epoch integer not null,                    -- which lineage began with it
  source text not null,                      -- repository and snapshot, or the kept directory
  taken_at text not null,                    -- UTC; the state that came back is of this moment
  former_entries integer,                    -- of the access log that was put away; null: unreadable
  former_head text not null,                 -- hash of its last entry; '' when unreadable
  kept text not null,                        -- directory of the former state; '' when there was none
  recorded_at text not null
) strict;

-- By kind: how many rows of the former state were applied again, and how many are left to people.
create table restore_items (
  restore_id integer not null references restores,
  kind text not null,
  applied integer not null check (applied >= 0),
  left_over integer not null check (left_over >= 0),
  readable integer not null check (readable in (0, 1)),  -- 0: the former state did not say
  primary key (restore_id, kind)
) strict, without rowid;

-- An administrator has looked through it.
create table restore_acknowledgements (
  restore_id integer primary key references restores,
  staff_id integer not null references staff,
  recorded_at text not null
) strict;
