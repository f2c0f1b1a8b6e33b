//! A record as it was, beside what it says today.
//!
//! Shape: [`Compared::read`] finds today's record through the viewer's eyes first, then the former state,
//! then leaves the entry; only that is shown.

use askama::Template;
use axum::http::StatusCode;
use jiff::Timestamp;
use store::{Event, Operation, ReadTx};

use super::asked::Asked;
use super::model::{Lens, Part, Place, Record, Said};
use super::openings::Stage;
use super::view::{self, Line, PartWords, PointWords};
use crate::web::{Answer, Choice, FieldProblem, Permission, Problem, Shell, Visit, problem_of};

/// Longest list of points on one page; older ones are reached by day and time.
const POINTS_SHOWN: usize = 30;

/// Why there is no former state to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nothing {
    /// It never changed.
    Unchanged,
    /// It was not there yet, as far as this place knows.
    NotYet,
    /// The copy is closed, or not there yet.
    Closed,
    /// The copy does not have this record.
    Elsewhere,
}

/// Today's record with a former state, as far as there is one.
pub(super) struct Compared<R: Record> {
    pub(super) record: R,
    pub(super) then: Result<Then<R>, Nothing>,
    pub(super) said_now: Vec<Said>,
    pub(super) parts_now: Vec<Part>,
}

/// A former state and where it was found.
pub(super) struct Then<R: Record> {
    pub(super) state: R::State,
    pub(super) said: Vec<Said>,
    pub(super) parts: Vec<Part>,
    /// The moment that is shown.
    pub(super) at: Timestamp,
    /// What was looked at, in words.
    pub(super) source: String,
    /// As the access log tells it.
    pub(super) told: String,
}

/// What a look found.
pub(super) enum Look<R: Record> {
    /// Under 支援措置, and no reason was given yet.
    Shielded(R),
    Open(Box<Compared<R>>),
}

impl<R: Record> Compared<R> {
    /// Finds both; nothing is written down yet.
    pub(super) fn find(visit: &Visit, asked: &Asked) -> Result<Look<R>, Problem> {
        if !visit.may(R::READS) {
            return Err(Problem::Forbidden);
        }
        let db = visit.app.db();
        let record = db.read(&visit.actor, |tx| R::load(visit, tx))?;
        if record.shielded() && asked.reason.is_none() {
            return Ok(Look::Shielded(record));
        }
        let then = match asked.opening {
            None => own(visit, &record, asked)?,
            Some(_) => copied(visit, &record, asked)?,
        };
        let parts_now = match then {
            Ok(_) => db.read(&visit.actor, |live| record.parts(visit, lens(live, None)))?,
            Err(_) => Vec::new(),
        };
        let said_now = match record.state_at(None) {
            Some(state) => record.said(visit, &state),
            None => Vec::new(),
        };
        Ok(Look::Open(Box::new(Self {
            said_now,
            parts_now,
            then,
            record,
        })))
    }

    /// As [`Compared::find`], with an entry of the access log before anything is shown.
    pub(super) fn read(
        visit: &Visit,
        asked: &Asked,
        operation: Operation,
    ) -> Result<Look<R>, Problem> {
        let look = Self::find(visit, asked)?;
        let event = match &look {
            Look::Shielded(record) => record.entry(Event::refused(operation), "shield=no-reason"),
            Look::Open(found) => {
                let shield = asked.reason.filter(|_| found.record.shielded());
                let shield = shield.map(|reason| format!("shield={}", reason.code()));
                let told = found.then.as_ref().map_or("nothing", |then| &then.told);
                let words: Vec<&str> = [told].into_iter().chain(shield.as_deref()).collect();
                let event = Event::done(operation);
                found.record.entry(event, &words.join(" "))
            }
        };
        visit
            .app
            .db()
            .view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
        Ok(look)
    }
}

/// This database, as it stands or at a moment of its history.
fn lens<'l>(live: &'l ReadTx<'l>, at: Option<Timestamp>) -> Lens<'l> {
    Lens {
        live,
        past: None,
        at,
    }
}

/// In the record's own history.
fn own<R: Record>(
    visit: &Visit,
    record: &R,
    asked: &Asked,
) -> Result<Result<Then<R>, Nothing>, Problem> {
    let Some(at) = asked.at.or_else(|| newest_change(record)) else {
        return Ok(Err(Nothing::Unchanged));
    };
    let Some(state) = record.state_at(Some(at)) else {
        return Ok(Err(Nothing::NotYet));
    };
    let db = visit.app.db();
    let parts = db.read(&visit.actor, |live| {
        record.parts(visit, lens(live, Some(at)))
    })?;
    Ok(Ok(Then {
        parts,
        said: record.said(visit, &state),
        source: "この記録の履歴（訂正・取下げの控え。秒まで正確です）".to_owned(),
        told: format!("own at={at}"),
        state,
        at,
    }))
}

