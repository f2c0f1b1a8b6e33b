//! The way out: every file that leaves goes through here, from whatever slice.
//!
//! A file with the data of many persons needs a second person first (`asking`); the same two routes ask
//! for one.
//!
//! A slice has two routes at one address. GET answers with [`ask`], which shows what would leave and
//! asks why, on what, where to and until when; POST answers with [`hand_over`], which writes the
//! entry, locks the file and gives it. The slice says what the file is, how many persons are in it,
//! and gives the bytes; it cannot name the file after anybody, because its name is a constant.

use askama::Template;
use axum::http::StatusCode;
use base::clock::japan;
use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use store::{Event, Operation, StaffId, WriteTx};

use super::asking::{self, Gate};
use super::form::{FieldProblem, Form, Given};
use super::model::{CarriedOutId, Entry, Lists, Origin, Reach};
use super::pages::{EntryForm, notice};
use super::registering::{Added, add, created, event};
use super::store::{self as sql, FileRow, Head};
use crate::web::{Answer, Fields, Problem, Shell, Visit, download, sealed};

/// So long after the first time the same form hands its file over once more: a double click, or a
/// browser that lost it.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// What a slice gives to the door.
#[derive(Debug)]
pub struct Goods {
    /// What it is, as the register shows it: アクセスログ.
    pub what: &'static str,
    /// Its name with its kind, ASCII: `access-log.csv`. The door adds day and number.
    pub file: &'static str,
    /// Rows in it, for the person who is about to take it.
    pub rows: usize,
    /// Persons in it, each counted once; members of staff count too.
    pub persons: usize,
    /// The file.
    pub bytes: Vec<u8>,
    /// The slice's own entry in the access log.
    pub event: Event,
    /// Where to go back to: what it is called and its address.
    pub back: (&'static str, String),
}

#[derive(Template)]
#[template(path = "features/carried_out/door.html")]
struct DoorPage {
    shell: Shell,
    action: String,
    back: String,
    what: &'static str,
    rows: usize,
    persons: usize,
    form: EntryForm,
    passphrase: String,
    reading: Option<String>,
    /// What lets many persons out.
    pass: String,
}

/// Shows what would leave and asks for the rest.
///
/// # Errors
/// Those of the store.
pub fn ask(visit: &Visit, goods: &Goods) -> Answer {
    match asked(visit, goods)? {
        Gate::Open(_) => {}
        Gate::Shut(shut) => return asking::page(visit, goods, shut, (StatusCode::OK, Vec::new())),
    }
    let lists = lists(visit)?;
    let name = visit.signed_in()?.name.clone();
    let first = [("carried_by", name.as_str()), ("encrypted", "yes")];
    let typed = Fields::from_pairs(first.into_iter()).unwrap_or_default();
    let form = EntryForm::new(visit, typed, lists, Vec::new());
    visit.page(&page(visit, goods, form)?)
}

fn asked(visit: &Visit, goods: &Goods) -> Result<Gate, Problem> {
    let read = |tx: &store::ReadTx<'_>| asking::gate(visit, tx, goods);
    visit.app.db().read(&visit.actor, read)
}

/// Where the forms of this file go.
pub(super) fn action(visit: &Visit) -> String {
    let query = visit.query.query_without("done");
    let joint = if query.is_empty() { "" } else { "?" };
    format!("{}{joint}{query}", visit.path)
}

fn lists(visit: &Visit) -> Result<Lists, Problem> {
    let read = |tx: &store::ReadTx<'_>| sql::lists(tx, visit.today());
    Ok(visit.app.db().read(&visit.actor, read)?)
}

fn page(visit: &Visit, goods: &Goods, form: EntryForm) -> Result<DoorPage, Problem> {
    let typed = form.value("passphrase").to_owned();
    let passphrase = if typed.is_empty() {
        sealed::fresh().ok_or(Problem::Fault("no random bytes for a passphrase"))?
    } else {
        typed
    };
    let (label, href) = &goods.back;
    let pass = match asked(visit, goods)? {
        Gate::Open(Some(pass)) => pass.words,
        Gate::Open(None) | Gate::Shut(_) => String::new(),
    };
    Ok(DoorPage {
        shell: Shell::new(visit, format!("{}を持ち出す", goods.what)).under(&[(label, href)]),
        action: action(visit),
        back: href.clone(),
        what: goods.what,
        rows: goods.rows,
        persons: goods.persons,
        reading: sealed::reading(&passphrase),
        passphrase,
        pass,
        form,
    })
}

/// Writes the entry and gives the file, locked when that was chosen.
///
/// # Errors
/// The form with what is wrong (422), or that this form has handed over already (409).
pub fn hand_over(visit: &Visit, goods: Goods) -> Answer {
    if visit.form.get("second") == "ask" {
        return asking::create(visit, &goods);
    }
    let lists = lists(visit)?;
    let given = Given {
        what: goods.what,
        persons: i64::try_from(goods.persons).unwrap_or(i64::MAX),
    };
    let (entry, passphrase) = match Form::new(&visit.form, &lists, visit.today()).at_the_door(given)
    {
        Ok(checked) => checked,
        Err(problems) => return not_yet(visit, &goods, lists, problems),
    };
    let leaving = Leaving::new(visit, &goods, passphrase.as_deref())?;
    let (name, bytes) = leaving.registered(visit, &goods, &entry, &lists)?;
    Ok(download(leaving_kind(&name), &name, false, bytes))
}

fn not_yet(visit: &Visit, goods: &Goods, lists: Lists, problems: Vec<FieldProblem>) -> Answer {
    let form = EntryForm::new(visit, visit.form.clone(), lists, problems);
    visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page(visit, goods, form)?)
}

