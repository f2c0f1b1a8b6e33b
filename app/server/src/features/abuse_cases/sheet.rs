//! The case on paper, for a meeting: internal, no official form, without the reporter.

use axum::http::StatusCode;
use store::Operation;

use super::{pages, rules, store as sql, view};
use crate::web::{Answer, Problem, Visit, download};

pub(super) fn print(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?;
    let fonts = match visit.app.fonts() {
        Ok(fonts) => fonts,
        Err(missing) => {
            let text = format!(
                "印刷に使う書体がサーバにありません。記録は無事です。システム管理者に次をお伝えください。{missing}"
            );
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return pages::notice(visit, status, "いまは印刷できません", &text, "/abuse-cases");
        }
    };
    let case = pages::open(visit, Operation::AbusePrint)?;
    let today = visit.today();
    let team = visit
        .app
        .db()
        .read(&visit.actor, |tx| sql::members(tx, case.id, today))?;
    let printed = (visit.app.clock().now(), staff.name.as_str());
    let sheet = view::sheet(&case, &rules::clocks(&case)?, &team, printed, today);
    match forms::table_report(fonts, &sheet) {
        Ok(pdf) => {
            // The name of a file is read by whoever passes: it does not say what it is about.
            let name = format!("record-{}.pdf", case.id.number());
            Ok(download("application/pdf", &name, true, pdf.bytes))
        }
        Err(error) => {
            log::debug!("sheet of a case: {error}");
            Err(Problem::Fault("sheet of a case cannot be drawn"))
        }
    }
}
