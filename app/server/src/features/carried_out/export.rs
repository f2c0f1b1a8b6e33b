//! The register itself on paper and as a file. It holds no resident, yet its file leaves through the
//! same door.

use store::{Event, Operation, RecordKind};

use super::door::{self, Goods};
use super::list::{asked, lines, reach_words, too_many};
use super::model::Reach;
use super::records::reading;
use super::store as sql;
use super::view::Line;
use crate::web::{Answer, Problem, Visit, excel_csv, printing};

/// Most rows in one file.
const EXPORT_ROWS_MAX: usize = 50_000;
/// Most rows on one print: 60 sheets.
const PRINT_ROWS_MAX: usize = 1_000;

const HEADER: [&str; 15] = [
    "番号",
    "持ち出した日",
    "持ち出したもの",
    "人数",
    "目的",
    "媒体",
    "持出し先",
    "持ち出す人",
    "登録した人",
    "所属",
    "保護",
    "返却・廃棄の期限",
    "状態",
    "返却・廃棄した日",
    "備考",
];

fn rows(visit: &Visit, most: usize) -> Result<Vec<Line>, Problem> {
    too_many(visit, most)?;
    let asked = asked(visit);
    let (rows, lists) = reading(visit, |tx| {
        Ok((asked.rows(tx, (most, 0))?, sql::lists(tx, visit.today())?))
    })?;
    Ok(lines(&rows, &lists, visit))
}

fn goods(visit: &Visit) -> Result<Goods, Problem> {
    let rows = rows(visit, EXPORT_ROWS_MAX)?;
    let count = rows.len();
    let cells = rows.into_iter().map(|line| {
        [
            line.id.to_string(),
            line.taken_on,
            line.what,
            line.persons,
            line.purpose,
            line.medium,
            line.destination,
            line.carried_by,
            line.maker,
            line.centre,
            line.protection,
            line.due,
            line.state.to_owned(),
            line.ended,
            line.note,
        ]
    });
    Ok(Goods {
        what: "持出し台帳",
        file: "carried-out.csv",
        rows: count,
        // Members of staff appear by their work, not as the persons the list is about.
        persons: 0,
        bytes: excel_csv(HEADER, cells)?,
        event: printed(count),
        back: ("持出し台帳", back(visit)),
    })
}

fn back(visit: &Visit) -> String {
    let query = visit.query.query_without("done");
    let joint = if query.is_empty() { "" } else { "?" };
    format!("/carried-out{joint}{query}")
}

fn printed(rows: usize) -> Event {
    Event::done(Operation::CarriedOutPrint)
        .on(
            RecordKind::CarriedOut,
            i64::try_from(rows).unwrap_or(i64::MAX),
        )
        .detail(format!("rows={rows}"))
}

pub(super) fn ask(visit: &Visit) -> Answer {
    door::ask(visit, &goods(visit)?)
}

pub(super) fn give(visit: &Visit) -> Answer {
    door::hand_over(visit, goods(visit)?)
}

pub(super) fn print(visit: &Visit) -> Answer {
    let rows = rows(visit, PRINT_ROWS_MAX)?;
    let count = rows.len();
    let mut words = vec![reach_words(Reach::of(visit)).to_owned()];
    words.extend(asked(visit).words);
    let sheet = printing::Sheet {
        title: "持出し台帳",
        subtitle: format!("{}／{count}件", words.join("／")),
        identity: "carried-out".to_owned(),
        columns: vec![
            ("番号", 2),
            ("持ち出した日", 4),
            ("持ち出したもの", 7),
            ("人数", 2),
            ("目的", 6),
            ("媒体", 5),
            ("持出し先", 6),
            ("持ち出す人", 5),
            ("保護", 5),
            ("期限", 4),
            ("状態", 4),
            ("返却・廃棄", 4),
        ],
        rows: rows.into_iter().map(cells).collect(),
        notes: vec![
            "個人情報取扱特記事項 第9条にもとづく台帳です。住民の氏名は記載しません。".to_owned(),
        ],
    };
    let pdf = printing::draw(visit, sheet)?;
    let event = printed(count);
    visit
        .app
        .db()
        .view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    Ok(printing::shown("carried-out.pdf", pdf))
}

fn cells(line: Line) -> Vec<String> {
    vec![
        line.id.to_string(),
        line.taken_on,
        line.what,
        line.persons,
        line.purpose,
        line.medium,
        line.destination,
        line.carried_by,
        line.protection,
        line.due,
        line.state.to_owned(),
        line.ended,
    ]
}
