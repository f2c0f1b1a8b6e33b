//! The comparison on paper.

use super::asked::Asked;
use super::comparing::{Compared, Look};
use super::model::Record;
use super::view::{self, Line};
use crate::web::printing::{Sheet, draw, shown};
use crate::web::{Answer, Visit, redirect};

/// Draws it. Of somebody under 支援措置 nothing is printed: where she is would leave the screen.
pub(super) fn print<R: Record>(visit: &Visit) -> Answer {
    let asked = Asked::read(&visit.query, visit.app.clock().now());
    let found = match Compared::<R>::read(visit, &asked, R::LOOKS.1)? {
        Look::Open(found) if !found.record.shielded() => found,
        Look::Open(found) => return Ok(back(&found.record, &asked)),
        Look::Shielded(record) => return Ok(back(&record, &asked)),
    };
    let Ok(then) = &found.then else {
        return Ok(back(&found.record, &asked));
    };
    let (different, same) = view::lines(&then.said, &found.said_now, &[]);
    let cells =
        |line: Line, mark: &str| vec![line.label.to_owned(), line.then, line.now, mark.to_owned()];
    let rows = different.into_iter().map(|line| cells(line, "違う"));
    let mut rows: Vec<Vec<String>> = rows
        .chain(same.into_iter().map(|line| cells(line, "")))
        .collect();
    for part in view::parts(&then.parts, &found.parts_now) {
        rows.extend(part.printed());
    }
    let place = found.record.place();
    let at = view::instant(then.at);
    let pdf = draw(
        visit,
        Sheet {
            title: "以前の状態との比較",
            subtitle: format!("{}　{at} の内容と、いまの内容", place.label),
            identity: format!("{} {at}", place.label),
            columns: vec![("項目", 2), ("その時点", 5), ("いま", 5), ("", 1)],
            rows,
            notes: vec![format!("見たところ：{}", then.source)],
        },
    )?;
    Ok(shown("former-state.pdf", pdf))
}

fn back<R: Record>(record: &R, asked: &Asked) -> crate::web::Response {
    let href = record.place().href;
    redirect(&format!("{href}/former-state?{}", asked.query()))
}
