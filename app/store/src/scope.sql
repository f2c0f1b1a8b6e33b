-- The only doors to residents' data. Made anew on every connection as temporary views, so that the
-- file itself stays readable with the stock tool; SQLite's authorizer refuses a person table that
-- is read by any other way (see scope.rs).
--
-- in_scope(person, centre, shielded) is the one predicate: everything that a person may see follows
-- from it. shielded is what the register says; is_shielded() adds what the city set or keeps.

create temp view visible_residents as
  select r.id, r.addressee_no, r.household_no, r.relationship, r.name, r.kana, r.alias_name,
         r.alias_kana, r.latin_name, r.former_surname, r.born_on, r.born_text, r.sex,
         r.resident_kind, r.resident_state, r.postal_code, r.area_code, r.address, r.building,
         r.phone, r.centre_id, r.resident_since, r.event_on, r.event_code, r.moved_from, r.moved_to,
         r.died_on, r.nationality, is_shielded(r.id, r.shielded) as shielded, r.shielded_until,
         r.has_gaiji, r.import_id, writable(r.id, r.centre_id) as writable
  from main.residents r
  -- 0: disposed of, and nothing but her number is left.
  where r.resident_state <> '0' and in_scope(r.id, r.centre_id, r.shielded);

create temp view visible_names as
  select n.* from main.resident_names n
  join main.residents r on r.id = n.resident_id
  where in_scope(r.id, r.centre_id, r.shielded);

create temp view visible_places as
  select p.* from main.resident_places p
  join main.residents r on r.id = p.resident_id
  where in_scope(r.id, r.centre_id, r.shielded);

create temp view visible_household_members as
  select m.* from main.household_members m
  join main.residents r on r.id = m.resident_id
  where in_scope(r.id, r.centre_id, r.shielded);

create temp view visible_insured_persons as
  select i.* from main.insured_persons i
  join main.residents r on r.id = i.resident_id
  where in_scope(r.id, r.centre_id, r.shielded);

create temp view visible_certifications as
  select c.*, i.resident_id as resident_id from main.certifications c
  join main.insured_persons i on i.id = c.insured_person_id
  join main.residents r on r.id = i.resident_id
  where in_scope(r.id, r.centre_id, r.shielded);

create temp view visible_resident_changes as
  select c.* from main.resident_changes c
  join main.residents r on r.id = c.resident_id
  where in_scope(r.id, r.centre_id, r.shielded);

create temp view visible_corrections as
  select c.*, e.recorded_at as ended_at from main.resident_corrections c
  join main.residents r on r.id = c.resident_id
  left join main.resident_correction_endings e on e.correction_id = c.id
  where in_scope(r.id, r.centre_id, r.shielded);

create temp view visible_conflicts as
  select f.* from main.import_conflicts f
  join main.residents r on r.id = f.resident_id
  where in_scope(r.id, r.centre_id, r.shielded);

-- A record is seen by the centre that wrote it and by whoever may see the person it is about; about
-- a shielded person only by the latter, and by nobody who is excluded from her. What belongs to an
-- abuse case is seen by those of them who know of the case.
create temp view visible_consultations as
  select c.*, k.resident_id as resident_id,
         -- Its own centre goes on correcting what it wrote; whoever only reads the person does not.
         writable(coalesce(r.id, 0), c.centre_id)
           or (r.id is not null and writable(coalesce(r.id, 0), r.centre_id)) as writable
  from main.consultations c
  left join main.consultation_clients k on k.consultation_id = c.id
    and k.id = (select max(l.id) from main.consultation_clients l where l.consultation_id = c.id)
  left join main.residents r on r.id = k.resident_id
  where record_in_scope(c.id, r.id, r.centre_id, r.shielded, c.centre_id, c.created_by);

create temp view visible_consultation_versions as
  select v.* from main.consultation_versions v
  where v.consultation_id in (select c.id from temp.visible_consultations c where c.id = v.consultation_id);

create temp view visible_consultation_clients as
  select k.* from main.consultation_clients k
  where k.consultation_id in (select c.id from temp.visible_consultations c where c.id = k.consultation_id);

