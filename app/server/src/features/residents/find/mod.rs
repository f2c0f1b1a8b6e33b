//! Find: one box for name, number, date of birth, telephone and address.
//!
//! Shape: [`query`] reads what was typed, [`store`] asks it as one statement through the scoped
//! views, `view` gives the words. The same address answers a whole page, or with `part=1` its
//! list alone, which the script of the page puts in place while somebody types.
//! Access log: a whole page that looked for something leaves `resident_find` with the kinds of
//! words, the count and a keyed mark of the folded words, never the words. The parts leave one for
//! a burst, when they showed somebody: a write for each keystroke would hold the one writer and
//! bury the log, and none at all would let a name be read unseen.
//! Limits: 200 characters, 1,000 people, 50 a page.
//! Not here: people outside the scope (`features/inquiries`), the person's own page.

mod model;
mod query;
mod store;
#[cfg(test)]
mod tests;
mod view;

use ::store::{Event, Operation, ReadTx, RecordKind, ResidentId, Scope, StoreError};
use askama::Template;
use jiff::{SignedDuration, Timestamp};

use self::model::{Contacts, Ending, Filter, Hit, Rank};
use self::query::Query;
use self::store as sql;
use self::view::{Choice, Pages, RowWords};
use crate::features::masters;
use crate::web::limits::ROWS_PER_PAGE;
use crate::web::{Answer, Fields, Permission, Problem, Shell, Visit};

/// Parts within this time are one search that somebody is typing.
const BURST: SignedDuration = SignedDuration::from_secs(60);

/// The consultation whose client is looked for.
struct Picking {
    id: i64,
    number: String,
}

/// The list, or what stands in its place.
struct Results {
    csrf: String,
    problem: String,
    asked: bool,
    narrowed: bool,
    count: String,
    rows: Vec<RowWords>,
    pages: Pages,
    advice: Vec<String>,
    recent: Vec<RowWords>,
    picking: Option<Picking>,
    shows_centre: bool,
    may_write: bool,
    /// Where a record begins about somebody whom nobody has found; a section has no such.
    unknown: Option<&'static str>,
    may_inquire: bool,
}

#[derive(Template)]
#[template(path = "features/residents/find/find.html")]
struct FindPage {
    shell: Shell,
    filter: Filter,
    areas: Vec<Choice>,
    contacts: Vec<Choice>,
    ending: Vec<Choice>,
    results: Results,
}

#[derive(Template)]
#[template(path = "features/residents/find/part.html")]
struct PartPage {
    results: Results,
}

/// What one request asks for.
struct Asked {
    query: Query,
    problem: String,
    filter: Filter,
    page: usize,
}

impl Asked {
    fn read(fields: &Fields) -> Self {
        let (query, problem) = match query::read(fields.get("q")) {
            Ok(query) => (query, String::new()),
            Err(why) => (Query::default(), view::unread(why)),
        };
        let area = fields.trimmed("area");
        Self {
            query,
            problem,
            filter: Filter {
                certified: fields.get("certified") == "1",
                ending: Ending::of(fields.trimmed("ending")),
                elders: fields.get("elders") == "1",
                area: (!area.is_empty()).then(|| area.to_owned()),
                contacts: match fields.get("contacts") {
                    "any" => Contacts::Any,
                    "own" => Contacts::Own,
                    _ => Contacts::Everyone,
                },
            },
            page: fields.trimmed("page").parse().unwrap_or(1),
        }
    }

    /// Is there anything to look for?
    fn looks(&self) -> bool {
        self.problem.is_empty() && !(self.query.is_empty() && self.filter.is_empty())
    }
}

/// What the database answered.
struct Found {
    hits: Vec<Hit>,
    page: usize,
    rows: Vec<RowWords>,
    recent: Vec<RowWords>,
}

