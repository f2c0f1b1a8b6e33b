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