-- A withdrawal that ended holds no more; the second view tells all that ever were.
create temp view visible_consultation_withdrawals as
  select w.* from main.consultation_withdrawals w
  where not exists (select 1 from main.consultation_withdrawal_endings e where e.withdrawal_id = w.id)
    and w.consultation_id in (select c.id from temp.visible_consultations c where c.id = w.consultation_id);

create temp view visible_consultation_withdrawal_history as
  select w.*, e.reason as ending_reason, e.staff_id as ended_by, e.recorded_at as ended_at
  from main.consultation_withdrawals w
  left join main.consultation_withdrawal_endings e on e.withdrawal_id = w.id
  where w.consultation_id in (select c.id from temp.visible_consultations c where c.id = w.consultation_id);

create temp view visible_consultation_follow_ups as
  select f.* from main.consultation_follow_ups f
  where f.consultation_id in (select c.id from temp.visible_consultations c where c.id = f.consultation_id);

create temp view visible_consultation_categories as
  select g.* from main.consultation_categories g
  where g.version_id in (select v.id from temp.visible_consultation_versions v where v.id = g.version_id);

create temp view visible_consultation_responses as
  select p.* from main.consultation_responses p
  where p.version_id in (select v.id from temp.visible_consultation_versions v where v.id = p.version_id);

-- Each visible consultation with its newest version: what lists and counts read, so that the scope
-- is asked once per record. A next action counts as done when it was done in any version that
-- asked for the same thing by the same day.
create temp view visible_current_consultations as
  select c.id as id, c.number as number, c.centre_id as centre_id, c.created_by as created_by,
         k.resident_id as resident_id, v.id as version_id, v.version as version,
         v.received_on as received_on, v.minutes as minutes, v.channel as channel,
         v.caller_kind as caller_kind, v.caller_name as caller_name,
         v.client_name as client_name, v.urgency as urgency, v.content as content,
         v.response as response, v.outcome as outcome, v.next_action as next_action,
         v.next_due_on as next_due_on, v.recorded_by as recorded_by,
         exists (select 1 from main.consultation_withdrawals w where w.consultation_id = c.id
                 and not exists (select 1 from main.consultation_withdrawal_endings e
                                 where e.withdrawal_id = w.id)) as withdrawn,
         exists (select 1 from main.consultation_follow_ups f
                 join main.consultation_versions o
                   on o.consultation_id = f.consultation_id and o.version = f.version
                 where f.consultation_id = c.id and o.next_action = v.next_action
                   and o.next_due_on is v.next_due_on) as followed_up,
         record_taken(c.id) as taken
  from main.consultations c
  join main.consultation_versions v on v.consultation_id = c.id
    and v.version = (select max(l.version) from main.consultation_versions l where l.consultation_id = c.id)
  left join main.consultation_clients k on k.consultation_id = c.id
    and k.id = (select max(l.id) from main.consultation_clients l where l.consultation_id = c.id)
  left join main.residents r on r.id = k.resident_id
  where record_in_scope(c.id, r.id, r.centre_id, r.shielded, c.centre_id, c.created_by);

-- An attachment is seen by whoever sees what it is attached to: the person, or the consultation.
create temp view visible_attachments as
  select a.*,
         coalesce(a.resident_id, (select c.resident_id from temp.visible_consultations c
                                  where c.id = a.consultation_id)) as person_id,
         coalesce((select r.writable from temp.visible_residents r where r.id = a.resident_id),
                  (select c.writable from temp.visible_consultations c
                   where c.id = a.consultation_id)) as writable
  from main.attachments a
  where a.resident_id in (select r.id from temp.visible_residents r where r.id = a.resident_id)
     or a.consultation_id in (select c.id from temp.visible_consultations c
                              where c.id = a.consultation_id);

create temp view visible_attachment_versions as
  select v.* from main.attachment_versions v
  where v.attachment_id in (select a.id from temp.visible_attachments a where a.id = v.attachment_id);

