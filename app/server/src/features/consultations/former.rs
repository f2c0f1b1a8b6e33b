//! Consultations as they were: for the time machine (`features/former_states`).
//!
//! Shape: versions, whom it was about, withdrawals and their endings are rows with their instants, so a
//! state is the newest of each until a moment. Putting back adds a version, a client, a withdrawal or its
//! ending.
//! Invariant: what is put back passes the form's own checks; what the lists of today no longer have does not.

use base::secrecy::{Note, PersonName};
use jiff::Timestamp;
use store::{
    Event, Operation, ReadTx, RecordKind, ResidentId, Row, RowResult, StaffId, StoreError, WriteTx,
    params,
};

use super::entry::Entry;
use super::form::{self, Checked};
use super::model::{ConsultationId, Lists, Record as Current, Version};
use super::view;
use super::{records, store as sql};
use crate::features::former_states::{
    Outcome, Place, Point, Record, Said, Standing, Wanted, written,
};
use crate::web::{FieldProblem, Fields, Permission, Problem, Visit};

/// Whom a record was about from a moment on.
#[derive(Debug, Clone)]
struct Client {
    at: String,
    by: String,
    /// Her id here; nothing when the viewer does not meet her.
    resident: Option<ResidentId>,
    name: Option<PersonName>,
}

/// A withdrawal, and its ending.
#[derive(Debug, Clone)]
struct Withdrawal {
    id: i64,
    at: String,
    by: String,
    reason: Note,
    ended: Option<Ended>,
}

#[derive(Debug, Clone)]
struct Ended {
    at: String,
    by: String,
    reason: Note,
}

/// A consultation with everything that it ever said.
#[derive(Debug, Clone)]
pub struct FormerConsultation {
    current: Current,
    clients: Vec<Client>,
    withdrawals: Vec<Withdrawal>,
}

/// What it said at a moment.
#[derive(Debug, Clone)]
pub struct ConsultationState {
    entry: Entry,
    withdrawn: bool,
    client: Option<Client>,
}

const CLIENTS: &str = "
    select k.recorded_at, coalesce(s.name, '旧システム'), r.id, r.name
    from visible_consultation_clients k left join staff s on s.id = k.staff_id
    left join visible_residents r on r.id = k.resident_id
    where k.consultation_id = ?1 order by k.id";

const WITHDRAWALS: &str = "
    select w.id, w.recorded_at, s.name, w.reason, w.ended_at, coalesce(t.name, ''),
           coalesce(w.ending_reason, '')
    from visible_consultation_withdrawal_history w join staff s on s.id = w.staff_id
    left join staff t on t.id = w.ended_by
    where w.consultation_id = ?1 order by w.id";

fn withdrawal(row: &Row<'_>) -> RowResult<Withdrawal> {
    let ended_at: Option<String> = row.get(4)?;
    let ended = match ended_at {
        Some(at) => Some(Ended {
            at,
            by: row.get(5)?,
            reason: row.get::<_, String>(6)?.into(),
        }),
        None => None,
    };
    Ok(Withdrawal {
        id: row.get(0)?,
        at: row.get(1)?,
        by: row.get(2)?,
        reason: row.get::<_, String>(3)?.into(),
        ended,
    })
}

fn read(tx: &ReadTx<'_>, current: Current) -> Result<FormerConsultation, StoreError> {
    let clients = tx.all(CLIENTS, params![current.id], |row| {
        let name: Option<String> = row.get(3)?;
        Ok(Client {
            at: row.get(0)?,
            by: row.get(1)?,
            resident: row.get(2)?,
            name: name.map(PersonName::from),
        })
    })?;
    Ok(FormerConsultation {
        clients,
        withdrawals: tx.all(WITHDRAWALS, params![current.id], withdrawal)?,
        current,
    })
}

/// Nothing came after it, as far as clocks can be read.
fn until(at: Option<Timestamp>) -> impl Fn(&str) -> bool {
    move |stored| at.is_none_or(|at| stored.parse::<Timestamp>().is_ok_and(|own| own <= at))
}

impl FormerConsultation {
    fn versions(&self) -> impl DoubleEndedIterator<Item = &Version> {
        let all = std::iter::once(&self.current.current).chain(&self.current.former);
        all.rev()
    }

