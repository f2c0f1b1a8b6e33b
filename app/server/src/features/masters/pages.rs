//! The page of counts and masters.

use askama::Template;
use jiff::ToSpan as _;
use store::{Scope, StoreError};

use super::{store as sql, view};
use crate::web::{Answer, Shell, Visit};

/// From this age on somebody counts as elder (第1号被保険者), years.
const ELDER_AGE: i64 = 65;

#[derive(Template)]
#[template(path = "features/masters/overview.html")]
struct OverviewPage {
    shell: Shell,
    /// Nothing for whoever sees no residents.
    numbers: Option<view::Numbers>,
    masters: view::MasterList,
}

pub(super) fn overview(visit: &Visit) -> Answer {
    let today = visit.today();
    let only_unconfirmed = visit.query.get("show") == "unconfirmed";
    let sees_people = visit.actor.scope != Scope::Nothing;
    let (counts, listed) = visit.app.db().read(&visit.actor, |tx| {
        let born_until = today.saturating_sub(ELDER_AGE.years());
        let counts = if sees_people {
            Some(sql::counts(tx, today, born_until)?)
        } else {
            None
        };
        Ok::<_, StoreError>((counts, sql::listed(tx)?))
    })?;
    visit.page(&OverviewPage {
        shell: Shell::new(visit, "件数とマスタ").under(&[]),
        numbers: counts.map(|(city, centres)| view::numbers(&city, &centres, today)),
        masters: view::masters(&listed, only_unconfirmed, today),
    })
}
