//! One button that puts aside what the data and the log were, signed.

use store::evidence::{Flaw, preserve};
use store::{Event, Operation, RecordKind, StoreError};

use super::model::{Incident, SPAN_DAYS_MAX};
use super::pages::{found, not_yet, now};
use super::store::Kept;
use super::{form, store as sql, view};
use crate::web::{Answer, FieldProblem, Problem, Visit, excel_csv, redirect, submission};

/// Entries of the log in one folder; more is asked for in parts.
const ROWS_MAX: usize = 1_000_000;

const HEADER: [&str; 12] = [
    "番号",
    "日時(UTC)",
    "職員ID",
    "職員番号",
    "センター番号",
    "メニュー",
    "操作",
    "対象者番号",
    "記録",
    "端末",
    "結果",
    "詳細",
];

/// Not kept from one that is closed: evidence may be needed after that, too.
pub(super) fn create(visit: &Visit) -> Answer {
    let incident = found(visit)?;
    let (reason, first, last) = match form::evidence(&visit.form, SPAN_DAYS_MAX) {
        Ok(checked) => checked,
        Err(problems) => return not_yet(visit, &incident, problems),
    };
    let (id, db) = (incident.id, visit.app.db());
    let token = submission(&visit.form);
    let (known, log) = db.read(&visit.actor, |tx| {
        let log = sql::log(tx, (first, last), ROWS_MAX)?;
        Ok::<_, StoreError>((sql::evidence_of(tx, &token)?, log))
    })?;
    if known {
        return Ok(redirect(&format!("/incidents/{id}?done=again")));
    }
    if log.len() > ROWS_MAX {
        let text = format!("ログが{ROWS_MAX}件を超えます。期間を分けて保全してください。");
        let problem = FieldProblem {
            field: "first_on",
            text,
        };
        return not_yet(visit, &incident, vec![problem]);
    }
    let by = visit.signed_in()?.staff_id;
    let now = now(visit);
    let digits: String = now.chars().filter(char::is_ascii_digit).collect();
    let folder = format!("incident-{id}-{digits}");
    let rows = i64::try_from(log.len()).unwrap_or(i64::MAX);
    let files = [
        ("access-log.csv", excel_csv(HEADER, log.into_iter())?),
        (
            "incident.txt",
            words(visit, &incident, &reason)?.into_bytes(),
        ),
    ];
    // A folder without its row is found by its name; a row without a folder would be a lie.
    let preserved = preserve(db, &folder, &files)?;
    let kept = Kept {
        folder,
        reason,
        first_on: first.to_string(),
        last_on: last.to_string(),
        rows,
        bytes: i64::try_from(preserved.bytes).unwrap_or(i64::MAX),
        sums_sha256: preserved.sums_sha256,
        by: String::new(),
        at: String::new(),
    };
    db.write(&visit.actor, |tx| {
        sql::insert_evidence(tx, id, &kept, &token, (by, &now))?;
        let text = format!(
            "フォルダ＝{}／期間＝{first}～{last}／件数＝{rows}／照合＝{}／理由＝{}",
            kept.folder, kept.sums_sha256, kept.reason
        );
        let event = Event::done(Operation::IncidentEvidence).on(RecordKind::Incident, id.0);
        Ok::<_, Problem>(tx.audited(event.detail(text), ()))
    })?;
    Ok(redirect(&format!("/incidents/{id}?done=preserved")))
}

/// What was known at that moment, for whoever opens the folder without us.
fn words(visit: &Visit, incident: &Incident, reason: &str) -> Result<String, Problem> {
    let staff = visit.signed_in()?;
    let mut lines = vec![
        format!("事故 {}：{}", incident.id, incident.known.title),
        format!("保全した人：{}　{}", staff.name, view::moment(&now(visit))),
        format!("保全の理由：{reason}"),
        String::new(),
    ];
    for (label, value) in view::facts(incident) {
        lines.push(format!("{label}：{value}"));
    }
    lines.push(String::new());
    for step in incident.steps.iter().map(view::step) {
        lines.push(format!(
            "{} {} {}（{}）",
            step.held_on, step.kind, step.note, step.by
        ));
    }
    Ok(lines.join("\n") + "\n")
}

/// A flaw of a folder in words, for the command.
pub fn flaw(flaw: &Flaw) -> String {
    match flaw {
        Flaw::Signature => "一覧（SHA256SUMS）の署名が合いません。".to_owned(),
        Flaw::Changed(name) => format!("{name} の内容が、保全したときと違います。"),
        Flaw::Missing(name) => format!("{name} がありません。"),
        Flaw::Added(name) => format!("{name} は、保全したときにはありませんでした。"),
        Flaw::List => "一覧（SHA256SUMS）に読めない行があります。".to_owned(),
    }
}