    /// The withdrawal that holds.
    fn holding(&self) -> Option<&Withdrawal> {
        self.withdrawals.iter().find(|one| one.ended.is_none())
    }

    fn last_client(&self) -> Option<ResidentId> {
        self.clients.last().and_then(|client| client.resident)
    }
}

impl Record for FormerConsultation {
    type State = ConsultationState;
    const KIND: RecordKind = RecordKind::Consultation;
    const READS: Permission = Permission::ConsultationView;
    const WRITES: Permission = Permission::ConsultationWrite;

    fn load(visit: &Visit, tx: &ReadTx<'_>) -> Result<Self, Problem> {
        let current = records::load(tx, visit.param("id")?)?;
        Ok(read(tx, current)?)
    }

    fn same_in(&self, live: &ReadTx<'_>, past: &ReadTx<'_>) -> Result<Option<Self>, Problem> {
        let found = of_number(past, &self.current.number)?;
        let Some(mut found) = found else {
            return Ok(None);
        };
        // People are told by their number in the register and named as the viewer meets them today.
        for client in &mut found.clients {
            met_today(client, live, past)?;
        }
        Ok(Some(found))
    }

    fn id(&self) -> i64 {
        self.current.id.0
    }

    fn person(&self) -> Option<ResidentId> {
        self.current.resident_id
    }

    fn shielded(&self) -> bool {
        let person = self.current.person.as_ref();
        person.is_some_and(|person| person.shielded)
    }

    fn writable(&self) -> bool {
        self.current.writable
    }

    fn key(&self) -> String {
        let last = self.withdrawals.last();
        let withdrawal = last.map_or(0, |one| one.id);
        let held = u8::from(self.holding().is_some());
        let (version, clients) = (self.current.current.version, self.clients.len());
        format!("{version}-{withdrawal}-{held}-{clients}")
    }

    fn place(&self) -> Place {
        let person = self.current.person.as_ref();
        Place {
            href: format!("/consultations/{}", self.current.id),
            label: format!("相談 {}", self.current.number),
            above: ("相談記録", "/consultations"),
            who: person.map_or_else(|| Note::from(""), view::name_of),
        }
    }

    fn points(&self) -> Vec<Point> {
        let mut all: Vec<Point> = self
            .versions()
            .map(|version| Point {
                at: version.recorded_at.clone(),
                by: version.recorded_by.clone(),
                what: format!("第{}版", version.version),
                reason: version.reason.as_str().into(),
            })
            .collect();
        for client in self.clients.iter().skip(1) {
            all.push(Point {
                at: client.at.clone(),
                by: client.by.clone(),
                what: "対象者の登録".to_owned(),
                reason: Note::from(""),
            });
        }
        for one in &self.withdrawals {
            all.push(Point {
                at: one.at.clone(),
                by: one.by.clone(),
                what: "取下げ".to_owned(),
                reason: one.reason.clone(),
            });
            all.extend(one.ended.as_ref().map(|ended| Point {
                at: ended.at.clone(),
                by: ended.by.clone(),
                what: "取下げの取消し".to_owned(),
                reason: ended.reason.clone(),
            }));
        }
        all.sort_by_key(|point| point.at.parse::<Timestamp>().ok());
        all
    }

    fn state_at(&self, at: Option<Timestamp>) -> Option<ConsultationState> {
        let then = until(at);
        let version = self.versions().rfind(|one| then(&one.recorded_at))?;
        let holds = |one: &Withdrawal| {
            then(&one.at) && one.ended.as_ref().is_none_or(|ended| !then(&ended.at))
        };
        Some(ConsultationState {
            entry: version.entry.clone(),
            withdrawn: self.withdrawals.iter().any(holds),
            client: self.clients.iter().rfind(|one| then(&one.at)).cloned(),
        })
    }

    fn said(&self, visit: &Visit, state: &ConsultationState) -> Vec<Said> {
        let client = view::client(
            state.client.is_some(),
            state
                .client
                .as_ref()
                .and_then(|client| client.name.as_ref()),
        );
        let first = [
            ("state", "状態", view::standing(state.withdrawn)),
            ("client", "対象者", client),
        ];
        let typed = view::typed(&state.entry);
        let facts = view::facts(&typed, &self.current.lists, visit.today());
        let facts = facts
            .into_iter()
            .map(|fact| (fact.field, fact.label, Note::from(fact.text)));
        let said = first.into_iter().chain(facts);
        said.map(|(code, label, text)| Said {
            code,
            label,
            text,
            ours: true,
        })
        .collect()
    }