create temp view visible_attachment_withdrawals as
  select w.* from main.attachment_withdrawals w
  where not exists (select 1 from main.attachment_withdrawal_endings e where e.withdrawal_id = w.id)
    and w.attachment_id in (select a.id from temp.visible_attachments a where a.id = w.attachment_id);

create temp view visible_attachment_withdrawal_history as
  select w.*, e.reason as ending_reason, e.recorded_by as ended_by, e.recorded_at as ended_at
  from main.attachment_withdrawals w
  left join main.attachment_withdrawal_endings e on e.withdrawal_id = w.id
  where w.attachment_id in (select a.id from temp.visible_attachments a where a.id = w.attachment_id);

create temp view visible_attachment_scans as
  select s.* from main.attachment_scans s
  where s.attachment_id in (select a.id from temp.visible_attachments a where a.id = s.attachment_id);

-- Which files hold a virus and were not withdrawn, by their number alone: for those who look after the system.
create temp view infected_attachments as
  select s.attachment_id as id from main.attachment_scans s
  where s.finding <> ''
    and not exists (select 1 from main.attachment_scans l
                    where l.attachment_id = s.attachment_id and l.id > s.id)
    and not exists (select 1 from main.attachment_withdrawals w
                    where w.attachment_id = s.attachment_id
                      and not exists (select 1 from main.attachment_withdrawal_endings e
                                      where e.withdrawal_id = w.id));

-- How many files nobody has looked into for viruses yet; a row number is no column to SQLite's authorizer.
create temp view unscanned_attachments as
  select a.sha256 from main.attachments a
  where not exists (select 1 from main.attachment_scans s where s.attachment_id = a.id);

-- Which bytes on the shelf are still named by a row; nothing of any record.
create temp view kept_bytes as select a.sha256 from main.attachments a;

-- For the city's own totals, in which nobody is forgotten: to be counted, and nothing else of anybody.
create temp view counted_residents as
  select r.id, r.resident_state, r.born_on, r.household_no from main.residents r where sees_city();

create temp view counted_certifications as
  select i.resident_id, c.level, c.valid_from, c.valid_to from main.certifications c
  join main.insured_persons i on i.id = c.insured_person_id where sees_city();

-- The running number alone; nothing of any record.
create temp view consultation_numbering as
  select coalesce(max(c.id), 0) as last_id from main.consultations c;

-- Half-typed words are their writer's alone.
create temp view own_drafts as
  select d.* from main.drafts d where d.staff_id = viewer_staff();

-- 照会: an exact match outside one's scope answers with the centre only. Nothing else of the person
-- leaves this view, and nothing at all of a shielded one but that she must be asked for at the city.
create temp view inquiry_keys as
  select i.insured_no as insured_no, n.kana_key as kana_key, r.born_on as born_on,
         is_shielded(r.id, r.shielded) as shielded,
         case when is_shielded(r.id, r.shielded) then null else r.centre_id end as centre_id,
         r.id as resident_id
  from main.residents r
  left join main.resident_names n on n.resident_id = r.id
  left join main.insured_persons i on i.resident_id = r.id
  where r.resident_state = '1' and may_inquire() and not is_excluded(r.id);

-- 閲覧制限の管理: who is shielded, by number and name, so that nobody is forgotten because she is hidden.
-- Where she lives and how to reach her is not in it: that takes a grant.
create temp view sealed_residents as
  select r.id, r.addressee_no, r.name, r.kana, r.born_on, r.resident_state, r.centre_id,
         r.shielded as in_register, r.shielded_until,
         (select i.insured_no from main.insured_persons i where i.resident_id = r.id
          order by i.id desc limit 1) as insured_no,
         (select max(c.valid_to) from main.certifications c
          join main.insured_persons i on i.id = c.insured_person_id
          where i.resident_id = r.id and c.level <> '') as certified_until,
         (select max(v.received_on) from main.consultation_clients k
          join main.consultation_versions v on v.consultation_id = k.consultation_id
          where k.resident_id = r.id and record_open(k.consultation_id)) as last_contact_on
  from main.residents r
  where may_protect() and is_shielded(r.id, r.shielded) and not is_excluded(r.id);