/// Just before the newest change; a record that never changed has none, and what is first of all its points
/// is a change only if something was there before it (the rows of her first import may be gone).
fn newest_change<R: Record>(record: &R) -> Option<Timestamp> {
    let points = record.points();
    let (newest, earlier) = points.split_last()?;
    let before = view::just_before(newest.instant()?)?;
    let changed = !earlier.is_empty() || record.state_at(Some(before)).is_some();
    changed.then_some(before)
}

/// In a copy of the past. Its people are named as far as the viewer meets them today.
fn copied<R: Record>(
    visit: &Visit,
    record: &R,
    asked: &Asked,
) -> Result<Result<Then<R>, Nothing>, Problem> {
    let Some(id) = asked.opening else {
        return Ok(Err(Nothing::Closed));
    };
    let (db, now) = (visit.app.db(), visit.app.clock().now());
    let found = db.read(&visit.actor, |live| {
        let openings = visit.app.openings();
        openings.read(id, now, |past| {
            let then = record.same_in(live, past)?;
            let Some(state) = then.and_then(|then| then.state_at(None)) else {
                return Ok(None);
            };
            let lens = Lens {
                live,
                past: Some(past),
                at: None,
            };
            Ok(Some((state, record.parts(visit, lens)?)))
        })
    })?;
    let Some((origin, then)) = found else {
        return Ok(Err(Nothing::Closed));
    };
    let Some((state, parts)) = then else {
        return Ok(Err(Nothing::Elsewhere));
    };
    Ok(Ok(Then {
        said: record.said(visit, &state),
        source: super::overview::origin_words(&origin, now),
        told: origin.told(),
        at: origin.at(),
        parts,
        state,
    }))
}

#[derive(Template)]
#[template(path = "features/former_states/comparison.html")]
struct ComparisonPage {
    shell: Shell,
    href: String,
    place: PlaceWords,
    shielded: bool,
    shield_reason: &'static str,
    /// Of what is shown: moment and place.
    at: String,
    at_stored: String,
    source: String,
    /// Why nothing is shown, or nothing.
    nothing: &'static str,
    different: Vec<Line>,
    same: Vec<Line>,
    parts: Vec<PartWords>,
    /// Something differs, if not among the fields then among the parts.
    differs: bool,
    /// What stands beside a field that is not put back.
    theirs: &'static str,
    may_put_back: bool,
    /// Why nothing is put back, or nothing.
    read_only: &'static str,
    base: String,
    reason: String,
    late: bool,
    asked: Asked,
    points: Vec<PointWords>,
    older: usize,
    openings: Vec<Choice>,
    opening: String,
    query: String,
    may_fetch_bytes: bool,
    problems: Vec<FieldProblem>,
}

impl ComparisonPage {
    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }
}

struct PlaceWords {
    href: String,
    label: String,
    who: String,
}

/// What a form that came back brings along.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) fields: Vec<String>,
    pub(super) reason: String,
    pub(super) late: bool,
    pub(super) problems: Vec<FieldProblem>,
}

pub(super) fn page<R: Record>(visit: &Visit) -> Answer {
    let asked = Asked::read(&visit.query, visit.app.clock().now());
    let status = if asked.problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    shown::<R>(visit, asked, Typed::default(), status)
}

/// The comparison, with an entry, or the question before a shielded record.
pub(super) fn shown<R: Record>(
    visit: &Visit,
    asked: Asked,
    typed: Typed,
    status: StatusCode,
) -> Answer {
    match Compared::<R>::read(visit, &asked, R::LOOKS.0)? {
        Look::Shielded(record) => ask_reason(visit, &record, &asked, status),
        Look::Open(found) => visit.page_as(status, &drawn(visit, &found, asked, typed)),
    }
}

