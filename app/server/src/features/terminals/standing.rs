//! The certificates of the appliance itself: what the administrators see, and the service's own, which
//! is renewed by the day's work before it ends.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use store::{Actor, Event, Operation};

use super::view;
use crate::app::App;
use crate::ca::terms::{self, days_left};
use crate::ca::{Authority, ends_on};
use crate::web::Problem;

/// One certificate in words.
pub(super) struct Own {
    pub(super) what: &'static str,
    pub(super) until: String,
    pub(super) left: Option<i32>,
    pub(super) css: &'static str,
    pub(super) advice: &'static str,
}

/// What the service shows, when it is of our own authority.
fn own_server(app: &App) -> Option<(PathBuf, &Path)> {
    let dir = app.settings().authority.as_deref()?;
    let ours = Authority::in_dir(dir).tls.certificate;
    let shown = app.settings().server_certificate.as_deref();
    (shown.is_none_or(|shown| shown == ours) && ours.exists()).then_some((ours, dir))
}

fn own(what: &'static str, file: &Path, today: Date, (days, advice): (i32, &'static str)) -> Own {
    let end = ends_on(file).ok();
    let left = end.map(|end| days_left(end, today));
    let css = match left {
        Some(left) if left > days => "ok",
        Some(left) if left >= 0 => "warn",
        Some(_) | None => "bad",
    };
    Own {
        what,
        until: end.map_or_else(|| "読めません".to_owned(), view::day),
        left,
        css,
        advice,
    }
}

/// Authority and service, as they stand.
pub(super) fn of(app: &App, today: Date) -> Vec<Own> {
    let Some(dir) = app.settings().authority.as_deref() else {
        return Vec::new();
    };
    let terms = terms::on(today);
    let (server_days, authority_days) =
        terms.map_or((0, 0), |terms| (terms.server_days, terms.authority_days));
    let authority = Authority::in_dir(dir);
    let server = match (
        own_server(app),
        app.settings().server_certificate.as_deref(),
    ) {
        (Some((file, _)), _) => {
            let advice = "期限の前に、サービスが自動で更新します";
            Some(own("サーバ", &file, today, (server_days, advice)))
        }
        (None, Some(file)) => {
            let advice = "市が用意した証明書です。期限の前に差し替えてください";
            Some(own("サーバ", file, today, (server_days, advice)))
        }
        (None, None) => None,
    };
    let advice =
        "更新は hokatsu certificates renew-authority。端末に新しい hokatsu-ca.crt を入れ直します";
    let ca = own(
        "認証局",
        &authority.ca_file,
        today,
        (authority_days, advice),
    );
    server.into_iter().chain([ca]).collect()
}

/// Renews the service's own certificate near its end; the running service reads it by itself.
///
/// # Errors
/// When it cannot be made or written; the old one is still there.
pub fn renew_due(app: &App) -> Result<(), Problem> {
    let today = app.clock().today();
    let (Some((file, dir)), Some(terms)) = (own_server(app), terms::on(today)) else {
        return Ok(());
    };
    let failed = |error: crate::ca::CaError| Problem::from(error.report(dir));
    let before = ends_on(&file).map_err(failed)?;
    if days_left(before, today) > terms.server_days {
        return Ok(());
    }
    let after = Authority::renew_server(dir, today).map_err(failed)?;
    let actor = Actor::system("サーバ証明書の更新");
    app.db().write(&actor, |tx| {
        let text = format!("サーバ／前＝{before}まで／後＝{after}まで");
        let event = Event::done(Operation::CertificateRenew).detail(text);
        Ok::<_, Problem>(tx.audited(event, ()))
    })
}
