//! The form of a correction, saving it, ending one.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, RecordKind, ResidentId, StaffId, SystemReason, WriteTx};

use super::form::{self, FieldProblem};
use super::model::{Field, FieldState, Typed};
use super::store::{self as sql, Eyes};
use super::view;
use crate::features::imports::reindex;
use crate::features::residents::person::{Look, ShieldReason, ask_reason, id_of, open};
use crate::web::{Answer, Fields, Problem, Shell, Visit, redirect, typed_words};

#[derive(Template)]
#[template(path = "features/residents/corrections/correction.html")]
struct CorrectionPage {
    shell: Shell,
    id: i64,
    field: &'static str,
    label: &'static str,
    hint: &'static str,
    state: view::StateWords,
    state_key: String,
    shield_reason: String,
    typed: Fields,
    problems: Vec<FieldProblem>,
    conflict: Option<view::ConflictWords>,
}

impl CorrectionPage {
    fn of(&self, field: &str) -> &str {
        self.problems
            .iter()
            .find(|p| p.field == field)
            .map_or("", |p| p.text.as_str())
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }
}

#[derive(Template)]
#[template(path = "features/residents/corrections/read_only.html")]
struct ReadOnlyPage {
    shell: Shell,
    id: i64,
    typed: Vec<crate::web::Typed>,
}

/// Which field of whom, and what was typed so far.
struct Desk<'v> {
    visit: &'v Visit,
    id: ResidentId,
    field: Field,
    staff: StaffId,
}

impl<'v> Desk<'v> {
    fn at(visit: &'v Visit, fields: &Fields) -> Result<Self, Problem> {
        Ok(Self {
            visit,
            id: id_of(visit)?,
            field: Field::from_code(fields.trimmed("field")).ok_or(Problem::NotFound)?,
            staff: visit.signed_in()?.staff_id,
        })
    }

    fn page(&self, state: &FieldState, problems: Vec<FieldProblem>) -> CorrectionPage {
        let title = format!("{}を訂正する", self.field.label());
        let person = format!("/residents/{}", self.id);
        CorrectionPage {
            shell: Shell::new(self.visit, title)
                .under(&[("住民をさがす", "/residents"), ("個人画面", &person)]),
            id: self.id.0,
            field: self.field.code(),
            label: self.field.label(),
            hint: view::hint(self.field),
            state: view::state(self.field, state),
            state_key: view::state_key(state),
            shield_reason: self.visit.form.get("shield_reason").to_owned(),
            typed: self.visit.form.clone(),
            problems,
            conflict: None,
        }
    }

    /// 422: the form with what is wrong in it. It shows the person: one look, written down.
    fn refuse(&self, problems: Vec<FieldProblem>) -> Answer {
        match self.opened(self.reason())? {
            Look::Open(state) => {
                let page = self.page(&state, problems);
                self.visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
            }
            Look::Shielded => self.ask_reason(),
        }
    }

    /// What stands in the way of writing, as a page.
    fn object(&self, state: &FieldState, objection: Objection) -> Answer {
        match objection {
            Objection::Late => {
                let typed = self.visit.form.trimmed("value");
                let mut page = self.page(state, Vec::new());
                page.shell.title = "ほかの人が先に変えました".to_owned();
                page.conflict = Some(view::conflict(self.field, state, typed));
                self.visit.page_as(StatusCode::CONFLICT, &page)
            }
            Objection::Same(text) => {
                let problem = FieldProblem {
                    field: "value",
                    text: text.to_owned(),
                };
                let page = self.page(state, vec![problem]);
                self.visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
            }
        }
    }

    /// The form as opened: one look at the person, written down.
    fn opened(&self, reason: Option<ShieldReason>) -> Result<Look<FieldState>, Problem> {
        let detail = format!("form={}", self.field.code());
        open(self.visit, self.id, reason, &detail, |tx| {
            sql::state(tx, Eyes::Viewer, self.id, self.field)?.ok_or(Problem::NotFound)
        })
    }

