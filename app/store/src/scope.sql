-- The only doors to residents' data. Made anew on every connection as temporary views, so that the
-- file itself stays readable with the stock tool; SQLite's authorizer refuses a person table that
-- is read by any other way (see scope.rs).
--
-- in_scope(centre, shielded) is the one predicate: everything that a person may see follows from it.

create temp view visible_residents as
  select r.* from main.residents r where in_scope(r.centre_id, r.shielded);

create temp view visible_names as
  select n.* from main.resident_names n
  join main.residents r on r.id = n.resident_id
  where in_scope(r.centre_id, r.shielded);

create temp view visible_places as
  select p.* from main.resident_places p
  join main.residents r on r.id = p.resident_id
  where in_scope(r.centre_id, r.shielded);

create temp view visible_household_members as
  select m.* from main.household_members m
  join main.residents r on r.id = m.resident_id
  where in_scope(r.centre_id, r.shielded);

create temp view visible_insured_persons as
  select i.* from main.insured_persons i
  join main.residents r on r.id = i.resident_id
  where in_scope(r.centre_id, r.shielded);

create temp view visible_certifications as
  select c.*, i.resident_id as resident_id from main.certifications c
  join main.insured_persons i on i.id = c.insured_person_id
  join main.residents r on r.id = i.resident_id
  where in_scope(r.centre_id, r.shielded);

create temp view visible_resident_changes as
  select c.* from main.resident_changes c
  join main.residents r on r.id = c.resident_id
  where in_scope(r.centre_id, r.shielded);

create temp view visible_corrections as
  select c.*, e.recorded_at as ended_at from main.resident_corrections c
  join main.residents r on r.id = c.resident_id
  left join main.resident_correction_endings e on e.correction_id = c.id
  where in_scope(r.centre_id, r.shielded);

create temp view visible_conflicts as
  select f.* from main.import_conflicts f
  join main.residents r on r.id = f.resident_id
  where in_scope(r.centre_id, r.shielded);

-- A record is seen by the centre that wrote it and by whoever may see the person it is about; about
-- a shielded person only by the latter.
create temp view visible_consultations as
  select c.*, k.resident_id as resident_id from main.consultations c
  left join main.consultation_clients k on k.consultation_id = c.id
    and k.id = (select max(l.id) from main.consultation_clients l where l.consultation_id = c.id)
  left join main.residents r on r.id = k.resident_id
  where (r.id is not null and in_scope(r.centre_id, r.shielded))
     or ((r.id is null or r.shielded = 0) and in_scope(c.centre_id, 0));

create temp view visible_consultation_versions as
  select v.* from main.consultation_versions v
  where v.consultation_id in (select c.id from temp.visible_consultations c where c.id = v.consultation_id);

create temp view visible_consultation_clients as
  select k.* from main.consultation_clients k
  where k.consultation_id in (select c.id from temp.visible_consultations c where c.id = k.consultation_id);

create temp view visible_consultation_withdrawals as
  select w.* from main.consultation_withdrawals w
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
         exists (select 1 from main.consultation_withdrawals w where w.consultation_id = c.id) as withdrawn,
         exists (select 1 from main.consultation_follow_ups f
                 join main.consultation_versions o
                   on o.consultation_id = f.consultation_id and o.version = f.version
                 where f.consultation_id = c.id and o.next_action = v.next_action
                   and o.next_due_on is v.next_due_on) as followed_up
  from main.consultations c
  join main.consultation_versions v on v.consultation_id = c.id
    and v.version = (select max(l.version) from main.consultation_versions l where l.consultation_id = c.id)
  left join main.consultation_clients k on k.consultation_id = c.id
    and k.id = (select max(l.id) from main.consultation_clients l where l.consultation_id = c.id)
  left join main.residents r on r.id = k.resident_id
  where (r.id is not null and in_scope(r.centre_id, r.shielded))
     or ((r.id is null or r.shielded = 0) and in_scope(c.centre_id, 0));

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
         r.shielded as shielded,
         case r.shielded when 1 then null else r.centre_id end as centre_id,
         r.id as resident_id
  from main.residents r
  left join main.resident_names n on n.resident_id = r.id
  left join main.insured_persons i on i.resident_id = r.id
  where r.resident_state = '1' and may_inquire();