-- Somebody excluded from a person does not decide about her either.
create temp view known_shields as
  select s.*, e.recorded_at as ended_at, e.reason as ending_reason, e.recorded_by as ended_by
  from main.shields s left join main.shield_endings e on e.shield_id = s.id
  where may_protect() and not is_excluded(s.resident_id);

create temp view known_shield_grants as
  select g.*, d.decision, d.reason as decision_reason, d.decided_by as decided_by,
         d.recorded_at as decided_at, e.recorded_at as ended_at, e.reason as ending_reason,
         e.recorded_by as ended_by
  from main.shield_grants g
  left join main.approval_decisions d on d.approval_id = g.approval_id
  left join main.shield_grant_endings e on e.grant_id = g.id
  where may_protect() and not is_excluded(g.resident_id);

create temp view known_exclusions as
  select x.*, e.recorded_at as ended_at, e.reason as ending_reason, e.recorded_by as ended_by
  from main.exclusions x left join main.exclusion_endings e on e.exclusion_id = x.id
  where may_protect() and not is_excluded(x.resident_id);

-- Why somebody of another centre meets her: for the page that says who can see a person.
create temp view known_case_grants as
  select g.* from main.case_grants g
  where may_protect() and not is_excluded(g.resident_id)
    and not exists (select 1 from main.case_grant_endings e where e.grant_id = g.id);

create temp view known_assignments as
  select a.*, e.ends_on as ends_on from main.assignments a
  left join main.assignment_endings e on e.assignment_id = a.id
  where may_protect() and not is_excluded(a.resident_id);

create temp view known_transfers as
  select t.* from main.centre_transfers t where may_protect() and not is_excluded(t.resident_id);

create temp view visible_transfers as
  select t.*, k.recorded_at as received_at, k.recorded_by as received_by, e.recorded_at as ended_at,
         not exists (select 1 from main.centre_transfers l
                     where l.resident_id = t.resident_id and l.id > t.id
                       and not exists (select 1 from main.transfer_endings x
                                       where x.transfer_id = l.id)) as is_latest
  from main.centre_transfers t
  join main.residents r on r.id = t.resident_id
  left join main.transfer_receipts k on k.transfer_id = t.id
  left join main.transfer_endings e on e.transfer_id = t.id
  where in_scope(r.id, r.centre_id, r.shielded);

create temp view visible_transfer_notes as
  select n.* from main.transfer_notes n
  where n.transfer_id in (select t.id from temp.visible_transfers t where t.id = n.transfer_id);

create temp view visible_assignments as
  select a.*, e.ends_on as ends_on, e.reason as ending_reason, e.recorded_by as ended_by,
         e.recorded_at as ended_at
  from main.assignments a
  join main.residents r on r.id = a.resident_id
  left join main.assignment_endings e on e.assignment_id = a.id
  where in_scope(r.id, r.centre_id, r.shielded);

create temp view visible_case_grants as
  select g.*, e.recorded_at as ended_at, e.reason as ending_reason, e.recorded_by as ended_by
  from main.case_grants g
  join main.residents r on r.id = g.resident_id
  left join main.case_grant_endings e on e.grant_id = g.id
  where in_scope(r.id, r.centre_id, r.shielded);

-- 虐待対応: a case exists for those whom its rows name and for whoever keeps all of them
-- (in_abuse_case); for everybody else there is no row, wherever she lives and whoever looks after her.
create temp view visible_abuse_cases as
  select c.*, v.version as version, v.resident_id as resident_id, v.reported_on as reported_on,
         v.reported_at as reported_at, writes_abuse_case(c.id) as writable,
         exists (select 1 from main.abuse_case_withdrawals w where w.case_id = c.id) as withdrawn
  from main.abuse_cases c
  join main.abuse_case_versions v on v.case_id = c.id
    and v.version = (select max(l.version) from main.abuse_case_versions l where l.case_id = c.id)
  left join main.residents r on r.id = v.resident_id
  -- A table of which a flattened view uses the rowid alone is read as if by no view, and refused.
  where c.submission <> '' and in_abuse_case(c.id, r.id, r.shielded);

