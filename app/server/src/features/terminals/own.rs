//! The certificate of the terminal that somebody sits at: until when it holds, and a new one without
//! an administrator while it still holds.
//!
//! Invariant: only a terminal whose own certificate counts is renewed, near its end, by somebody who
//! shows the password once more. The old one opens until the new one was shown (`web::terminal`);
//! making another in between stops the one that nobody used.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, RecordKind};

use super::certificates::{given, make};
use super::model::Reason;
use super::{store as sql, view};
use crate::ca::terms::{self, days_left};
use crate::features::staff::confirms;
use crate::web::{Answer, Problem, Shell, Terminal, Visit, session};

/// How the certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// No certificate came along.
    None,
    /// Its last day is over.
    Expired,
    /// It holds, and may be renewed.
    Soon,
    /// It holds for long.
    Valid,
}

#[derive(Template)]
#[template(path = "features/terminals/own.html")]
struct OwnPage {
    shell: Shell,
    standing: Standing,
    name: String,
    until: String,
    left: i32,
    days_before: i32,
    renewed: bool,
    wrong: bool,
}

fn standing(visit: &Visit) -> Standing {
    let today = visit.today();
    match &visit.terminal {
        None => Standing::None,
        Some(here) if here.expired => Standing::Expired,
        Some(here) if here.ends_soon(today).is_some() => Standing::Soon,
        Some(_) => Standing::Valid,
    }
}

pub(super) fn page(visit: &Visit) -> Answer {
    answer(visit, false)
}

fn answer(visit: &Visit, wrong: bool) -> Answer {
    let (here, today) = (visit.terminal.as_ref(), visit.today());
    let page = OwnPage {
        shell: shell(visit, "この端末の証明書"),
        standing: standing(visit),
        name: here.map(|here| here.name.clone()).unwrap_or_default(),
        until: here.map_or_else(String::new, |here| view::day(here.expires_on)),
        left: here.map_or(0, |here| days_left(here.expires_on, today)),
        days_before: terms::on(today).map_or(0, |terms| terms.terminal_days),
        renewed: here.is_some_and(|here| here.renewed),
        wrong,
    };
    let status = if wrong {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    visit.page_as(status, &page)
}

fn shell(visit: &Visit, title: &str) -> Shell {
    Shell::new(visit, title).under(&[("パスワード変更", "/password")])
}

/// A terminal that may be renewed now; otherwise the page says why not.
fn renewable(visit: &Visit) -> Result<&Terminal, Problem> {
    match &visit.terminal {
        Some(here) if standing(visit) == Standing::Soon => Ok(here),
        Some(_) | None => Err(Problem::Page(Box::new(answer(visit, false)?))),
    }
}

pub(super) fn renew(visit: &Visit) -> Answer {
    let here = renewable(visit)?;
    if !confirms(visit, Operation::TerminalIssue)? {
        return answer(visit, true);
    }
    let made = make(visit, here.id)?;
    let at = visit.app.clock().now();
    let now = format!("{at:.6}");
    visit.app.db().write(&visit.actor, |tx| {
        let machine = sql::machine(tx, here.id)?.ok_or(Problem::NotFound)?;
        // A renewal that nobody has used yet; the one that is shown now stays open.
        for unused in machine.unstopped().filter(|c| c.id > here.certificate) {
            sql::revoke(tx, unused.id, Reason::Replaced, &visit.actor, &now)?;
            session::end_at(tx, unused.id, at)?;
        }
        sql::insert_certificate(tx, here.id, &made.issued, &visit.actor, &now)?;
        let text = format!(
            "前＝使用中（{}まで）／後＝使用中（{}まで）／この端末での更新",
            here.expires_on, made.issued.expires_on
        );
        let event = Event::done(Operation::TerminalIssue).on(RecordKind::Terminal, here.id.0);
        Ok::<_, Problem>(tx.audited(event.detail(text), ()))
    })?;
    let shell = shell(visit, "新しい証明書を作りました");
    given(
        visit,
        here.id,
        made,
        (shell, "/terminals/own".to_owned(), true),
    )
}