/// A file on its way: its bytes as they leave, and what its name is made of.
struct Leaving {
    stem: &'static str,
    kind: &'static str,
    bytes: Vec<u8>,
    now: Timestamp,
}

impl Leaving {
    fn new(visit: &Visit, goods: &Goods, passphrase: Option<&str>) -> Result<Self, Problem> {
        let now = visit.app.clock().now();
        let (stem, kind) = goods.file.split_once('.').unwrap_or((goods.file, "bin"));
        let (kind, bytes) = match passphrase {
            Some(words) => {
                let local = japan().to_datetime(now);
                ("zip", sealed::seal(goods.file, &goods.bytes, words, local)?)
            }
            None => (kind, goods.bytes.clone()),
        };
        Ok(Self {
            stem,
            kind,
            bytes,
            now,
        })
    }

    /// `access-log-20261124-12.zip`: what, when, and the number of the entry.
    fn name(&self, visit: &Visit, id: CarriedOutId) -> String {
        let day = visit.today().strftime("%Y%m%d");
        format!("{}-{day}-{id}.{}", self.stem, self.kind)
    }

    fn row(&self, name: String, now: &str) -> FileRow {
        FileRow {
            name,
            sha256: HEXLOWER.encode(digest(&SHA256, &self.bytes).as_ref()),
            bytes: i64::try_from(self.bytes.len()).unwrap_or(i64::MAX),
            at: now.to_owned(),
        }
    }

    /// Entry, file and both events in one transaction; then the file may go.
    fn registered(
        self,
        visit: &Visit,
        goods: &Goods,
        entry: &Entry,
        lists: &Lists,
    ) -> Result<(String, Vec<u8>), Problem> {
        let staff = visit.signed_in()?.staff_id;
        let now = format!("{:.6}", self.now);
        let submission = visit.submission();
        let name = visit.app.db().write(&visit.actor, |tx| {
            let head = Head {
                centre_id: visit.actor.centre_id,
                origin: Origin::Export,
                submission: &submission,
                created_by: Some(staff),
                operator: "",
                now: &now,
            };
            let (id, first) = match add(tx, &head, entry)? {
                Added::New(id) => {
                    asking::take(visit, tx, goods, (id, &now))?;
                    (id, created(id, entry, lists))
                }
                Added::Before { id, by, at } => {
                    self.may_repeat(visit, tx, (id, by, &at), entry)?;
                    let again = event(Operation::CarryOut, id).detail("同じ持出しの再受取り");
                    (id, again)
                }
            };
            let name = self.name(visit, id);
            let row = self.row(name.clone(), &now);
            sql::insert_file(tx, id, &row)?;
            Ok::<_, Problem>(tx.audited_all(first, vec![goods.event.clone()], name))
        })?;
        Ok((name, self.bytes))
    }

    /// The same form once more: the same person, the same words, soon after.
    fn may_repeat(
        &self,
        visit: &Visit,
        tx: &WriteTx<'_>,
        (id, by, at): (CarriedOutId, Option<StaffId>, &str),
        entry: &Entry,
    ) -> Result<(), Problem> {
        let soon = at
            .parse::<Timestamp>()
            .is_ok_and(|at| self.now.duration_since(at) <= AGAIN);
        let record = sql::find(tx, id, Reach::All)?.filter(|_| by == visit.actor.staff_id && soon);
        let same = record.is_some_and(|record| {
            let stored = Entry {
                persons: entry.persons,
                ..record.entry
            };
            !record.withdrawn && stored == *entry
        });
        if same {
            return Ok(());
        }
        let page = notice(
            visit,
            StatusCode::CONFLICT,
            "この画面からは、もう持ち出しています",
            "ファイルは出していません。もう一度持ち出すときは、元の画面から始めてください。\
             台帳の内容だけを直すときは、台帳の訂正を使ってください。",
            ("持出し台帳を見る", "/carried-out"),
        );
        Err(Problem::Page(Box::new(page?)))
    }
}

/// The content type of a name.
fn leaving_kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, kind)| kind) {
        Some("zip") => "application/zip",
        Some("csv") => "text/csv; charset=utf-8",
        Some("pdf") => "application/pdf",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => "application/octet-stream",
    }
}