create temp view visible_abuse_case_versions as
  select v.* from main.abuse_case_versions v
  where v.case_id in (select c.id from temp.visible_abuse_cases c where c.id = v.case_id);

create temp view visible_abuse_case_withdrawals as
  select w.* from main.abuse_case_withdrawals w
  where w.case_id in (select c.id from temp.visible_abuse_cases c where c.id = w.case_id);

create temp view visible_abuse_steps as
  select s.*, w.reason as withdrawal_reason, w.staff_id as withdrawn_by,
         w.recorded_at as withdrawn_at,
         (select max(l.no) from main.abuse_steps l
          where l.case_id = s.case_id and l.corrects = s.no) as corrected_by
  from main.abuse_steps s
  left join main.abuse_step_withdrawals w on w.case_id = s.case_id and w.step_no = s.no
  where s.case_id in (select c.id from temp.visible_abuse_cases c where c.id = s.case_id);

create temp view visible_abuse_members as
  select m.*, e.reason as ending_reason, e.recorded_by as ended_by, e.recorded_at as ended_at
  from main.abuse_members m
  left join main.abuse_member_endings e on e.member_id = m.id
  where m.case_id in (select c.id from temp.visible_abuse_cases c where c.id = m.case_id);

create temp view visible_abuse_bars as
  select b.*, e.reason as ending_reason, e.recorded_by as ended_by, e.recorded_at as ended_at
  from main.abuse_bars b
  left join main.abuse_bar_endings e on e.bar_id = b.id
  where b.case_id in (select c.id from temp.visible_abuse_cases c where c.id = b.case_id);

-- Whoever is excluded from her, or from the carer, is not offered for the team.
create temp view visible_abuse_exclusions as
  select c.id as case_id, x.staff_id as staff_id
  from temp.visible_abuse_cases c
  join main.abuse_case_versions v on v.case_id = c.id
  join main.exclusions x on x.resident_id in (v.resident_id, v.carer_resident_id)
  where not exists (select 1 from main.exclusion_endings e where e.exclusion_id = x.id);

-- Who is excluded from somebody within the scope: to leave them out of a choice, and nothing else.
create temp view exclusion_marks as
  select x.resident_id, x.staff_id from main.exclusions x
  join main.residents r on r.id = x.resident_id
  where in_scope(r.id, r.centre_id, r.shielded)
    and not exists (select 1 from main.exclusion_endings e where e.exclusion_id = x.id);

-- Whom a case is about, for those who know of it: also after she moved to another centre. Where she
-- lives is told of nobody under 支援措置: that takes her own page and its reason.
create temp view visible_abuse_victims as
  select c.id as case_id, r.id as id, r.name as name, r.kana as kana, r.born_on as born_on,
         r.sex as sex, r.centre_id as centre_id, is_shielded(r.id, r.shielded) as shielded,
         case when is_shielded(r.id, r.shielded) then ''
              else trim(r.address || ' ' || r.building) end as address,
         in_scope(r.id, r.centre_id, r.shielded) as reachable
  from temp.visible_abuse_cases c
  join main.residents r on r.id = c.resident_id;

create temp view visible_abuse_carers as
  select c.id as case_id, r.id as id, r.name as name, r.kana as kana, r.born_on as born_on,
         r.sex as sex, in_scope(r.id, r.centre_id, r.shielded) as reachable
  from temp.visible_abuse_cases c
  join main.abuse_case_versions v on v.case_id = c.id and v.version = c.version
  join main.residents r on r.id = v.carer_resident_id
  where may_meet(r.id, r.shielded);

-- That somebody is written down as the reporter, and whether the viewer may ask who.
create temp view visible_abuse_reporter_states as
  select p.case_id as case_id, p.version as version, p.anonymous as anonymous,
         p.city_only as city_only, p.name <> '' or p.contact <> '' as is_known,
         reads_abuse_reporter(p.case_id) and (p.city_only = 0 or keeps_abuse()) as readable
  from main.abuse_reporters p
  where p.version = (select max(l.version) from main.abuse_reporters l where l.case_id = p.case_id)
    and p.case_id in (select c.id from temp.visible_abuse_cases c where c.id = p.case_id);