    /// The field through the viewer's eyes, before the system writes; a refusal is written down.
    fn seen(&self, operation: Operation) -> Result<FieldState, Problem> {
        let state = self.visit.app.db().read(&self.visit.actor, |tx| {
            sql::state(tx, Eyes::Viewer, self.id, self.field)
        })?;
        state.ok_or_else(|| refused(self.visit, self.id, operation))
    }

    /// 403: she is read and not written about; what was typed stays readable.
    fn writable(&self, state: &FieldState) -> Result<(), Problem> {
        if state.writable {
            return Ok(());
        }
        let words = ["value", "reason", "ending_reason"];
        let pairs = self.visit.form.pairs();
        let page = ReadOnlyPage {
            shell: Shell::new(self.visit, "閲覧だけできる方です")
                .under(&[("住民をさがす", "/residents")]),
            id: self.id.0,
            typed: typed_words(pairs.filter(|(name, _)| words.contains(name))),
        };
        let page = self.visit.page_as(StatusCode::FORBIDDEN, &page)?;
        Err(Problem::Page(Box::new(page)))
    }

    /// The reason that the form of a shielded person carries.
    fn reason(&self) -> Option<ShieldReason> {
        ShieldReason::from_code(self.visit.form.trimmed("shield_reason"))
    }

    fn ask_reason(&self) -> Answer {
        let kept = ["value", "reason", "ending_reason"]
            .into_iter()
            .map(|name| (name.to_owned(), self.visit.form.get(name).to_owned()))
            .filter(|(_, value)| !value.is_empty());
        let field = ("field".to_owned(), self.field.code().to_owned());
        ask_reason(
            self.visit,
            self.id,
            std::iter::once(field).chain(kept).collect(),
        )
    }

    fn done(&self, key: &str) -> crate::web::Response {
        redirect(&format!("/residents/{}?done={key}", self.id))
    }
}

/// Why a checked form is not written.
enum Objection {
    /// The state is not the one that the form was opened on.
    Late,
    /// It would change nothing.
    Same(&'static str),
}

/// Writes down that somebody reached for a person outside their scope.
fn refused(visit: &Visit, id: ResidentId, operation: Operation) -> Problem {
    let written = visit.app.db().write(&visit.actor, |tx| {
        let event = Event::refused(operation)
            .about(id)
            .on(RecordKind::Resident, id.0);
        Ok::<_, Problem>(tx.audited(event, ()))
    });
    written.err().unwrap_or(Problem::NotFound)
}

pub(super) fn new(visit: &Visit) -> Answer {
    let desk = Desk::at(visit, &visit.query)?;
    match desk.opened(None)? {
        Look::Open(state) => {
            desk.writable(&state)?;
            visit.page(&desk.page(&state, Vec::new()))
        }
        Look::Shielded => desk.ask_reason(),
    }
}

/// The form for a shielded person, once the reason was given.
pub(in crate::features::residents) fn form_after_reason(
    visit: &Visit,
    reason: ShieldReason,
) -> Answer {
    let desk = Desk::at(visit, &visit.form)?;
    match desk.opened(Some(reason))? {
        Look::Open(state) => {
            desk.writable(&state)?;
            visit.page(&desk.page(&state, Vec::new()))
        }
        Look::Shielded => Err(Problem::Fault("a given reason opened nothing")),
    }
}

pub(super) fn create(visit: &Visit) -> Answer {
    let desk = Desk::at(visit, &visit.form)?;
    let seen = desk.seen(Operation::ResidentCorrect)?;
    if seen.shielded && desk.reason().is_none() {
        return desk.ask_reason();
    }
    desk.writable(&seen)?;
    let typed = match form::check(desk.field, &visit.form) {
        Ok(typed) => typed,
        Err(problems) => return desk.refuse(problems),
    };
    let now = format!("{:.6}", visit.app.clock().now());
    let db = visit.app.db();
    let refused = db.system(&visit.actor, SystemReason::Reindex, |tx| {
        let state = desk.again(tx, &seen)?;
        if desk.was_sent_before(&state, &typed) {
            return Err(Problem::Page(Box::new(desk.done("again"))));
        }
        if let Some(objection) = desk.objection(&state, &typed) {
            let event = desk.refused(Operation::ResidentCorrect);
            return Ok(tx.audited(event, Some((state, objection))));
        }
        let stamp = (desk.staff, now.as_str());
        let mut others = Vec::new();
        if let Some(former) = state.holding() {
            let replaced = (former.id, sql::REPLACED);
            others.push(sql::end(tx, desk.id, desk.field, replaced, stamp)?);
        }
        let first = sql::insert(tx, desk.id, desk.field, view::plain(&typed), stamp)?;
        reindex(tx, desk.id)?;
        Ok(tx.audited_all(first, others, None))
    })?;
    match refused {
        None => Ok(desk.done("corrected")),
        Some((state, objection)) => desk.object(&state, objection),
    }
}

impl Desk<'_> {
    /// The state inside the system's transaction, which has no viewer: if she moved or was
    /// shielded since the viewer looked, she is not there.
    fn again(&self, tx: &WriteTx<'_>, seen: &FieldState) -> Result<FieldState, Problem> {
        let state = sql::state(tx, Eyes::System, self.id, self.field)?;
        state
            .filter(|state| state.is_as_visible_as(seen))
            .ok_or(Problem::NotFound)
    }

