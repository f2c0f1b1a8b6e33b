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