create temp view visible_abuse_reporters as
  select p.* from main.abuse_reporters p
  where p.case_id in (select s.case_id from temp.visible_abuse_reporter_states s
                      where s.case_id = p.case_id and s.readable);

create temp view visible_abuse_reporter_looks as
  select k.* from main.abuse_reporter_looks k
  where k.case_id in (select c.id from temp.visible_abuse_cases c where c.id = k.case_id);

create temp view visible_abuse_takings as
  select t.*, e.reason as ending_reason, e.recorded_by as ended_by, e.recorded_at as ended_at
  from main.abuse_takings t
  left join main.abuse_taking_endings e on e.taking_id = t.id
  where t.case_id in (select c.id from temp.visible_abuse_cases c where c.id = t.case_id);

-- A case about somebody under 支援措置 whom the keeper may not open: by its number and day alone, so
-- that hidden does not become forgotten.
create temp view sealed_abuse_cases as
  select c.id as id, v.reported_on as reported_on, v.reported_at as reported_at,
         v.resident_id as resident_id
  from main.abuse_cases c
  join main.abuse_case_versions v on v.case_id = c.id
    and v.version = (select max(l.version) from main.abuse_case_versions l where l.case_id = c.id)
  join main.residents r on r.id = v.resident_id
  where c.submission <> '' and keeps_abuse() and in_abuse_case(c.id, null, null)
    and not in_abuse_case(c.id, r.id, r.shielded);
-- 保存期間と廃棄: what may go when its day has come, by number and day, and nothing of what it says. A
-- person waits for whatever of hers is still needed; whoever adds a table about people says here
-- whether it keeps her, and features/retention/kinds.rs erases it with her (its suite asks). The newest
-- row of a table stays, so that its number is not given again; `l.resident_id > 0` is always so, but a
-- look that names no column escapes the guard's sight, and is refused.
create temp view disposal_residents as
  select r.id as id, r.addressee_no as number, r.id as resident_id,
         coalesce(r.died_on, r.event_on) as left_on,
         max(coalesce(r.died_on, r.event_on),
             coalesce((select max(date(i.applied_at, '+9 hours')) from main.resident_changes c
                       join main.imports i on i.id = c.import_id
                       where c.resident_id = r.id and c.kind <> 'new'), ''),
             coalesce((select max(date(c.recorded_at, '+9 hours')) from main.resident_corrections c
                       where c.resident_id = r.id), ''),
             coalesce((select max(date(a.created_at, '+9 hours')) from main.attachments a
                       where a.resident_id = r.id), ''),
             coalesce((select max(max(t.effective_on, t.readable_until)) from main.centre_transfers t
                       where t.resident_id = r.id), ''),
             coalesce((select max(e.ends_on) from main.assignments a
                       join main.assignment_endings e on e.assignment_id = a.id
                       where a.resident_id = r.id), ''),
             coalesce((select max(coalesce(date(e.recorded_at, '+9 hours'), g.ends_on))
                       from main.case_grants g
                       left join main.case_grant_endings e on e.grant_id = g.id
                       where g.resident_id = r.id), ''),
             coalesce((select max(date(e.recorded_at, '+9 hours')) from main.shields s
                       join main.shield_endings e on e.shield_id = s.id
                       where s.resident_id = r.id), '')) as day
  from main.residents r
  where r.resident_state in ('2', '3', '4') and r.shielded = 0
    and coalesce(r.died_on, r.event_on) is not null
    and in_scope(r.id, r.centre_id, r.shielded)
    and not exists (select 1 from main.consultation_clients k where k.resident_id = r.id)
    and not exists (select 1 from main.abuse_case_versions v
                    where r.id in (v.resident_id, v.carer_resident_id))
    and not exists (select 1 from main.assignments a where a.resident_id = r.id
          and (not exists (select 1 from main.assignments l
                               where l.id > a.id and l.resident_id > 0)
               or not exists (select 1 from main.assignment_endings e where e.assignment_id = a.id)))
    and not exists (select 1 from main.case_grants g where g.resident_id = r.id
          and (not exists (select 1 from main.case_grants l
                               where l.id > g.id and l.resident_id > 0)
               or (g.ends_on is null and not exists
                   (select 1 from main.case_grant_endings e where e.grant_id = g.id))))
    and not exists (select 1 from main.centre_transfers t where t.resident_id = r.id
          and not exists (select 1 from main.centre_transfers l
                               where l.id > t.id and l.resident_id > 0))
    and not exists (select 1 from main.shields s where s.resident_id = r.id
          and not exists (select 1 from main.shield_endings e where e.shield_id = s.id))
    and not exists (select 1 from main.resident_changes c where c.resident_id = r.id
          and c.kind <> 'new' and not exists
            (select 1 from main.resident_change_confirmations f where f.change_id = c.id))
    and not exists (select 1 from main.import_conflicts f where f.resident_id = r.id
          and not exists (select 1 from main.import_conflict_decisions d where d.conflict_id = f.id));

