//! The printed 相談記録票.

use axum::http::StatusCode;
use store::Operation;

use super::{records, view};
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
            return records::notice(
                visit,
                status,
                "いまは印刷できません",
                &text,
                "/consultations",
            );
        }
    };
    let record = records::open(visit, Operation::ConsultationPrint)?;
    let printed = (visit.app.clock().now(), staff.name.as_str());
    let slip = view::slip(&record, printed, visit.today());
    match forms::consultation_slip(fonts, &slip) {
        Ok(pdf) => {
            let name = format!("consultation-{}.pdf", record.id);
            Ok(download("application/pdf", &name, true, pdf.bytes))
        }
        Err(error) => {
            log::debug!("consultation slip: {error}");
            Err(Problem::Fault("consultation slip cannot be drawn"))
        }
    }
}
