//! Steps: written down, corrected by a later row, taken back.

use askama::Template;
use axum::http::StatusCode;
use store::{Operation, WriteTx};

use super::corrections::ReasonPage;
use super::model::{
    Case, ClosingReason, Judgement, Method, Power, Safety, Severity, Step, StepKind, Urgent,
};
use super::view::{self, Choice};
use super::{form, pages, store as sql};
use crate::web::coded::Choices as _;
use crate::web::{
    Answer, FieldProblem, Fields, Permission, Problem, Shell, Visit, problem_of, redirect,
};

#[derive(Template)]
#[template(path = "features/abuse_cases/step.html")]
struct StepPage {
    shell: Shell,
    kind: StepKind,
    action: String,
    back: String,
    submission: String,
    corrects: Option<i64>,
    seen: i64,
    typed: Fields,
    problems: Vec<FieldProblem>,
}

impl StepPage {
    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }

    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }

    fn is(&self, code: &str) -> bool {
        self.kind.code() == code
    }

    fn options(&self, field: &'static str) -> Vec<Choice> {
        let typed = &self.typed;
        let empty = "選んでください";
        match field {
            "method" => view::choices(Method::choices(), field, typed, empty),
            "judgement" => view::choices(Judgement::choices(), field, typed, empty),
            "severity" => view::choices(Severity::choices(), field, typed, "選ばない"),
            "power" => view::choices(Power::choices(), field, typed, empty),
            "safety" => view::choices(Safety::choices(), field, typed, ""),
            "urgent" => view::choices(Urgent::choices(), field, typed, ""),
            _ => view::choices(ClosingReason::choices(), field, typed, empty),
        }
    }

    fn asks_name(&self) -> bool {
        let named =
            |problem: &FieldProblem| problem.text.starts_with("通報者の氏名が書かれています");
        self.value("name_kept") == "1" || self.problems.iter().any(named)
    }
}

fn page(
    visit: &Visit,
    case: &Case,
    (kind, corrects): (StepKind, Option<i64>),
    typed: Fields,
    problems: Vec<FieldProblem>,
) -> StepPage {
    let here = format!("/abuse-cases/{}", case.id);
    let title = match corrects {
        Some(_) => format!("{}の記録を訂正する", kind.label()),
        None => format!("{}を記録する", kind.label()),
    };
    // Whoever comes back with a form decides on what they saw when they opened it.
    let seen = typed.trimmed("seen").parse().ok();
    StepPage {
        shell: pages::shell(visit, case, &title),
        kind,
        action: format!("{here}/steps"),
        back: here,
        submission: visit.submission(),
        corrects,
        seen: seen.unwrap_or_else(|| case.newest_step()),
        typed,
        problems,
    }
}

/// May this person add such a step to such a case now?
fn allowed(visit: &Visit, case: &Case, kind: StepKind) -> Result<(), Problem> {
    let keeps = visit.may(Permission::AbuseKeep);
    if kind == StepKind::Reopening {
        pages::writable(visit, case)?;
        if !case.is_closed() {
            return Err(pages::late(visit, case, "この対応は終結していません。"));
        }
    } else {
        pages::open_only(visit, case)?;
    }
    if kind.is_of_city() && !keeps {
        let text = "これは市の権限と判断によるものです（高齢者虐待防止法 第9条・第11条ほか）。\
            市の担当者（長寿あんしん課）が記録します。";
        return Err(pages::not_theirs(visit, case, text));
    }
    if !kind.fits(case.known.case_type, keeps) {
        let text = "養介護施設従事者等による虐待は、市が対応します。センターは受け付けて、市へ引き継ぎます。";
        return Err(pages::not_theirs(visit, case, text));
    }
    Ok(())
}

pub(super) fn new(visit: &Visit) -> Answer {
    let kind = StepKind::from_code(visit.query.trimmed("kind")).ok_or(Problem::NotFound)?;
    let case = pages::open(visit, Operation::AbuseView)?;
    allowed(visit, &case, kind)?;
    let local = base::clock::japan().to_datetime(visit.app.clock().now());
    let (day, time) = (
        view::day_short(visit.today()),
        local.strftime("%H:%M").to_string(),
    );
    let start = [("held_on", day.as_str()), ("held_at", time.as_str())];
    let typed = Fields::from_pairs(start.into_iter()).unwrap_or_default();
    visit.page(&page(visit, &case, (kind, None), typed, Vec::new()))
}

/// The step that the address names, still counting.
fn standing<'c>(visit: &Visit, case: &'c Case, no: i64) -> Result<&'c Step, Problem> {
    let step = case.step(no).ok_or(Problem::NotFound)?;
    if !step.counts() {
        let text =
            "この記録は、ほかの人が先に訂正したか、取り下げています。いまの内容を見てください。";
        return Err(pages::late(visit, case, text));
    }
    let city = step.words.kind.is_of_city() && !visit.may(Permission::AbuseKeep);
    if city {
        let text = "市の記録です。訂正・取下げは、市の担当者（長寿あんしん課）が行います。";
        return Err(pages::not_theirs(visit, case, text));
    }
    if case.is_closed() && !visit.may(Permission::AbuseKeep) {
        pages::open_only(visit, case)?;
    }
    Ok(step)
}

pub(super) fn edit(visit: &Visit) -> Answer {
    let no: i64 = visit.param("step")?;
    let case = pages::open(visit, Operation::AbuseView)?;
    pages::writable(visit, &case)?;
    let step = standing(visit, &case, no)?;
    let typed = view::typed_step(&step.words);
    let kind = step.words.kind;
    visit.page(&page(visit, &case, (kind, Some(no)), typed, Vec::new()))
}

