//! 「この方を見られる職員」: everybody at work today, yes or no, and why.

use askama::Template;
use store::{Event, Operation, ResidentId, Scope, StoreError};

use super::model::{Colleague, State, state};
use super::pages::{File, file};
use super::store::{self as sql, Lent};
use super::view::{self, PersonWords};
use crate::web::rights::{self, Rights};
use crate::web::{Answer, Permission, Problem, Role, Shell, Visit};

/// The answer about one member of staff.
struct Verdict {
    name: String,
    login: String,
    centre: String,
    role: String,
    sees: bool,
    why: String,
}

#[derive(Template)]
#[template(path = "features/protections/viewers.html")]
struct ViewersPage {
    shell: Shell,
    person: PersonWords,
    day: String,
    count: usize,
    seeing: Vec<Verdict>,
    others: Vec<Verdict>,
}

pub(super) fn page(visit: &Visit) -> Answer {
    let (id, today) = (ResidentId(visit.param("id")?), visit.today());
    let (file, lent, held) = visit.app.db().view(&visit.actor, |tx| {
        let file = file(visit, tx, id)?;
        let lent = sql::lent(tx, id, today)?;
        let of = |staff: &Colleague| {
            let grounds = rights::grounds(tx, Some(staff.id), &staff.role, today)?;
            Ok::<_, StoreError>(Rights::of(&grounds))
        };
        let held: Vec<Rights> = file.colleagues.iter().map(of).collect::<Result<_, _>>()?;
        let event = Event::done(Operation::ViewersExplain).about(id);
        Ok::<_, Problem>(tx.audited(event, (file, lent, held)))
    })?;
    let all = file.colleagues.iter().zip(&held);
    let verdicts = all.map(|(staff, held)| verdict(visit, &file, &lent, (staff, held)));
    let (seeing, others): (Vec<_>, Vec<_>) = verdicts.partition(|verdict| verdict.sees);
    let person = format!("/protections/residents/{id}");
    visit.page(&ViewersPage {
        shell: Shell::new(visit, "この方を見られる職員")
            .under(&[("閲覧制限", "/protections"), ("一人", &person)]),
        person: view::person(&file.person, &file.shields, today),
        day: view::day(today),
        count: seeing.len(),
        seeing,
        others,
    })
}

fn verdict(
    visit: &Visit,
    file: &File,
    lent: &[Lent],
    (staff, held): (&Colleague, &Rights),
) -> Verdict {
    let (sees, why) = match judged(visit, file, lent, (staff, held)) {
        Ok(why) => (true, why),
        Err(why) => (false, why),
    };
    Verdict {
        name: staff.name.clone(),
        login: staff.login.clone(),
        centre: staff.centre.clone(),
        role: view::role(&staff.role),
        sees,
        why,
    }
}

/// The same order as the store's predicate: function, exclusion, reach, shield.
fn judged(
    visit: &Visit,
    file: &File,
    lent: &[Lent],
    (staff, held): (&Colleague, &Rights),
) -> Result<String, String> {
    let role = Role::from_code(&staff.role).filter(|_| held.has(Permission::ResidentView));
    let role = role.ok_or_else(|| "対象者を見る権限がありません".to_owned())?;
    let mut exclusions = file.exclusions.iter().filter(|x| x.made.ending.is_none());
    if let Some(exclusion) = exclusions.find(|exclusion| exclusion.staff == staff.id) {
        return Err(format!("職員の除外（{}）", exclusion.relation));
    }
    let reached = reached(file, lent, (staff, held), role);
    let kept = file.shields.iter().any(|s| s.made.ending.is_none());
    if !file.person.in_register && !kept {
        return reached;
    }
    // Whose area she lives in is hidden as well: one reason for everybody who is not named.
    let today = visit.today();
    let opens = |state| matches!(state, State::Urgent | State::InForce);
    let mut grants = file.grants.iter().filter(|grant| grant.staff == staff.id);
    match grants.find(|grant| opens(state(grant, today)) && grant.starts_on <= today) {
        Some(grant) => reached
            .map(|why| {
                let until = view::day(grant.ends_on);
                format!("支援措置の閲覧許可（{until} まで）。{why}")
            })
            .map_err(|why| format!("閲覧許可はありますが、{why}です")),
        None => Err("支援措置のため見えません（閲覧許可なし）".to_owned()),
    }
}

fn reached(
    file: &File,
    lent: &[Lent],
    (staff, held): (&Colleague, &Rights),
    role: Role,
) -> Result<String, String> {
    let assigned = file.assigned.contains(&staff.id);
    match held.scope(role, staff.centre_id) {
        Scope::Assigned(own) if assigned && own.is_none_or(|own| own == file.person.centre_id) => {
            return Ok("この方の担当".to_owned());
        }
        Scope::Assigned(_) if lent.iter().all(|lent| lent.staff != Some(staff.id)) => {
            return Err(
                "見られるのは、担当する方だけです（この方の担当ではありません）".to_owned(),
            );
        }
        Scope::City => return Ok("市の役割：全員".to_owned()),
        Scope::Centre(own) if own == file.person.centre_id => {
            return Ok("担当センターの職員".to_owned());
        }
        Scope::Assigned(_) | Scope::Centre(_) | Scope::Nothing => {}
    }
    let until = |lent: &Lent| {
        lent.until
            .map_or_else(String::new, |day| format!("（{} まで）", view::day(day)))
    };
    let named = lent.iter().find(|lent| lent.staff == Some(staff.id));
    if let Some(named) = named {
        return Ok(format!("個別に指定された職員{}", until(named)));
    }
    let referred = lent
        .iter()
        .find(|lent| lent.role.as_deref() == Some(&staff.role));
    if let Some(referred) = referred {
        return Ok(format!("紹介された係{}", until(referred)));
    }
    let former = |lent: &&Lent| lent.centre.is_some() && lent.centre == staff.centre_id;
    match lent.iter().find(former) {
        Some(former) => Ok(format!("前の担当センター：閲覧のみ{}", until(former))),
        None => Err("担当の範囲外".to_owned()),
    }
}
