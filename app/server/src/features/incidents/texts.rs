//! Reports and notices: worded from a draft, kept in versions, printed.

use askama::Template;
use axum::http::StatusCode;
use forms::{Letter, letter};
use store::{Event, Operation, RecordKind};

use super::model::{Incident, TextKind};
use super::pages::{found, late, now, open_only, told};
use super::store::Worded;
use super::{draft, form as typed, store as sql, view};
use crate::web::{Answer, FieldProblem, Problem, Shell, Visit, download, redirect};

#[derive(Template)]
#[template(path = "features/incidents/text.html")]
struct TextPage {
    shell: Shell,
    id: i64,
    code: &'static str,
    is_report: bool,
    body: String,
    base_version: i64,
    closed: bool,
    versions: Vec<(i64, String)>,
    problems: Vec<FieldProblem>,
}

impl TextPage {
    fn of(&self, field: &str) -> &str {
        told(&self.problems, field)
    }
}

fn kind(visit: &Visit) -> Result<TextKind, Problem> {
    let code: String = visit.param("kind")?;
    TextKind::from_code(&code).ok_or(Problem::NotFound)
}

fn versions(visit: &Visit, incident: &Incident, kind: TextKind) -> Result<Vec<Worded>, Problem> {
    let read = |tx: &store::ReadTx<'_>| sql::texts(tx, incident.id, kind);
    Ok(visit.app.db().read(&visit.actor, read)?)
}

pub(super) fn form(visit: &Visit) -> Answer {
    let (incident, kind) = (found(visit)?, kind(visit)?);
    let versions = versions(visit, &incident, kind)?;
    let newest = versions.first();
    let fresh = visit.query.get("draft") == "fresh";
    let body = newest.filter(|_| !fresh).map(|text| text.body.clone());
    let body = body.unwrap_or_else(|| draft::text(&incident, kind));
    visit.page(&page(visit, &incident, (kind, &versions), body, Vec::new()))
}

fn page(
    visit: &Visit,
    incident: &Incident,
    (kind, versions): (TextKind, &[Worded]),
    body: String,
    problems: Vec<FieldProblem>,
) -> TextPage {
    let here = format!("/incidents/{}", incident.id);
    let base: Option<i64> = visit.form.trimmed("base_version").parse().ok();
    TextPage {
        shell: Shell::new(visit, kind.label())
            .under(&[("事故対応", "/incidents"), ("この事故", &here)]),
        id: incident.id.0,
        code: kind.code(),
        is_report: matches!(kind, TextKind::Preliminary | TextKind::Final),
        body,
        base_version: base.unwrap_or_else(|| versions.first().map_or(0, |text| text.version)),
        closed: incident.is_closed(),
        versions: versions
            .iter()
            .map(|text| {
                (
                    text.version,
                    format!("{}（{}）", text.by, view::moment(&text.at)),
                )
            })
            .collect(),
        problems,
    }
}

pub(super) fn save(visit: &Visit) -> Answer {
    let (incident, kind) = (found(visit)?, kind(visit)?);
    open_only(visit, &incident)?;
    let body = match typed::body(&visit.form) {
        Ok(body) => body,
        Err(problems) => {
            let known = versions(visit, &incident, kind)?;
            let typed = visit.form.get("body").to_owned();
            let page = page(visit, &incident, (kind, &known), typed, problems);
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let by = visit.signed_in()?.staff_id;
    let (id, now) = (incident.id, now(visit));
    let base: i64 = visit.form.trimmed("base_version").parse().unwrap_or(0);
    let again = visit.app.db().write(&visit.actor, |tx| {
        let known = sql::texts(tx, id, kind)?;
        let newest = known.first();
        let version = newest.map_or(0, |text| text.version);
        let event = Event::done(Operation::IncidentText).on(RecordKind::Incident, id.0);
        if let Some(newest) = newest.filter(|_| base != version) {
            return if newest.body == body {
                Ok(tx.audited(event.detail("同じ内容"), true))
            } else {
                let at = view::moment(&newest.at);
                let text = format!("{} さんが {at} に第{version}版を保存しました。", newest.by);
                Err(late(visit, id, text))
            };
        }
        sql::insert_text(tx, id, (kind, version + 1, &body), (by, &now))?;
        let text = format!("{}／第{}版", kind.label(), version + 1);
        Ok(tx.audited(event.detail(text), false))
    })?;
    let done = if again { "again" } else { "saved" };
    Ok(redirect(&format!(
        "/incidents/{id}/texts/{}?done={done}",
        kind.code()
    )))
}

/// The newest saved wording on paper; what nobody saved is not printed.
pub(super) fn print(visit: &Visit) -> Answer {
    let (incident, kind) = (found(visit)?, kind(visit)?);
    let known = versions(visit, &incident, kind)?;
    let newest = known.first().ok_or(Problem::NotFound)?;
    let Ok(fonts) = visit.app.fonts() else {
        let text = "印刷に使う書体がサーバにありません。文書は無事です。システム管理者にお知らせください。";
        return Err(late(visit, incident.id, text.to_owned()));
    };
    let event = Event::done(Operation::IncidentPrint).on(RecordKind::Incident, incident.id.0);
    let event = event.detail(format!("{}／第{}版", kind.label(), newest.version));
    let db = visit.app.db();
    db.view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    let staff = visit.signed_in()?;
    let page = Letter {
        title: kind.label().to_owned(),
        corner: vec![format!(
            "第{}版　{}",
            newest.version,
            view::moment(&newest.at)
        )],
        to: match kind {
            TextKind::Preliminary | TextKind::Final => Some("個人情報保護委員会　御中".to_owned()),
            TextKind::Notice | TextKind::Publication => None,
        },
        from: Some("和光市".to_owned()),
        body: newest.body.clone(),
        record_id: format!(
            "incident-{}-{}-{}",
            incident.id,
            kind.code(),
            newest.version
        ),
        printed_at: visit.app.clock().now(),
        printed: format!("印刷 {}　{}", view::moment(&now(visit)), staff.name),
        ..Letter::default()
    };
    match letter(fonts, &page) {
        Ok(pdf) => {
            let name = format!("incident-{}-{}.pdf", incident.id, kind.code());
            Ok(download("application/pdf", &name, true, pdf.bytes))
        }
        Err(error) => {
            log::debug!("letter of an incident: {error}");
            Err(Problem::Fault("letter of an incident cannot be drawn"))
        }
    }
}
