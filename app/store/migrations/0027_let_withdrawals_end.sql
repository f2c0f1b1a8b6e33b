-- A withdrawn record may come back, and be withdrawn again: a withdrawal holds as long as no row ends it.
-- Both tables lose their "once for each record"; nothing refers to them, so they are made anew.
create temp table kept_withdrawals as select * from consultation_withdrawals;
drop table consultation_withdrawals;
create table consultation_withdrawals (
  id integer primary key,
  consultation_id integer not null references consultations,
  reason text not null,
  staff_id integer not null references staff,
  recorded_at text not null
) strict;
create index consultation_withdrawals_by_consultation on consultation_withdrawals (consultation_id);
insert into consultation_withdrawals select * from kept_withdrawals;
drop table kept_withdrawals;

create table consultation_withdrawal_endings (
  id integer primary key,
  withdrawal_id integer not null unique references consultation_withdrawals,
  reason text not null,
  staff_id integer not null references staff,
  recorded_at text not null
) strict;

create temp table kept_withdrawals as select * from attachment_withdrawals;
drop table attachment_withdrawals;
create table attachment_withdrawals (
  id integer primary key,
  attachment_id integer not null references attachments,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
create index attachment_withdrawals_by_attachment on attachment_withdrawals (attachment_id);
insert into attachment_withdrawals select * from kept_withdrawals;
drop table kept_withdrawals;

create table attachment_withdrawal_endings (
  id integer primary key,
  withdrawal_id integer not null unique references attachment_withdrawals,
  reason text not null,
  recorded_by integer not null references staff,
  recorded_at text not null
) strict;
