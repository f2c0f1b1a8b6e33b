//! Receiving a report, and what all pages of a case share.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, ReadTx, RecordKind, ResidentId, StaffId, WriteTx};

use super::form::{self, Looked, Sought};
use super::model::{
    AbuseKind, CarerRelation, Case, CaseId, CaseType, Known, ReceivedAt, ReporterKind, Urgency,
};
use super::store::{self as sql, NewCase, NewMember};
use super::view::{self, Choice, PersonWords};
use crate::web::coded::Choices as _;
use crate::web::{
    Answer, FieldProblem, Fields, Permission, Problem, Shell, Typed, Visit, problem_of, redirect,
    typed_words,
};

pub(super) fn id_of(visit: &Visit) -> Result<CaseId, Problem> {
    visit.param("id").map(CaseId)
}

pub(super) fn now(visit: &Visit) -> String {
    format!("{:.6}", visit.app.clock().now())
}

/// The case of the address; for whoever may not know of it there is none.
pub(super) fn load(visit: &Visit, tx: &ReadTx<'_>) -> Result<Case, Problem> {
    sql::find(tx, id_of(visit)?)?.ok_or(Problem::NotFound)
}

/// An entry about a case: about the person, if she is known, as any other entry about her; the case's
/// number stands in the detail.
pub(super) fn event(operation: Operation, case: CaseId, resident: Option<ResidentId>) -> Event {
    named(Event::done(operation), resident).detail(format!("case={}", case.number()))
}

fn named(event: Event, resident: Option<ResidentId>) -> Event {
    let event = event.about(resident);
    match resident {
        Some(id) => event.on(RecordKind::Resident, id.0),
        None => event,
    }
}

/// As [`event`], with more words.
pub(super) fn event_with(operation: Operation, case: &Case, words: &str) -> Event {
    about(Event::done(operation), case, words)
}

/// The same about an act that may have been refused.
pub(super) fn about(event: Event, case: &Case, words: &str) -> Event {
    let event = named(event, case.known.resident);
    event.detail(format!("case={} {words}", case.id.number()))
}

/// Opens the case of this address and leaves the entry.
pub(super) fn open(visit: &Visit, operation: Operation) -> Result<Case, Problem> {
    visit.app.db().view(&visit.actor, |tx| {
        let case = load(visit, tx)?;
        let shielded = case.victim.as_ref().is_some_and(|person| person.shielded);
        let event = match shielded {
            true => event_with(operation, &case, "shield=record"),
            false => event(operation, case.id, case.known.resident),
        };
        Ok(tx.audited(event, case))
    })
}

/// The way to a page below a case.
pub(super) fn shell(visit: &Visit, case: &Case, title: &str) -> Shell {
    let (number, here) = (case.id.number(), format!("/abuse-cases/{}", case.id));
    Shell::new(visit, title).under(&[("虐待対応", "/abuse-cases"), (&number, &here)])
}

#[derive(Template)]
#[template(path = "features/abuse_cases/notice.html")]
struct NoticePage {
    shell: Shell,
    sentence: String,
    typed: Vec<Typed>,
    href: String,
}

/// A page that says why not, with whatever was typed.
pub(super) fn notice(
    visit: &Visit,
    status: StatusCode,
    title: &str,
    sentence: &str,
    href: &str,
) -> Answer {
    let page = NoticePage {
        shell: Shell::new(visit, title).under(&[("虐待対応", "/abuse-cases")]),
        sentence: sentence.to_owned(),
        typed: typed_words(visit.form.pairs()),
        href: href.to_owned(),
    };
    visit.page_as(status, &page)
}

fn stop(visit: &Visit, status: StatusCode, title: &str, sentence: &str, case: &Case) -> Problem {
    let href = format!("/abuse-cases/{}", case.id);
    match notice(visit, status, title, sentence, &href) {
        Ok(page) => Problem::Page(Box::new(page)),
        Err(problem) => problem,
    }
}

/// 409: somebody was faster.
pub(super) fn late(visit: &Visit, case: &Case, sentence: &str) -> Problem {
    stop(
        visit,
        StatusCode::CONFLICT,
        "保存していません",
        sentence,
        case,
    )
}