pub(super) fn create(visit: &Visit) -> Answer {
    let id = pages::id_of(visit)?;
    visit.app.db().write(&visit.actor, |tx| {
        let case = pages::load(visit, tx)?;
        let token = visit.submission();
        if sql::step_of(tx, &token)? == Some(id) {
            let again = redirect(&format!("/abuse-cases/{id}?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        save(visit, tx, &case, &token)
    })?;
    Ok(redirect(&format!("/abuse-cases/{id}?done=saved")))
}

/// The step in whose place this one stands. A number that is none must not become a step of its own.
fn corrected(visit: &Visit) -> Result<Option<i64>, Problem> {
    match visit.form.trimmed("corrects") {
        "" => Ok(None),
        typed => typed.parse().map(Some).or(Err(Problem::NotFound)),
    }
}

fn save(
    visit: &Visit,
    tx: &WriteTx<'_>,
    case: &Case,
    token: &str,
) -> Result<store::Audited<()>, Problem> {
    let corrects = corrected(visit)?;
    let kind = match corrects {
        Some(no) => {
            pages::writable(visit, case)?;
            standing(visit, case, no)?.words.kind
        }
        None => {
            let typed = StepKind::from_code(visit.form.trimmed("step_kind"));
            let Some(kind) = typed else {
                let problem = FieldProblem {
                    field: "steps",
                    text: "何を記録するかを選んでください。".to_owned(),
                };
                return Err(super::show::not_yet(visit, tx, case, vec![problem]));
            };
            allowed(visit, case, kind)?;
            kind
        }
    };
    let reporter = pages::readable_reporter(visit, tx, case)?;
    let now = visit.app.clock().now();
    let checked = form::step(
        &visit.form,
        kind,
        corrects.is_some(),
        now,
        reporter.as_ref(),
    );
    let (words, reason) = match checked {
        Ok(checked) => checked,
        Err(problems) => return Err(not_yet(visit, case, (kind, corrects), problems)),
    };
    fresh(visit, case, kind)?;
    let by = visit.signed_in()?.staff_id;
    let no = case.newest_step().saturating_add(1);
    let stamp = pages::now(visit);
    let corrected = corrects.map(|no| (no, reason.as_str()));
    sql::insert_step(tx, (case.id, no), &words, corrected, token, (by, &stamp))?;
    let words = format!("{} 番号={no}", kind.label());
    let operation = match corrects {
        Some(_) => Operation::AbuseCorrect,
        None => Operation::AbuseStep,
    };
    Ok(tx.audited(pages::event_with(operation, case, &words), ()))
}

fn not_yet(
    visit: &Visit,
    case: &Case,
    what: (StepKind, Option<i64>),
    problems: Vec<FieldProblem>,
) -> Problem {
    let page = page(visit, case, what, visit.form.clone(), problems);
    match visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page) {
        Ok(page) => Problem::Page(Box::new(page)),
        Err(problem) => problem,
    }
}

/// A judgement or an end is written by somebody who has read all that was written before.
fn fresh(visit: &Visit, case: &Case, kind: StepKind) -> Result<(), Problem> {
    let seen: i64 = visit.form.trimmed("seen").parse().unwrap_or(0);
    if !kind.decides() || seen == case.newest_step() {
        return Ok(());
    }
    let newest = case.step(case.newest_step());
    let by = newest.map_or_else(String::new, |step| {
        let at = view::moment(&step.at);
        format!(
            "{} さんが {at} に「{}」を記録しました。",
            step.by,
            step.words.kind.label()
        )
    });
    let text = format!("画面を開いたあとに、{by}読んでから、もう一度記録してください。");
    Err(pages::late(visit, case, &text))
}

fn withdrawal_page(visit: &Visit, case: &Case, no: i64, problems: Vec<FieldProblem>) -> ReasonPage {
    let here = format!("/abuse-cases/{}", case.id);
    ReasonPage {
        shell: pages::shell(visit, case, "経過の記録を取り下げる"),
        sentence: "まちがって記録したときに取り下げます。内容を直すだけのときは「訂正する」を使ってください。\
            記録は残り、読むことはできます。",
        action: format!("{here}/steps/{no}/withdrawal"),
        back: here,
        label: "取り下げる理由",
        button: "取り下げる",
        typed: visit.form.get("reason").to_owned(),
        problems,
    }
}

pub(super) fn ask(visit: &Visit) -> Answer {
    let no: i64 = visit.param("step")?;
    let case = pages::open(visit, Operation::AbuseView)?;
    pages::writable(visit, &case)?;
    standing(visit, &case, no)?;
    visit.page(&withdrawal_page(visit, &case, no, Vec::new()))
}

pub(super) fn withdraw(visit: &Visit) -> Answer {
    let no: i64 = visit.param("step")?;
    let (by, now) = (visit.signed_in()?.staff_id, pages::now(visit));
    let case = visit.app.db().write(&visit.actor, |tx| {
        let case = pages::load(visit, tx)?;
        pages::writable(visit, &case)?;
        standing(visit, &case, no)?;
        let reason = match form::reason(&visit.form, "reason", "取り下げる理由") {
            Ok(reason) => reason,
            Err(problems) => {
                let page = withdrawal_page(visit, &case, no, problems);
                let page = visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)?;
                return Err(Problem::Page(Box::new(page)));
            }
        };
        sql::insert_step_withdrawal(tx, (case.id, no), &reason, (by, &now))?;
        let words = format!("番号={no}");
        let event = pages::event_with(Operation::AbuseWithdraw, &case, &words);
        Ok(tx.audited(event, case.id))
    })?;
    Ok(redirect(&format!("/abuse-cases/{case}?done=withdrawn")))
}
