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
