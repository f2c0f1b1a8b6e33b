//! Giving out a certificate, and taking one back.

use std::path::Path;

use askama::Template;
use axum::http::StatusCode;
use data_encoding::BASE64;
use store::{Event, Operation, RecordKind};

use super::model::{Machine, Reason};
use super::pages::{late, machine, shell_of};
use super::{store as sql, view};
use crate::ca::Authority;
use crate::ca::terminal::Issued;
use crate::web::{Answer, Problem, Shell, TerminalId, Visit, download, redirect, session};

/// Where our own authority lies, or a page that says that there is none.
pub(super) fn directory(visit: &Visit) -> Result<&Path, Problem> {
    let dir = visit.app.settings().authority.as_deref();
    let dir = dir.filter(|dir| dir.join("ca.key").exists());
    dir.ok_or_else(|| absent(visit))
}

#[derive(Template)]
#[template(path = "features/terminals/no_authority.html")]
struct AbsentPage {
    shell: Shell,
}

fn absent(visit: &Visit) -> Problem {
    let shell = Shell::new(visit, "証明書を発行できません").under(&[("端末", "/terminals")]);
    match visit.page_as(StatusCode::CONFLICT, &AbsentPage { shell }) {
        Ok(response) => Problem::Page(Box::new(response)),
        Err(problem) => problem,
    }
}

/// The authority's own certificate, which a terminal has to trust.
pub(super) fn authority(visit: &Visit) -> Answer {
    let dir = directory(visit)?;
    let bytes = std::fs::read(dir.join("ca.pem"))
        .map_err(|error| crate::ca::CaError::from(error).report(dir))?;
    let kind = "application/x-x509-ca-cert";
    Ok(download(kind, "hokatsu-ca.crt", false, bytes))
}

#[derive(Template)]
#[template(path = "features/terminals/certificate.html")]
struct AskPage {
    shell: Shell,
    id: TerminalId,
    seen: i64,
    replaces: bool,
}

pub(super) fn ask(visit: &Visit) -> Answer {
    let machine = machine(visit)?;
    directory(visit)?;
    visit.page(&AskPage {
        shell: shell_of(visit, &machine, "証明書の発行"),
        id: machine.id,
        seen: machine.newest(),
        replaces: machine.state(visit.today()).is_open(),
    })
}

#[derive(Template)]
#[template(path = "features/terminals/given.html")]
struct GivenPage {
    shell: Shell,
    /// Where to go on.
    back: String,
    /// The terminal made it itself: the old one opens until the new one is in.
    renewed: bool,
    file: String,
    package: String,
    passphrase: String,
    until: String,
}

/// Key, certificate and passphrase of one issue.
pub(super) struct Made {
    pub(super) issued: Issued,
    passphrase: String,
}

pub(super) fn make(visit: &Visit, id: TerminalId) -> Result<Made, Problem> {
    let dir = directory(visit)?;
    let fault = Problem::Fault("no randomness for a passphrase");
    let passphrase = session::one_time_password().ok_or(fault)?;
    let name = format!("hokatsu terminal {id}");
    let issued = Authority::issue_terminal(dir, &name, &passphrase, visit.today())
        .map_err(|error| error.report(dir))?;
    Ok(Made { issued, passphrase })
}

/// The only page that ever holds the key: it leaves with it and is kept nowhere.
pub(super) fn given(
    visit: &Visit,
    id: TerminalId,
    made: Made,
    (shell, back, renewed): (Shell, String, bool),
) -> Answer {
    visit.page(&GivenPage {
        shell,
        back,
        renewed,
        file: format!("hokatsu-terminal-{id}.p12"),
        package: BASE64.encode(&made.issued.package),
        until: view::day(made.issued.expires_on),
        passphrase: made.passphrase,
    })
}

/// Sent twice by the same administrator, the newer certificate counts, which is the one her browser
/// shows; another administrator is told.
pub(super) fn issue(visit: &Visit) -> Answer {
    let machine = machine(visit)?;
    let seen: i64 = visit.form.trimmed("seen").parse().unwrap_or(0);
    let (made, today) = (make(visit, machine.id)?, visit.today());
    let issued = &made.issued;
    let (db, at) = (visit.app.db(), visit.app.clock().now());
    let now = format!("{at:.6}");
    db.write(&visit.actor, |tx| {
        let newest = sql::machine(tx, machine.id)?.ok_or(Problem::NotFound)?;
        if newest.newest() != seen && !is_mine(visit, &newest) {
            return Err(late_certificate(visit, newest));
        }
        let before = view::state(newest.state(today)).0;
        let mut ended = 0;
        for old in newest.unstopped() {
            sql::revoke(tx, old.id, Reason::Replaced, &visit.actor, &now)?;
            ended += session::end_at(tx, old.id, at)?;
        }
        sql::insert_certificate(tx, machine.id, issued, &visit.actor, &now)?;
        let text = format!(
            "前＝{before}／後＝使用中（{}まで）／終えたセッション＝{ended}",
            issued.expires_on
        );
        let event = Event::done(Operation::TerminalIssue).on(RecordKind::Terminal, machine.id.0);
        Ok(tx.audited(event.detail(text), ()))
    })?;
    let shell = shell_of(visit, &machine, "証明書を発行しました");
    let back = format!("/terminals/{}", machine.id);
    given(visit, machine.id, made, (shell, back, false))
}

fn is_mine(visit: &Visit, newest: &Machine) -> bool {
    let newest = newest.certificates.first();
    newest.is_some_and(|certificate| visit.actor.staff_id == Some(certificate.issuer))
}

fn late_certificate(visit: &Visit, mut newest: Machine) -> Problem {
    if let Some(certificate) = newest.certificates.first() {
        newest.changed_at.clone_from(&certificate.issued_at);
        newest.changed_by.clone_from(&certificate.issued_by);
    }
    late(visit, &newest)
}

pub(super) fn lose(visit: &Visit) -> Answer {
    stop(visit, Reason::Lost, "terminal-lost")
}

pub(super) fn retire(visit: &Visit) -> Answer {
    stop(visit, Reason::Retired, "terminal-retired")
}

/// From this moment on nobody gets in there, and whoever is in is out.
fn stop(visit: &Visit, reason: Reason, done: &str) -> Answer {
    let id = machine(visit)?.id;
    let (db, today, at) = (visit.app.db(), visit.today(), visit.app.clock().now());
    let now = format!("{at:.6}");
    let answer = |done: &str| Ok(redirect(&format!("/terminals/{id}?done={done}")));
    let stopped = db.write(&visit.actor, |tx| {
        let newest = sql::machine(tx, id)?.ok_or(Problem::NotFound)?;
        let event = |event: Event, text: String| event.on(RecordKind::Terminal, id.0).detail(text);
        let before = view::state(newest.state(today)).0;
        if newest.unstopped().next().is_none() {
            let refused = Event::refused(Operation::TerminalRevoke);
            return Ok(tx.audited(event(refused, format!("前＝{before}")), false));
        }
        let mut ended = 0;
        for open in newest.unstopped() {
            sql::revoke(tx, open.id, reason, &visit.actor, &now)?;
            ended += session::end_at(tx, open.id, at)?;
        }
        let after = view::reason(reason);
        let text = format!("前＝{before}／後＝{after}／終えたセッション＝{ended}");
        Ok::<_, Problem>(tx.audited(event(Event::done(Operation::TerminalRevoke), text), true))
    })?;
    answer(if stopped { done } else { "again" })
}