/// 403: known to the viewer, but this is not theirs to do.
pub(super) fn not_theirs(visit: &Visit, case: &Case, sentence: &str) -> Problem {
    stop(
        visit,
        StatusCode::FORBIDDEN,
        "この操作はできません",
        sentence,
        case,
    )
}

/// Whoever only reads adds nothing; what is closed or withdrawn stays as it is.
pub(super) fn writable(visit: &Visit, case: &Case) -> Result<(), Problem> {
    if !case.writable {
        let text = "この対応は、閲覧だけの関係者として見ています。記録は、記録もできる関係者へお願いしてください。";
        return Err(not_theirs(visit, case, text));
    }
    if case.withdrawal.is_some() {
        return Err(late(
            visit,
            case,
            "この受理は取り下げられています。読むことだけができます。",
        ));
    }
    Ok(())
}

/// As [`writable`], and still open.
pub(super) fn open_only(visit: &Visit, case: &Case) -> Result<(), Problem> {
    writable(visit, case)?;
    if case.is_closed() {
        let text = "この対応は終結しています。続けるときは、市の担当者が再開してください。";
        return Err(late(visit, case, text));
    }
    Ok(())
}

/// The form of what is known, for a new case and for a correction.
#[derive(Template)]
#[template(path = "features/abuse_cases/form.html")]
pub(super) struct FormPage {
    pub(super) shell: Shell,
    pub(super) action: String,
    pub(super) back: String,
    pub(super) submission: String,
    pub(super) base_version: i64,
    pub(super) correcting: bool,
    pub(super) consultation: String,
    pub(super) origin: Option<String>,
    pub(super) victim: Option<PersonWords>,
    pub(super) carer: Option<PersonWords>,
    pub(super) managers: Vec<Choice>,
    /// Both versions, when somebody else was faster.
    pub(super) conflict: Option<(String, Vec<view::Difference>)>,
    pub(super) typed: Fields,
    pub(super) problems: Vec<FieldProblem>,
}

impl FormPage {
    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }

    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }

    fn is_marked(&self, field: &str) -> bool {
        self.typed.get(field) == "1"
    }

    /// Was the reporter's name found in a text?
    fn asks_name(&self) -> bool {
        let named =
            |problem: &FieldProblem| problem.text.starts_with("通報者の氏名が書かれています");
        self.is_marked("name_kept") || self.problems.iter().any(named)
    }

    fn reporter_hint(&self) -> &'static str {
        if self.correcting {
            "だれかは、対応の画面の「通報者」で直します。"
        } else {
            "だれかは、下の「通報者」に書きます。"
        }
    }

    fn number_hint(&self) -> &'static str {
        match self.victim {
            Some(_) => "上の方ではなかったとき、正しい方の番号",
            None => "住民記録の方のとき",
        }
    }

    fn case_types(&self) -> Vec<Choice> {
        view::choices(CaseType::choices(), "case_type", &self.typed, "")
    }

    fn received_at(&self) -> Vec<Choice> {
        view::choices(ReceivedAt::choices(), "received_at", &self.typed, "")
    }

    fn reporter_kinds(&self) -> Vec<Choice> {
        let first = "選んでください";
        view::choices(ReporterKind::choices(), "reporter_kind", &self.typed, first)
    }

    fn urgencies(&self) -> Vec<Choice> {
        view::choices(Urgency::choices(), "urgency", &self.typed, "選んでください")
    }

    fn relations(&self) -> Vec<Choice> {
        let first = "選んでください";
        view::choices(
            CarerRelation::choices(),
            "carer_relation",
            &self.typed,
            first,
        )
    }

    fn kinds(&self) -> Vec<Choice> {
        view::choices(AbuseKind::choices(), "kinds", &self.typed, "")
    }

    fn sexes(&self) -> Vec<Choice> {
        let known = [("1", "男性"), ("2", "女性")];
        view::choices(known.into_iter(), "victim_sex", &self.typed, "分からない")
    }
}

/// Whom the numbers and hidden ids of the form mean, within the viewer's scope. `kept`: who stands in
/// the case already, who may have moved out of the scope since.
pub(super) fn looked(
    tx: &ReadTx<'_>,
    fields: &Fields,
    kept: Option<&Known>,
) -> Result<Looked, Problem> {
    let victim = kept.and_then(|known| known.resident);
    let carer = kept.and_then(|known| known.carer_resident);
    Ok(Looked {
        victim: sought(
            tx,
            fields,
            ("victim_no", "resident", "victim_unknown"),
            victim,
        )?,
        carer: sought(
            tx,
            fields,
            ("carer_no", "carer_resident", "carer_unknown"),
            carer,
        )?,
    })
}