    fn was_sent_before(&self, state: &FieldState, typed: &Typed) -> bool {
        state.holding().is_some_and(|known| {
            known.staff == self.staff && known.value == typed.value && known.reason == typed.reason
        })
    }

    fn objection(&self, state: &FieldState, typed: &Typed) -> Option<Objection> {
        let same = |known| view::says_the_same(self.field, known, &typed.value);
        if self.visit.form.get("state") != view::state_key(state) {
            Some(Objection::Late)
        } else if same(state.shown()) {
            Some(Objection::Same(
                "いまの値と同じです。違う値を入力してください。",
            ))
        } else if same(&state.register) {
            Some(Objection::Same(
                "住民記録の値と同じです。下の「訂正を終える」を使ってください。",
            ))
        } else {
            None
        }
    }

    /// A page with her data follows a refused form, so it leaves an entry too.
    fn refused(&self, operation: Operation) -> Event {
        Event::refused(operation)
            .about(self.id)
            .on(RecordKind::Resident, self.id.0)
            .detail(self.field.code())
    }
}

pub(super) fn end(visit: &Visit) -> Answer {
    let (id, correction) = (id_of(visit)?, visit.param::<i64>("correction")?);
    let db = visit.app.db();
    let field = db.read(&visit.actor, |tx| sql::field_of(tx, id, correction))?;
    let Some(field) = field else {
        return Err(refused(visit, id, Operation::ResidentCorrectionEnd));
    };
    let staff = visit.signed_in()?.staff_id;
    let desk = Desk {
        visit,
        id,
        field,
        staff,
    };
    let seen = desk.seen(Operation::ResidentCorrectionEnd)?;
    if seen.shielded && desk.reason().is_none() {
        return desk.ask_reason();
    }
    desk.writable(&seen)?;
    let reason = match form::check_ending(&visit.form) {
        Ok(reason) => reason,
        Err(problem) => return desk.refuse(vec![problem]),
    };
    let now = format!("{:.6}", visit.app.clock().now());
    let refused = db.system(&visit.actor, SystemReason::Reindex, |tx| {
        let state = desk.again(tx, &seen)?;
        let known = state.find(correction).ok_or(Problem::NotFound)?;
        if let Some(ending) = &known.ending {
            if ending.staff == Some(staff) && ending.reason == reason.as_str().into() {
                return Err(Problem::Page(Box::new(desk.done("again"))));
            }
            let event = desk.refused(Operation::ResidentCorrectionEnd);
            return Ok(tx.audited(event, Some(state)));
        }
        let event = sql::end(tx, id, field, (correction, &reason), (staff, &now))?;
        reindex(tx, id)?;
        Ok(tx.audited(event, None))
    })?;
    match refused {
        None => Ok(desk.done("ended")),
        Some(state) => desk.object(&state, Objection::Late),
    }
}
