//! Registers on paper: a slice gives ready words, this adds who printed and when, and draws.

use axum::http::StatusCode;
use base::clock::japan;
use base::wareki::Wareki;
use forms::{Column, FormError, Register};

use crate::web::answer::{Response, download};
use crate::web::problem::Problem;
use crate::web::shell::Shell;
use crate::web::visit::Visit;

/// One register, ready to be printed.
pub(crate) struct Sheet {
    /// As it stands on top of the first page.
    pub(crate) title: &'static str,
    /// What it shows: filters, number of rows.
    pub(crate) subtitle: String,
    /// What the paper is, for the foot of each page.
    pub(crate) identity: String,
    /// Label and share of the width.
    pub(crate) columns: Vec<(&'static str, u16)>,
    /// Cells in the order of the columns.
    pub(crate) rows: Vec<Vec<String>>,
    /// Sentences under the table.
    pub(crate) notes: Vec<String>,
}

#[derive(askama::Template)]
#[template(path = "web/not_printed.html")]
struct NotPrinted {
    shell: Shell,
    text: String,
}

/// Draws a register.
///
/// # Errors
/// A page that says what is missing (503) or that the register is too long (422).
pub(crate) fn draw(visit: &Visit, sheet: Sheet) -> Result<Vec<u8>, Problem> {
    let fonts = match visit.app.fonts() {
        Ok(fonts) => fonts,
        Err(missing) => {
            let text = format!(
                "印刷に使う書体がサーバにありません。記録は無事です。システム管理者に次をお伝えください。{missing}"
            );
            return Err(not_printed(visit, StatusCode::SERVICE_UNAVAILABLE, text));
        }
    };
    let staff = visit.signed_in()?;
    let now = visit.app.clock().now();
    let local = japan().to_datetime(now);
    let day = Wareki::from_date(local.date()).map_or_else(|_| String::new(), Wareki::long);
    let register = Register {
        title: sheet.title,
        subtitle: sheet.subtitle,
        owner: staff.centre_name.clone(),
        record_id: sheet.identity,
        printed_at: now,
        printed_on: format!("{day} {}:{:02}", local.hour(), local.minute()),
        printed_by: staff.name.clone(),
        columns: sheet
            .columns
            .into_iter()
            .map(|(label, share)| Column::new(label, share))
            .collect(),
        rows: sheet.rows,
        notes: sheet.notes,
    };
    match forms::register(fonts, &register) {
        Ok(pdf) => Ok(pdf.bytes),
        Err(FormError::TooLong { .. }) => {
            let text = "一度に印刷できる量を超えています。条件で絞ってください。".to_owned();
            Err(not_printed(visit, StatusCode::UNPROCESSABLE_ENTITY, text))
        }
        Err(error) => {
            log::debug!("register: {error}");
            Err(Problem::Fault("register cannot be drawn"))
        }
    }
}

fn not_printed(visit: &Visit, status: StatusCode, text: String) -> Problem {
    let shell = Shell::new(visit, "いまは印刷できません").under(&[]);
    match visit.page_as(status, &NotPrinted { shell, text }) {
        Ok(page) => Problem::Page(Box::new(page)),
        Err(problem) => problem,
    }
}

/// The drawn paper in the browser's window: printed there for the work at hand. It is no file that
/// leaves; what leaves as a file goes through the door of `carried_out`.
pub(crate) fn shown(name: &str, pdf: Vec<u8>) -> Response {
    download("application/pdf", name, true, pdf)
}