fn sought(
    tx: &ReadTx<'_>,
    fields: &Fields,
    (number, hidden, unknown): (&str, &str, &str),
    kept: Option<ResidentId>,
) -> Result<Sought, Problem> {
    let typed = fields.trimmed(number);
    if !typed.is_empty() {
        let found = sql::by_number(tx, typed)?;
        return Ok(found.map_or(Sought::Missing, Sought::Found));
    }
    if fields.trimmed(hidden).is_empty() || fields.get(unknown) == "1" {
        return Ok(Sought::Nobody);
    }
    let id = fields.trimmed(hidden).parse().map(ResidentId);
    let id = id.or(Err(Problem::NotFound))?;
    if kept == Some(id) || sql::resident(tx, id)?.is_some() {
        return Ok(Sought::Found(id));
    }
    Err(Problem::NotFound)
}

/// The form for a new case, around what was typed.
fn intake_page(
    visit: &Visit,
    tx: &ReadTx<'_>,
    typed: Fields,
    problems: Vec<FieldProblem>,
) -> Result<FormPage, Problem> {
    let today = visit.today();
    let shown = |field: &str| -> Result<Option<PersonWords>, Problem> {
        let Ok(id) = typed.trimmed(field).parse().map(ResidentId) else {
            return Ok(None);
        };
        let person = sql::resident(tx, id)?.ok_or(Problem::NotFound)?;
        Ok(Some(view::person(&person, today)))
    };
    let victim = shown("resident")?;
    let carer = shown("carer_resident")?;
    let consultation = typed.trimmed("consultation").to_owned();
    let origin = match consultation.parse() {
        Ok(id) => Some(sql::origin(tx, id)?.ok_or(Problem::NotFound)?.0),
        Err(_) => None,
    };
    Ok(FormPage {
        shell: Shell::new(visit, "虐待の通報を受理する").under(&[("虐待対応", "/abuse-cases")]),
        action: "/abuse-cases".to_owned(),
        back: back(&typed),
        submission: visit.submission(),
        base_version: 0,
        correcting: false,
        managers: managers(visit, tx, &typed)?,
        consultation,
        origin,
        victim,
        carer,
        conflict: None,
        typed,
        problems,
    })
}

fn back(typed: &Fields) -> String {
    match (typed.trimmed("consultation"), typed.trimmed("resident")) {
        ("", "") => "/abuse-cases".to_owned(),
        ("", resident) => format!("/residents/{resident}"),
        (consultation, _) => format!("/consultations/{consultation}"),
    }
}

/// The managers of the receiving centre, offered as members: nobody sees a case for being a manager.
fn offered(
    visit: &Visit,
    tx: &ReadTx<'_>,
    typed: &Fields,
) -> Result<Vec<(StaffId, String)>, Problem> {
    let Some(centre) = visit.actor.centre_id else {
        return Ok(Vec::new());
    };
    let own = visit.signed_in()?.staff_id;
    let resident = typed.trimmed("resident").parse().ok().map(ResidentId);
    let mut all = sql::centre_managers(tx, centre, resident, visit.today())?;
    all.retain(|(id, _)| *id != own);
    Ok(all)
}

fn managers(visit: &Visit, tx: &ReadTx<'_>, typed: &Fields) -> Result<Vec<Choice>, Problem> {
    let all = offered(visit, tx, typed)?.into_iter();
    let choice = |(id, name): (StaffId, String)| Choice {
        value: id.to_string(),
        label: name,
        selected: typed.all("managers").any(|typed| typed == id.to_string()),
    };
    Ok(all.map(choice).collect())
}

