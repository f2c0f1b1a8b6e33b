-- What a second person agreed to and somebody used: a file that left (taken out once).
create table approval_uses (
  approval_id integer primary key references approvals,
  carried_out_id integer not null references carried_out,
  used_at text not null
) strict;
