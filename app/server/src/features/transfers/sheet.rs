//! The printed hand-over sheet (引継ぎ書).

use axum::http::StatusCode;
use store::Operation;

use super::{pages, view};
use crate::web::{Answer, Problem, Visit, download};

pub(super) fn print(visit: &Visit) -> Answer {
    let (id, staff) = (pages::id_of(visit)?, visit.signed_in()?);
    let fonts = match visit.app.fonts() {
        Ok(fonts) => fonts,
        Err(missing) => {
            let text = format!(
                "印刷に使う書体がサーバにありません。記録は無事です。システム管理者に次をお伝えください。{missing}"
            );
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Err(pages::notice(visit, status, "いまは印刷できません", &text));
        }
    };
    let opened = pages::open(visit, id, Operation::TransferPrint)?;
    let printed = (visit.app.clock().now(), staff.name.as_str());
    match forms::hand_over_sheet(fonts, &view::sheet(&opened, printed, visit.today())) {
        Ok(pdf) => {
            let name = format!("hand-over-{id}.pdf");
            Ok(download("application/pdf", &name, true, pdf.bytes))
        }
        Err(error) => {
            log::debug!("hand-over sheet: {error}");
            Err(Problem::Fault("hand-over sheet cannot be drawn"))
        }
    }
}