pub(super) fn new(visit: &Visit) -> Answer {
    let today = view::day_short(visit.today());
    let local = base::clock::japan().to_datetime(visit.app.clock().now());
    let time = local.strftime("%H:%M").to_string();
    let at = match visit.actor.centre_id {
        Some(_) => ReceivedAt::Centre,
        None => ReceivedAt::City,
    };
    let page = visit.app.db().read(&visit.actor, |tx| {
        let consultation = visit.query.trimmed("consultation").to_owned();
        let mut resident = visit.query.trimmed("resident").to_owned();
        let mut content = String::new();
        if let Ok(id) = consultation.parse() {
            let (_, about, words) = sql::origin(tx, id)?.ok_or(Problem::NotFound)?;
            let seen = match about {
                Some(id) => sql::resident(tx, id)?.map(|person| person.id),
                None => None,
            };
            resident = seen.map(|id| id.to_string()).unwrap_or_default();
            content = words;
        }
        let start = [
            ("reported_on", today.as_str()),
            ("reported_at", time.as_str()),
            ("received_at", at.code()),
            ("case_type", CaseType::Carer.code()),
            ("resident", resident.as_str()),
            ("consultation", consultation.as_str()),
            ("content", content.as_str()),
        ];
        let typed = Fields::from_pairs(start.into_iter()).unwrap_or_default();
        intake_page(visit, tx, typed, Vec::new())
    })?;
    visit.page(&page)
}

pub(super) fn create(visit: &Visit) -> Answer {
    let instant = visit.app.clock().now();
    let (by, now, token) = (visit.signed_in()?.staff_id, now(visit), visit.submission());
    let today = visit.today();
    let case = visit.app.db().write(&visit.actor, |tx| {
        if let Some(first) = sql::by_submission(tx, &token)? {
            let again = redirect(&format!("/abuse-cases/{first}?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        let looked = looked(tx, &visit.form, None)?;
        let (known, reporter) = match form::intake(&visit.form, looked, instant) {
            Ok(checked) => checked,
            Err(problems) => return Err(refused(visit, tx, problems)?),
        };
        let consultation = match visit.form.trimmed("consultation") {
            "" => None,
            typed => Some(typed.parse().or(Err(Problem::NotFound))?),
        };
        if let Some(id) = consultation {
            sql::origin(tx, id)?.ok_or(Problem::NotFound)?;
        }
        let new = NewCase {
            centre: visit.actor.centre_id,
            consultation,
            submission: &token,
            known: &known,
            reporter: &reporter,
        };
        let case = sql::receive(tx, &new, today, (by, &now))?;
        name_managers(visit, tx, case, (by, &now))?;
        if let (Some(consultation), "1") = (consultation, visit.form.get("take")) {
            sql::take(tx, case, consultation, "通報として受理した", (by, &now))?;
        }
        let event = event(Operation::AbuseReceive, case, known.resident);
        Ok(tx.audited(event, case))
    })?;
    Ok(redirect(&format!("/abuse-cases/{case}?done=saved")))
}

fn refused(
    visit: &Visit,
    tx: &WriteTx<'_>,
    problems: Vec<FieldProblem>,
) -> Result<Problem, Problem> {
    let page = intake_page(visit, tx, visit.form.clone(), problems)?;
    let page = visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)?;
    Ok(Problem::Page(Box::new(page)))
}

/// The managers that were ticked, out of those who were offered.
fn name_managers(
    visit: &Visit,
    tx: &WriteTx<'_>,
    case: CaseId,
    hand: (StaffId, &str),
) -> Result<(), Problem> {
    let offered = offered(visit, tx, &visit.form)?;
    let ticked = offered.iter().filter(|(id, _)| {
        visit
            .form
            .all("managers")
            .any(|typed| typed == id.to_string())
    });
    for (no, (staff, _)) in (2..).zip(ticked) {
        let member = NewMember {
            staff: *staff,
            may_write: true,
            reads_reporter: false,
            starts_on: visit.today(),
            ends_on: None,
            reason: "受理のときに加えた（センター長・主任ケアマネ）".to_owned(),
        };
        sql::insert_member(tx, (case, no), &member, hand)?;
    }
    Ok(())
}

/// May this person know who reported it? For looking whether a text tells.
pub(super) fn readable_reporter(
    visit: &Visit,
    tx: &ReadTx<'_>,
    case: &Case,
) -> Result<Option<super::model::Reporter>, Problem> {
    if !visit.may(Permission::AbuseReporterRead) {
        return Ok(None);
    }
    Ok(sql::newest_reporter(tx, case.id)?)
}