pub(super) fn find(visit: &Visit) -> Answer {
    let asked = Asked::read(&visit.query);
    let whole = visit.query.get("part") != "1";
    let (found, picking, areas) = visit.app.db().read(&visit.actor, |tx| {
        let picking = picking(visit, tx)?;
        let areas = if whole {
            sql::areas(tx, visit.actor.centre_id, visit.today())?
        } else {
            Vec::new()
        };
        Ok::<_, Problem>((look(visit, tx, &asked)?, picking, areas))
    })?;
    if asked.looks() && (whole || begins_burst(visit, &found)?) {
        let event =
            Event::done(Operation::ResidentFind).detail(in_log(visit, &asked, &found, whole));
        let event = match &picking {
            Some(picking) => event.on(RecordKind::Consultation, picking.id),
            None => event,
        };
        visit
            .app
            .db()
            .write(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    }
    let results = results(visit, &asked, found, picking);
    if !whole {
        return visit.page(&PartPage { results });
    }
    visit.page(&FindPage {
        shell: Shell::new(visit, "住民をさがす")
            .under(&[])
            .looking_for(visit.query.get("q")),
        areas: view::areas(&areas, &asked.filter),
        contacts: view::contacts(&asked.filter),
        ending: view::ending(&asked.filter),
        filter: asked.filter,
        results,
    })
}

/// What the log says of a search.
fn in_log(visit: &Visit, asked: &Asked, found: &Found, whole: bool) -> String {
    let count = found.hits.len().min(sql::HITS_MAX);
    let part = if whole { "" } else { "part " };
    let folded = base::text::kanji_key(visit.query.get("q"));
    let mark = if folded.is_empty() {
        String::new()
    } else {
        format!(" terms={}", visit.app.db().term_mark(&folded))
    };
    format!("{part}{} {count}{mark}", asked.query.kinds())
}

/// Does this part show somebody, and did none of the last minute?
fn begins_burst(visit: &Visit, found: &Found) -> Result<bool, Problem> {
    if found.rows.is_empty() {
        return Ok(false);
    }
    let staff = visit.signed_in()?.staff_id;
    let since = visit.app.clock().now().checked_sub(BURST);
    let since = format!("{:.6}", since.unwrap_or(Timestamp::MIN));
    let db = visit.app.db();
    let logged = db.read(&visit.actor, |tx| sql::part_logged(tx, staff, &since))?;
    Ok(!logged)
}

/// `for=ID`: the list offers to make somebody the client of this consultation.
fn picking(visit: &Visit, tx: &ReadTx<'_>) -> Result<Option<Picking>, Problem> {
    let text = visit.query.trimmed("for");
    if text.is_empty() || !visit.may(Permission::ConsultationWrite) {
        return Ok(None);
    }
    let id = text.parse().or(Err(Problem::NotFound))?;
    let number = sql::consultation(tx, id)?.ok_or(Problem::NotFound)?;
    Ok(Some(Picking { id, number }))
}

fn look(visit: &Visit, tx: &ReadTx<'_>, asked: &Asked) -> Result<Found, Problem> {
    let (staff, today) = (visit.signed_in()?.staff_id, visit.today());
    let looks = asked.looks();
    let hits = if looks {
        sql::find(tx, &asked.query, &asked.filter, (staff, today))?
    } else {
        Vec::new()
    };
    let last = hits.len().min(sql::HITS_MAX).div_ceil(ROWS_PER_PAGE).max(1);
    let page = asked.page.clamp(1, last);
    let shown = hits
        .iter()
        .take(sql::HITS_MAX)
        .skip((page - 1) * ROWS_PER_PAGE)
        .take(ROWS_PER_PAGE);
    let rows = words(visit, tx, shown.copied())?;
    let recent = if looks {
        Vec::new()
    } else {
        let opened = sql::recent(tx, staff)?;
        words(visit, tx, opened.into_iter().map(plain))?
    };
    Ok(Found {
        hits,
        page,
        rows,
        recent,
    })
}

fn plain(id: ResidentId) -> Hit {
    Hit {
        id,
        rank: Rank::Plain,
    }
}

fn words(
    visit: &Visit,
    tx: &ReadTx<'_>,
    hits: impl Iterator<Item = Hit>,
) -> Result<Vec<RowWords>, StoreError> {
    let hits: Vec<Hit> = hits.collect();
    let ids: Vec<ResidentId> = hits.iter().map(|hit| hit.id).collect();
    let levels = masters::codes(tx, "care_level", visit.today())?;
    // One transaction: whoever was found is still there, in the same order.
    let people = sql::people(tx, &ids)?;
    let rows = people.iter().zip(&hits);
    Ok(rows
        .map(|(person, hit)| view::row(person, hit.rank, &levels, visit.today()))
        .collect())
}

fn results(visit: &Visit, asked: &Asked, found: Found, picking: Option<Picking>) -> Results {
    Results {
        csrf: visit.csrf(),
        problem: asked.problem.clone(),
        asked: asked.looks(),
        narrowed: !asked.filter.is_empty(),
        count: view::count(found.hits.len()),
        pages: view::pages(&visit.query, found.page, found.hits.len()),
        advice: view::advice(&asked.query),
        rows: found.rows,
        recent: found.recent,
        picking,
        shows_centre: visit.actor.scope == Scope::City,
        may_write: visit.may(Permission::ConsultationWrite),
        unknown: visit.may_record_anybody().then_some("/consultations/new"),
        may_inquire: visit.may(Permission::ResidentInquire),
    }
}
