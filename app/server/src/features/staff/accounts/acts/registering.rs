//! Registering somebody.

use store::{Event, Operation};

use super::{Given, Hand, Refusal, Undone, one_time, says};
use crate::features::staff::accounts::form::{FieldProblem, NewAccount};
use crate::features::staff::accounts::model::{Account, NewPost};
use crate::features::staff::accounts::{store as sql, view};
use crate::features::staff::model::NewStaff;
use crate::features::staff::{password, store as staff_sql};

/// Registers somebody; the first password is told once.
///
/// # Errors
/// [`Refusal::Again`], [`Refusal::Field`] for an ID that is or was somebody's, and the store's.
pub fn register(hand: &Hand<'_>, new: NewAccount) -> Result<Given, Undone> {
    let password = one_time()?;
    let hash = password::hash(&password)?;
    let now = hand.now();
    let post = &new.post;
    let staff = NewStaff {
        login: new.login.clone(),
        name: new.name.clone(),
        kana: new.kana.clone(),
        role: post.role,
        job: post.job.clone(),
        centre_id: post.centre.as_ref().map(|centre| centre.id),
        starts_on: post.starts_on,
        password: String::new(),
        must_change_password: true,
    };
    hand.db
        .write(hand.actor, |tx| {
            if let Some(known) = sql::find(tx, new.login.as_str())? {
                return Err(taken(hand, &known, &new).into());
            }
            let by = hand.actor.staff_id;
            let id = staff_sql::insert_person(tx, &staff, &hash, by, &now)?;
            let post = NewPost {
                reason: staff_sql::FIRST_POST.to_owned(),
                ..new.post.clone()
            };
            let text = format!("前＝なし／後＝{}", view::post_in_log(&post));
            let event = hand.detail(Event::done(Operation::StaffAdd), id, &text);
            if let Some((approval, asked)) = hand.ask_second(tx, id, &post)? {
                return Ok(tx.audited_all(event, vec![asked], (id, Some(approval))));
            }
            staff_sql::insert_first_post(tx, id, &staff, by, &now)?;
            Ok(tx.audited(event, (id, None)))
        })
        .map(|(id, asked)| Given {
            id,
            password,
            asked,
        })
}

/// The same form sent twice is the same person; anything else is another who had the ID first.
fn taken(hand: &Hand<'_>, known: &Account, new: &NewAccount) -> Refusal {
    let same = known.posts.first().is_some_and(|post| {
        known.name == new.name
            && known.kana == new.kana
            && post.made.by == hand.actor.staff_id
            && says(post, &new.post)
    });
    if same {
        return Refusal::Again(known.id);
    }
    let text = "この職員IDはすでに使われています。一度使ったIDは、ほかの人には使えません。";
    Refusal::Field(FieldProblem {
        field: "login",
        text: text.to_owned(),
    })
}