fn drawn<R: Record>(
    visit: &Visit,
    found: &Compared<R>,
    asked: Asked,
    typed: Typed,
) -> ComparisonPage {
    let (record, now) = (&found.record, visit.app.clock().now());
    let place = record.place();
    let chosen = if typed.fields.is_empty() && !typed.late {
        match &found.then {
            Ok(then) => view::offered(&then.said, &found.said_now),
            Err(_) => Vec::new(),
        }
    } else {
        typed.fields
    };
    let (different, same) = match &found.then {
        Ok(then) => view::lines(&then.said, &found.said_now, &chosen),
        Err(_) => (Vec::new(), Vec::new()),
    };
    let parts = match &found.then {
        Ok(then) => view::parts(&then.parts, &found.parts_now),
        Err(_) => Vec::new(),
    };
    let ours = different.iter().any(|line| line.ours);
    let may_write = visit.may(R::WRITES) && record.writable();
    let shown_at = found.then.as_ref().ok().map(|then| then.at);
    let mut points = view::points(
        &record.points(),
        shown_at.filter(|_| asked.opening.is_none()),
    );
    let older = points.len().saturating_sub(POINTS_SHOWN);
    points.truncate(POINTS_SHOWN);
    let shielded = record.shielded();
    let mut problems = asked.problems.clone();
    problems.extend(typed.problems);
    ComparisonPage {
        shell: shell(visit, &place),
        href: format!("{}/former-state", place.href),
        shielded,
        shield_reason: asked
            .reason
            .filter(|_| shielded)
            .map_or("", |reason| reason.code()),
        at: shown_at.map(view::instant).unwrap_or_default(),
        at_stored: shown_at.map_or_else(String::new, |at| format!("{at:.6}")),
        source: found
            .then
            .as_ref()
            .map_or_else(|_| String::new(), |then| then.source.clone()),
        nothing: found
            .then
            .as_ref()
            .err()
            .map_or("", |why| why_nothing(*why)),
        differs: !different.is_empty() || parts.iter().any(|part| !part.different.is_empty()),
        parts,
        theirs: R::THEIRS,
        may_put_back: ours && may_write,
        read_only: if ours && !may_write {
            record.read_only()
        } else {
            ""
        },
        base: record.key(),
        reason: typed.reason,
        late: typed.late,
        openings: openings(visit, &asked, now),
        opening: asked.opening.map_or_else(String::new, |id| id.to_string()),
        query: asked.query(),
        may_fetch_bytes: record.lacks_bytes(visit)
            && visit.may(Permission::AttachmentWrite)
            && visit.app.openings().has_source(),
        place: PlaceWords {
            href: place.href,
            label: place.label,
            who: view::who(&place.who),
        },
        different,
        same,
        asked,
        points,
        older,
        problems,
    }
}

fn why_nothing(why: Nothing) -> &'static str {
    match why {
        Nothing::Unchanged => "この記録は、作られてから一度も変わっていません。",
        Nothing::NotYet => {
            "その時点には、まだありませんでした（または、その時点の内容はこの記録の履歴からは分かりません。\
             バックアップの控えを開いて確かめてください）。"
        }
        Nothing::Closed => {
            "その控えは、もう開いていません（15分使わないと閉じます）。「以前の状態」から開き直してください。"
        }
        Nothing::Elsewhere => {
            "その控えには、この記録がありません。まだ作られていなかった時点です。"
        }
    }
}

/// Where else can be looked.
fn openings(visit: &Visit, asked: &Asked, now: Timestamp) -> Vec<Choice> {
    let all = visit.app.openings().all(now);
    let ready = all.into_iter().filter(|one| one.stage == Stage::Ready);
    let copies: Vec<Choice> = ready
        .map(|one| Choice {
            value: one.id.to_string(),
            label: super::overview::origin_words(&one.origin, now),
            selected: asked.opening == Some(one.id),
        })
        .collect();
    if copies.is_empty() {
        return copies;
    }
    let own = Choice {
        value: String::new(),
        label: "この記録の履歴".to_owned(),
        selected: asked.opening.is_none(),
    };
    std::iter::once(own).chain(copies).collect()
}

fn shell(visit: &Visit, place: &Place) -> Shell {
    let above = [place.above, (place.label.as_str(), place.href.as_str())];
    // The title stays in the browser's history: no name.
    Shell::new(visit, format!("{} の以前の状態", place.label)).under(&above)
}

#[derive(Template)]
#[template(path = "features/former_states/shielded.html")]
pub(super) struct ShieldedPage {
    pub(super) shell: Shell,
    pub(super) href: String,
    pub(super) back: String,
    pub(super) at: String,
    pub(super) opening: String,
    pub(super) reasons: Vec<Choice>,
    pub(super) problems: Vec<FieldProblem>,
}

impl ShieldedPage {
    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }
}

/// The question before a shielded person's record; nothing of it is on the page.
fn ask_reason<R: Record>(visit: &Visit, record: &R, asked: &Asked, status: StatusCode) -> Answer {
    let place = record.place();
    let missing = FieldProblem {
        field: "shield_reason",
        text: "開く理由を選んでください。".to_owned(),
    };
    let problems = if status == StatusCode::OK {
        Vec::new()
    } else {
        vec![missing]
    };
    visit.page_as(
        status,
        &ShieldedPage {
            shell: shell(visit, &place),
            href: format!("{}/former-state", place.href),
            at: asked.at.map_or_else(String::new, |at| format!("{at:.6}")),
            opening: asked.opening.map_or_else(String::new, |id| id.to_string()),
            back: place.href,
            reasons: view::reasons(asked.reason),
            problems,
        },
    )
}
