//! Moves and last days.

use jiff::civil::Date;
use store::{Event, Operation, StaffId};

use super::{Hand, Refusal, Undone, says};
use crate::features::staff::accounts::form::FieldProblem;
use crate::features::staff::accounts::model::{
    Account, Fit, NewEnd, NewPost, PostId, Term, Written, fit, leaving,
};
use crate::features::staff::accounts::{store as sql, view};
use crate::features::staff::store as staff_sql;
use crate::web::Role;

/// What a form for a new post carries beside the post.
#[derive(Debug, Clone, Copy)]
pub struct Opened<'o> {
    /// [`Account::seen`] when it was opened.
    pub seen: &'o str,
    /// The post whose end was shown, and its last day, as [`shown_key`] writes it.
    pub shown: &'o str,
}

/// How a form remembers which end it showed.
pub fn shown_key(post: PostId, last: Date) -> String {
    format!("{post}:{last}")
}

/// Adds a post; an open one before it ends on the day before, if the form has shown that.
///
/// # Errors
/// Any [`Refusal`] but `Field`, and the store's.
pub fn add_post(
    hand: &Hand<'_>,
    id: StaffId,
    new: &NewPost,
    opened: Opened<'_>,
) -> Result<(), Undone> {
    let operation = Operation::StaffPostAdd;
    let now = hand.now();
    hand.act(operation, id, |tx, account| {
        if account.seen != opened.seen {
            return Err(late_post(hand, account, new).into());
        }
        let ended = match fit(&account.posts, new.starts_on) {
            Fit::Free => None,
            Fit::Overlaps(post) => return Err(overlap(account, post, open_from(new)).into()),
            Fit::Ends(post, last) if shown_key(post, last) == opened.shown => Some((post, last)),
            Fit::Ends(post, last) => return Err(Refusal::Ends(post, last).into()),
        };
        let end = ended.map(|(post, last)| NewEnd {
            post,
            ends_on: Some(last),
        });
        if let Some((approval, event)) = hand.ask_second(tx, id, new)? {
            return Ok(tx.audited(event, Err(Refusal::Asked(approval))));
        }
        let stamp = (hand.actor.staff_id, now.as_str());
        if let Some(end) = end {
            sql::end_post(tx, end, &new.reason, stamp)?;
        }
        let post = staff_sql::Post {
            role: new.role.code(),
            job: &new.job,
            centre_id: new.centre.as_ref().map(|centre| centre.id),
            starts_on: new.starts_on,
            reason: &new.reason,
        };
        staff_sql::insert_post(tx, id, &post, stamp.0, stamp.1)?;
        let before = ended.and_then(|(post, _)| account.post(post));
        let text = view::move_in_log(before, ended.map(|(_, last)| last), new);
        Ok(tx.audited(hand.detail(Event::done(operation), id, &text), Ok(())))
    })
}

fn open_from(new: &NewPost) -> Term {
    Term {
        starts_on: new.starts_on,
        ends_on: None,
    }
}

fn overlap(account: &Account, post: PostId, wanted: Term) -> Refusal {
    account.post(post).map_or(Refusal::Absent, |post| {
        Refusal::Overlap(wanted, Box::new(post.clone()))
    })
}

fn late_post(hand: &Hand<'_>, account: &Account, new: &NewPost) -> Refusal {
    let newest = account.posts.iter().max_by_key(|post| post.id);
    let again = newest.is_some_and(|post| {
        post.made.by == hand.actor.staff_id && post.made.reason == new.reason && says(post, new)
    });
    if again {
        Refusal::Again(account.id)
    } else {
        Refusal::Late(Box::new(account.clone()))
    }
}

/// Changes the last day of posts of one person.
///
/// # Errors
/// Any [`Refusal`] but `Field` and `Ends`, and the store's.
pub fn end_posts(
    hand: &Hand<'_>,
    id: StaffId,
    (ends, reason): (&[NewEnd], &str),
    seen: &str,
) -> Result<(), Undone> {
    let operation = Operation::StaffPostEnd;
    let now = hand.now();
    hand.act(operation, id, |tx, account| {
        if account.seen != seen {
            return Err(late_end(hand, account, ends, reason).into());
        }
        for end in ends {
            let longer = prolongs_administrator(hand, account, *end);
            if let Some(refusal) = longer.or_else(|| stands_in_way(account, *end)) {
                return Err(refusal.into());
            }
        }
        for end in ends {
            sql::end_post(tx, *end, reason, (hand.actor.staff_id, &now))?;
        }
        let text = view::ends_in_log(account, ends, reason);
        Ok(tx.audited(hand.detail(Event::done(operation), id, &text), Ok(())))
    })
}

/// Longer as a system administrator is what a second person agrees to: as a new post.
fn prolongs_administrator(hand: &Hand<'_>, account: &Account, end: NewEnd) -> Option<Refusal> {
    hand.actor.staff_id?;
    let post = account.post(end.post)?;
    let longer = match (post.term.ends_on, end.ends_on) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(old), Some(new)) => new > old,
    };
    let text = "システム管理者の期間は、延ばせません。\
        続けるときは「異動」で新しい所属を入力し、承認を受けてください。";
    (longer && post.role == Role::SystemAdmin.code()).then(|| {
        Refusal::Field(FieldProblem {
            field: "kind",
            text: text.to_owned(),
        })
    })
}

/// A changed period that reaches into another one of the same person.
fn stands_in_way(account: &Account, end: NewEnd) -> Option<Refusal> {
    let Some(post) = account.post(end.post) else {
        return Some(Refusal::Absent);
    };
    let wanted = Term {
        ends_on: end.ends_on,
        ..post.term
    };
    let mut others = account.posts.iter().filter(|other| other.id != post.id);
    let other = others.find(|other| other.term.overlaps(wanted))?;
    Some(Refusal::Overlap(wanted, Box::new(other.clone())))
}

fn late_end(hand: &Hand<'_>, account: &Account, ends: &[NewEnd], reason: &str) -> Refusal {
    let done = |end: &NewEnd| {
        account.post(end.post).is_some_and(|post| {
            let same = |e: &Written| e.by == hand.actor.staff_id && e.reason == reason;
            post.term.ends_on == end.ends_on && post.ending.as_ref().is_some_and(same)
        })
    };
    if ends.iter().all(done) {
        Refusal::Again(account.id)
    } else {
        Refusal::Late(Box::new(account.clone()))
    }
}

/// Lets somebody go after that day: what is in force ends, what is planned never begins.
///
/// # Errors
/// As [`end_posts`]; `Field` for a day before the post in force began, or after everything.
pub fn leave(
    hand: &Hand<'_>,
    account: &Account,
    (last, reason): (Date, &str),
    seen: &str,
) -> Result<(), Undone> {
    let bad = |text: &str| {
        Refusal::Field(FieldProblem {
            field: "ends_on",
            text: text.to_owned(),
        })
    };
    let ends = leaving(account, last);
    if ends.is_empty() && account.seen == seen {
        return Err(bad("この日より後の所属はありません。").into());
    }
    let today = hand.today();
    let began_later = |end: &NewEnd| {
        let post = account.post(end.post);
        post.is_some_and(|p| p.term.starts_on > last && p.term.starts_on <= today)
    };
    // What was in force is not taken back as if it had never been.
    if ends.iter().any(began_later) {
        return Err(bad("最後の日が、いまの所属の始まりの日より前です。").into());
    }
    end_posts(hand, account.id, (&ends, reason), seen)
}