    fn put_back(
        visit: &Visit,
        then: &ConsultationState,
        wanted: Wanted<'_>,
    ) -> Result<Outcome, Problem> {
        let staff = visit.signed_in()?.staff_id;
        let now = format!("{:.6}", visit.app.clock().now());
        written(
            visit,
            wanted,
            |tx, record| Change::of(visit, tx, (record, then), wanted),
            |tx, record: &Self, change| {
                let what = change.write(tx, record, (staff, &now, wanted.reason))?;
                let numbers = change.numbers.as_deref().unwrap_or_default();
                let detail = format!(
                    "{what} fields={} from={} {numbers}",
                    wanted.fields.join("+"),
                    wanted.source
                );
                Ok(Event::done(Operation::FormerStatePutBack)
                    .about(change.client.or(record.person()))
                    .on(RecordKind::Consultation, record.id())
                    .detail(detail.trim_end()))
            },
        )
    }
}

/// In a copy of the past: who she is today, for this viewer.
fn met_today(client: &mut Client, live: &ReadTx<'_>, past: &ReadTx<'_>) -> Result<(), StoreError> {
    let number: Option<String> = match client.resident {
        Some(id) => {
            let sql = "select addressee_no from visible_residents where id = ?1";
            past.one(sql, params![id], |row| row.get(0))?
        }
        None => None,
    };
    let sql = "select id, name from visible_residents where addressee_no = ?1";
    let met = match number {
        Some(number) => live.one(sql, params![number], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?))
        })?,
        None => None,
    };
    (client.resident, client.name) = match met {
        Some((id, name)) => (Some(id), Some(name.into())),
        None => (None, None),
    };
    Ok(())
}

/// The record of this number, whatever its id.
fn of_number(tx: &ReadTx<'_>, number: &str) -> Result<Option<FormerConsultation>, StoreError> {
    let sql = "select id from visible_consultations where number = ?1";
    let id: Option<ConsultationId> = tx.one(sql, params![number], |row| row.get(0))?;
    let current = match id {
        Some(id) => sql::record(tx, id)?,
        None => None,
    };
    current.map(|current| read(tx, current)).transpose()
}

/// What will be written.
struct Change {
    /// A new version, when a field of it was chosen and differs.
    entry: Option<Entry>,
    numbers: Option<String>,
    client: Option<ResidentId>,
    standing: Option<Standing>,
}

type Wrong = Vec<FieldProblem>;

fn wrong(field: &'static str, text: impl Into<String>) -> FieldProblem {
    FieldProblem {
        field,
        text: text.into(),
    }
}

impl Change {
    /// What was chosen and differs, or why it cannot be.
    fn of(
        visit: &Visit,
        tx: &ReadTx<'_>,
        (record, then): (&FormerConsultation, &ConsultationState),
        wanted: Wanted<'_>,
    ) -> Result<Result<Self, Wrong>, Problem> {
        let mut problems = Vec::new();
        let held = record.holding().map(|held| held.id);
        let standing = Standing::of(wanted, held, then.withdrawn, "取り下げられて");
        let standing = standing.unwrap_or_else(|problem| {
            problems.push(problem);
            None
        });
        let client = match client(tx, (record, then), wanted)? {
            Ok(client) => client,
            Err(problem) => {
                problems.push(problem);
                None
            }
        };
        let merged = merged(&record.current.current.entry, &then.entry, wanted);
        let changed = !view::says_the_same(&view::typed(&record.current.current.entry), &merged);
        let mut change = Self {
            entry: None,
            numbers: None,
            client,
            standing,
        };
        if changed {
            let on = if wanted.has("received_on") {
                then.entry.received_on
            } else {
                record.current.current.entry.received_on
            };
            let lists = sql::lists(tx, on)?;
            problems.extend(gone(&lists, &then.entry, wanted));
            if problems.is_empty() {
                match form::check(&merged, &lists, visit.today()) {
                    Ok(Checked { entry, numbers }) => {
                        (change.entry, change.numbers) = (Some(entry), numbers);
                    }
                    Err(found) => problems.extend(found.into_iter().map(of_the_form)),
                }
            }
        }
        Ok(if problems.is_empty() {
            Ok(change)
        } else {
            Err(problems)
        })
    }