-- Closed or withdrawn; whom it was about is told to nobody by this list.
create temp view disposal_abuse_cases as
  select c.id as id, cast(c.id as text) as number,
         coalesce((select date(w.recorded_at, '+9 hours') from temp.visible_abuse_case_withdrawals w
                   where w.case_id = c.id),
                  (select s.held_on from temp.visible_abuse_steps s
                   where s.case_id = c.id and s.kind = 'closing' and s.withdrawn_at is null
                     and s.corrected_by is null and not exists (
                       select 1 from temp.visible_abuse_steps l
                       where l.case_id = c.id and l.no > s.no and l.withdrawn_at is null
                         and l.corrected_by is null and l.kind in ('closing', 'reopening')))) as day,
         null as resident_id
  from temp.visible_abuse_cases c;

create temp view disposal_transfers as
  select t.id as id, cast(t.id as text) as number, max(t.effective_on, t.readable_until) as day,
         t.resident_id as resident_id
  from main.centre_transfers t join main.residents r on r.id = t.resident_id
  where in_scope(r.id, r.centre_id, r.shielded)
    and exists (select 1 from main.centre_transfers l where l.id > t.id and l.resident_id > 0)
    and (exists (select 1 from main.transfer_receipts k where k.transfer_id = t.id)
         or exists (select 1 from main.transfer_endings e where e.transfer_id = t.id)
         or r.resident_state in ('2', '3', '4'));

create temp view disposal_assignments as
  select a.id as id, cast(a.id as text) as number, e.ends_on as day, a.resident_id as resident_id
  from main.assignments a join main.assignment_endings e on e.assignment_id = a.id
  join main.residents r on r.id = a.resident_id
  where in_scope(r.id, r.centre_id, r.shielded)
    and exists (select 1 from main.assignments l where l.id > a.id and l.resident_id > 0);

create temp view disposal_drafts as
  select d.id as id, cast(d.id as text) as number, date(d.saved_at, '+9 hours') as day,
         null as resident_id
  from main.drafts d where sees_city();

-- The rows of an import, not its counts. The last run can still be undone.
create temp view disposal_imports as
  select i.id as id, cast(i.id as text) as number, date(i.applied_at, '+9 hours') as day,
         null as resident_id
  from main.imports i
  where sees_city() and i.applied_at < (select max(l.applied_at) from main.imports l)
    and (exists (select 1 from main.resident_changes c where c.import_id = i.id)
         or exists (select 1 from main.import_conflicts f where f.import_id = i.id))
    and not exists (select 1 from main.resident_changes c where c.import_id = i.id
          and c.kind <> 'new' and not exists
            (select 1 from main.resident_change_confirmations f where f.change_id = c.id))
    and not exists (select 1 from main.import_conflicts f where f.import_id = i.id
          and not exists (select 1 from main.import_conflict_decisions d where d.conflict_id = f.id));
