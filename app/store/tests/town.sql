insert into support_centres
    (id, code, name, short_name, phone, valid_from, source, unconfirmed)
    values (1, '1', 'センター', 'セ', '', '2026-04-01', 'test', 0),
           (2, '2', 'センター', 'セ', '', '2026-04-01', 'test', 0);
insert into imports values
    (1, 'residents', '', 0, 'utf-8', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, null, '2026-04-01');
insert into residents (id, addressee_no, household_no, relationship, name, kana,
    alias_name, alias_kana, latin_name, former_surname, born_on, born_text, sex, resident_kind,
    resident_state, postal_code, area_code, address, building, phone, centre_id, event_code,
    moved_from, moved_to, nationality, shielded, has_gaiji, import_id)
    select id, id, '1', '', 'x', 'x', '', '', '', '', '1940-01-01', '', '1', '1', '1', '', '', '',
           '', '', centre, '', '', '', '', shielded, 0, 1
    from (select 1 as id, 1 as centre, 0 as shielded
          union all select 2, 2, 0 union all select 3, 1, 1);
insert into staff (id, login, name, kana, recorded_at)
    values (1, 'a', 'x', 'x', ''), (2, 'b', 'x', 'x', ''), (3, 'c', 'x', 'x', '');
insert into approvals (id, kind, payload, facts, summary, reason, urgent, requested_by, requested_at,
    expires_on)
    values (1, 'x', '{}', '[]', 'x', '', 0, 1, '', '2026-11-30'),
           (2, 'x', '{}', '[]', 'x', '', 0, 1, '', '2026-11-30');
