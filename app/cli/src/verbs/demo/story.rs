//! What happened between centres before the first start: a few people moved, one hand-over is written,
//! one person was referred to 地域共生推進課.

use base::report::Report;
use jiff::ToSpan as _;
use jiff::civil::Date;
use server::features::assignments::{self, NewAssignment, Part};
use server::features::case_grants::{self, NewGrant, Whom};
use server::features::{imports, transfers};
use server::web::Role;
use store::{
    Actor, Db, Event, Operation, ResidentId, StaffId, StoreError, SystemReason, WriteTx, day,
    params,
};

/// People moved so many days ago.
const MOVED_DAYS_AGO: i64 = 10;
/// From which centre (code) how many go to which area.
const MOVES: [(&str, i64, &str); 2] = [("0101", 2, "11229000005"), ("0102", 1, "11229000001")];

const NOTE: &str = "【これまでの経過】\n春から物忘れの相談。長男と二人暮らし。\n\n【いまの課題と支援】\n\
    昼間は一人。見守りの電話を月に2回。\n\n【家族・関係機関の連絡先】\n長男（個人画面の相談記録を参照）\n\n\
    【気をつけること】\n耳が遠いので、ゆっくり話す。\n\n【次にすること】\n来月中に訪問し、認定の申請を相談する。\n";

/// Writes it, in one transaction.
pub(super) fn write(db: &Db, actor: &Actor) -> Result<(), Report> {
    let today = db.clock().today();
    let on = today.checked_sub(MOVED_DAYS_AGO.days()).unwrap_or(today);
    let now = format!("{:.6}", db.clock().now());
    let written = db.system(actor, SystemReason::Demo, |tx| {
        for (from, count, area) in MOVES {
            move_some(tx, (from, count, area), on, &now)?;
        }
        hand_over(tx, &now)?;
        refer(tx, today, &now)?;
        put_in_charge(tx, &now)?;
        Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
    });
    written.map_err(StoreError::report)
}

// Whom records are about, so that there is something to hand over.
const SOME: &str = "
    select r.id from residents r join support_centres c on c.id = r.centre_id
    where c.code = ?1 and r.resident_state = '1' and r.shielded = 0 and r.born_on < '1960-01-01'
      and exists (select 1 from consultation_clients k where k.resident_id = r.id)
      and not exists (select 1 from centre_transfers t where t.resident_id = r.id)
    order by r.id limit ?2";
const HOUSE: &str = "
    update residents set area_code = ?2, building = '', address = '埼玉県和光市' ||
      (select name from areas where code = ?2 and valid_to is null) || '9番' || (?1 % 20 + 1) || '号'
    where id = ?1";

fn move_some(
    tx: &WriteTx<'_>,
    (from, count, area): (&str, i64, &str),
    on: Date,
    now: &str,
) -> Result<(), StoreError> {
    let to = tx.count(
        "select centre_id from areas where code = ?1 and valid_to is null",
        [area],
    )?;
    let people: Vec<i64> = tx.all(SOME, params![from, count], |row| row.get(0))?;
    for person in &people {
        tx.execute(HOUSE, params![person, area])?;
        imports::reindex(tx, ResidentId(*person))?;
    }
    transfers::move_people(tx, &people, to, on, (None, now))
}

/// Somebody of this role at this centre.
const MEMBER: &str = "
    select t.staff_id from staff_terms t join support_centres c on c.id = t.centre_id
    where c.code = '0101' and t.role = ?1 order by t.staff_id limit 1";

fn hand_over(tx: &WriteTx<'_>, now: &str) -> Result<(), StoreError> {
    let sql = "insert into transfer_notes (transfer_id, note, recorded_by, recorded_at)
        select min(t.id), ?1, (select x.id from staff x where x.id = ?2), ?3
        from centre_transfers t having min(t.id) is not null";
    let by = tx.count(MEMBER, ["nurse"])?;
    tx.execute(sql, params![NOTE, by, now]).map(drop)
}

fn refer(tx: &WriteTx<'_>, today: Date, now: &str) -> Result<(), StoreError> {
    let person: Option<i64> = tx.one(SOME, params!["0101", 1], |row| row.get(0))?;
    let by = tx.count(MEMBER, ["centre_manager"])?;
    let Some(person) = person else {
        return Ok(());
    };
    let grant = NewGrant {
        resident: ResidentId(person),
        whom: Whom::Section(Role::CityWelfare),
        may_write: true,
        starts_on: today,
        ends_on: None,
        reason: "同居の家族に障害福祉と生活困窮の支援も必要なため".to_owned(),
    };
    case_grants::insert(tx, &grant, (StaffId(by), now)).map(drop)
}

/// Those whom records are about, each with one of the social workers and nurses of her centre in
/// turn. The records themselves came by import and have no author.
const IN_CHARGE: &str = "
    with workers as (
      select p.staff_id, p.centre_id, row_number() over (partition by p.centre_id order by p.staff_id) - 1 as turn,
             count(*) over (partition by p.centre_id) as workers
      from staff_posts p where p.role in ('social_worker', 'nurse')),
    people as (
      select r.id, r.centre_id, min(v.received_on) as since
      from residents r
      join consultation_clients k on k.resident_id = r.id
      join consultation_versions v on v.consultation_id = k.consultation_id
      where r.resident_state = '1' and r.shielded = 0
      group by r.id order by r.id limit ?1)
    select p.id, w.staff_id, p.since from people p
    join workers w on w.centre_id = p.centre_id and w.turn = p.id % w.workers";
/// People somebody is in charge of.
const IN_CHARGE_MAX: i64 = 400;

fn put_in_charge(tx: &WriteTx<'_>, now: &str) -> Result<(), StoreError> {
    let pairs: Vec<(i64, i64, Date)> = tx.all(IN_CHARGE, params![IN_CHARGE_MAX], |row| {
        Ok((row.get(0)?, row.get(1)?, day(row, 2)?))
    })?;
    for (resident, staff, starts_on) in pairs {
        let new = NewAssignment {
            resident: ResidentId(resident),
            staff: StaffId(staff),
            part: Part::Main,
            starts_on,
            reason: "初回の相談を受けたため".to_owned(),
        };
        assignments::insert(tx, &new, (StaffId(staff), now))?;
    }
    Ok(())
}