    /// Writes it; what it was, for the entry.
    fn write(
        &self,
        tx: &WriteTx<'_>,
        record: &FormerConsultation,
        (staff, now, reason): (StaffId, &str, &str),
    ) -> Result<String, StoreError> {
        let (id, version) = (record.current.id, record.current.current.version);
        let mut what = format!("version={version}");
        if let Some(entry) = &self.entry {
            let reason = format!("以前の状態に戻した：{reason}");
            sql::insert_version(tx, id, version + 1, entry, (staff, now, &reason))?;
            what = format!("version={version}→{}", version + 1);
        }
        if let Some(resident) = self.client {
            sql::insert_client(tx, id, resident, staff, now)?;
        }
        match self.standing {
            Some(Standing::Returns(withdrawal)) => {
                let sql = "insert into consultation_withdrawal_endings
                    (withdrawal_id, reason, staff_id, recorded_at) values (?1, ?2, ?3, ?4)";
                tx.insert(sql, params![withdrawal, reason, staff, now])?;
                what.push_str(" withdrawn→valid");
            }
            Some(Standing::Withdrawn) => {
                sql::insert_withdrawal(tx, id, reason, staff, now)?;
                what.push_str(" valid→withdrawn");
            }
            None => {}
        }
        Ok(what)
    }
}

/// Whom it is about again; somebody whom the viewer does not meet, or only reads, cannot be.
fn client(
    tx: &ReadTx<'_>,
    (record, then): (&FormerConsultation, &ConsultationState),
    wanted: Wanted<'_>,
) -> Result<Result<Option<ResidentId>, FieldProblem>, StoreError> {
    if !wanted.has("client") {
        return Ok(Ok(None));
    }
    let Some(client) = &then.client else {
        let text =
            "その時点では、対象者が特定されていませんでした。対象者は「なし」には戻せません。";
        return Ok(Err(wrong("client", text)));
    };
    let text = "その時点の対象者は、いまのあなたの担当の範囲の外の方か、もういない方です。対象者は戻せません。";
    let Some(resident) = client.resident else {
        return Ok(Err(wrong("client", text)));
    };
    if record.last_client() == Some(resident) {
        return Ok(Ok(None));
    }
    let person = sql::person(tx, resident)?.filter(|person| person.writable);
    Ok(person
        .map(|_| Some(resident))
        .ok_or_else(|| wrong("client", text)))
}

/// Today's entry with the chosen fields of then, as the form would have sent it.
fn merged(now: &Entry, then: &Entry, wanted: Wanted<'_>) -> Fields {
    let (now, then) = (view::typed(now), view::typed(then));
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for field in view::fields() {
        let from = if wanted.has(field) { &then } else { &now };
        pairs.extend(from.all(field).map(|value| (field, value)));
    }
    Fields::from_pairs(pairs.into_iter()).unwrap_or_default()
}

/// Codes of then that the lists no longer have.
fn gone(lists: &Lists, then: &Entry, wanted: Wanted<'_>) -> Wrong {
    let typed = view::typed(then);
    let is_known = |field: &str, code: &str| {
        let list = lists.of(field);
        list.is_empty() || code.is_empty() || list.iter().any(|known| known.code == code)
    };
    let chosen = view::fields().filter(|field| wanted.has(field));
    let lost = chosen.filter(|field| typed.all(field).any(|code| !is_known(field, code)));
    lost.map(|field| {
        let text = format!(
            "「{}」のその時点の値は、いまの一覧にありません。この項目を外し、戻したあとで「訂正する」から\
             選んでください。",
            view::label(field)
        );
        wrong(field, text)
    })
    .collect()
}

/// What the form says, with the field's name: here it stands in another page.
fn of_the_form(problem: form::FieldProblem) -> FieldProblem {
    let label = view::label(problem.field);
    FieldProblem {
        field: problem.field,
        text: if label.is_empty() {
            format!(
                "{}このままでは戻せません。「訂正する」から書き直してください。",
                problem.text
            )
        } else {
            format!("{label}：{}", problem.text)
        },
    }
}
