//! `scope`: what the one predicate costs on find and lists, against the same query without it.
//!
//! Shape: the statements of real answers are repeated by turns through the store (pool, scope, shields,
//! exclusions, authorizer) and on a bare connection whose views say a plain condition where the product
//! asks `in_scope`: `1` for the city, `+centre_id = n` for a centre (`+`: an index that a function
//! cannot use would change the plan). Both map no row. The shielded are found by the bare side alone,
//! which makes it a little slower than it need be: a handful of rows.
//! A share of 83 % says that the predicate costs a fifth of what the query costs without it.

use std::time::Instant;

use axum::http::StatusCode;
use store::{Actor, Scope, StoreError, statements};

use crate::bare::{Bare, questions};
use crate::figure::{Figure, Measured};
use crate::find::address;
use crate::house::{House, Viewer};
use crate::memory;
use crate::problem::Problem;
use crate::typed::{self, Kind};
use crate::visitor::refused;

const WITHOUT: &str = "the recorded statements on views without the predicate";
const ROUNDS: usize = 4;
/// Lists that everybody opens.
const LISTS: [&str; 3] = ["/consultations", "/changes", "/"];

pub(crate) fn measure(house: &House) -> Result<Vec<Figure>, Problem> {
    let mut figures = Vec::new();
    for viewer in house.viewers()? {
        let without = house.bare_without_scope(viewer.scope)?;
        let mut find = Measured::new("scope", label(&viewer, "find"), WITHOUT, "requests")?;
        let callers = typed::callers(&house.app, viewer.scope)?;
        memory::forget_own_peak();
        for kind in Kind::ALL {
            for word in typed::words(kind, &callers) {
                let asked = format!("{}&part=1", address(&word.text));
                by_turns(house, &viewer, (&without, &asked), &mut find)?;
            }
        }
        let mut lists = Measured::new("scope", label(&viewer, "lists"), WITHOUT, "requests")?;
        for list in LISTS {
            for _ in 0..ROUNDS {
                by_turns(house, &viewer, (&without, list), &mut lists)?;
            }
        }
        (find.peak_memory, lists.peak_memory) = (memory::own_peak(), memory::own_peak());
        figures.extend([find.into(), lists.into()]);
    }
    Ok(figures)
}

fn label(viewer: &Viewer, what: &str) -> String {
    format!("{}: {what}", viewer.label)
}

fn by_turns(
    house: &House,
    viewer: &Viewer,
    (without, page): (&Bare, &str),
    into: &mut Measured,
) -> Result<(), Problem> {
    let (answer, recorded) = statements::record(|| viewer.visitor.get(page));
    let (_, answer) = answer?;
    if answer.status != StatusCode::OK {
        into.failures.add(refused("the page", &answer).told());
        return Ok(());
    }
    let asked = questions(recorded);
    let actor = Actor {
        scope: viewer.scope,
        ..Actor::system("bench")
    };
    ask(house, &actor, &asked)?;
    without.ask(&asked)?;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        ask(house, &actor, &asked)?;
        into.ours.add(started.elapsed(), 1);
        let started = Instant::now();
        without.ask(&asked)?;
        into.ceiling.add(started.elapsed(), 1);
    }
    Ok(())
}

/// As the pages do: in one transaction of the store.
fn ask(house: &House, actor: &Actor, questions: &[String]) -> Result<(), StoreError> {
    house.app.db().read(actor, |tx| {
        for question in questions {
            tx.all(question, [], |_| Ok(()))?;
        }
        Ok(())
    })
}

/// The views of `scope.sql` with what a plain query would say in the place of the predicate.
pub(crate) fn views_without(views: &str, scope: Scope) -> String {
    let (person, record) = match scope {
        Scope::City => ("1".to_owned(), "1".to_owned()),
        Scope::Nothing | Scope::Assigned(_) => ("0".to_owned(), "0".to_owned()),
        Scope::Centre(own) => (
            format!("+r.centre_id = {}", own.0),
            format!("(+r.centre_id = {0} or +c.centre_id = {0})", own.0),
        ),
    };
    views
        .replace(
            "record_in_scope(c.id, r.id, r.centre_id, r.shielded, c.centre_id, c.created_by)",
            &record,
        )
        .replace("in_scope(r.id, r.centre_id, r.shielded)", &person)
        .replace("is_shielded(r.id, r.shielded)", "r.shielded")
        .replace("record_open(k.consultation_id)", "1")
}

#[cfg(test)]
mod tests {
    use store::CentreId;

    use super::*;

    #[test]
    fn without_the_predicate_no_view_asks_it() {
        let views = include_str!("../../../app/store/src/scope.sql");
        for scope in [Scope::City, Scope::Centre(CentreId(3))] {
            let plain = views_without(views, scope);
            let asks = plain.lines().filter(|line| {
                !line.trim_start().starts_with("--")
                    && ["in_scope(", "record_open("]
                        .iter()
                        .any(|asked| line.contains(asked))
            });
            assert_eq!(asks.collect::<Vec<_>>(), Vec::<&str>::new());
        }
    }
}
