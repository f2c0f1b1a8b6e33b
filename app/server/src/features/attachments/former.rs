//! Attachments as they were: for the time machine (`features/former_states`).
//!
//! Shape: title and note have versions, a withdrawal is a row that another row may end. The bytes never
//! change; missing or bent ones are no former state but damage (`bytes_are_whole`), and are fetched from a
//! backup by their hash.

use base::secrecy::Note;
use jiff::Timestamp;
use store::{
    Event, Operation, ReadTx, RecordKind, ResidentId, Row, RowResult, StaffId, StoreError, WriteTx,
    params,
};

use super::form;
use super::list::may_open;
use super::model::{Attachment, AttachmentId, By, Holder, Version};
use super::{store as sql, view};
use crate::features::former_states::{
    Outcome, Place, Point, Record, Said, Standing, Wanted, written,
};
use crate::features::masters::{self, Code};
use crate::web::{FieldProblem, Permission, Problem, Visit};

/// A withdrawal, and its ending.
#[derive(Debug, Clone)]
struct Withdrawal {
    id: i64,
    by: By,
    reason: Note,
    ended: Option<(By, Note)>,
}

/// An attachment with everything that was ever said about it.
#[derive(Debug, Clone)]
pub struct FormerAttachment {
    row: Attachment,
    holder: Holder,
    /// Oldest first.
    versions: Vec<Version>,
    withdrawals: Vec<Withdrawal>,
    number_kinds: Vec<Code>,
}

/// What was said about it at a moment.
#[derive(Debug, Clone)]
pub struct AttachmentState {
    title: Note,
    note: Note,
    withdrawn: bool,
}

const WITHDRAWALS: &str = "
    select w.id, s.name, w.recorded_at, w.reason, t.name, w.ended_at, w.ending_reason
    from visible_attachment_withdrawal_history w join staff s on s.id = w.recorded_by
    left join staff t on t.id = w.ended_by
    where w.attachment_id = ?1 order by w.id";

fn withdrawal(row: &Row<'_>) -> RowResult<Withdrawal> {
    let ended_by: Option<String> = row.get(4)?;
    let ended = match ended_by {
        Some(name) => {
            let by = By {
                name,
                at: row.get(5)?,
            };
            Some((by, row.get::<_, String>(6)?.into()))
        }
        None => None,
    };
    Ok(Withdrawal {
        id: row.get(0)?,
        by: By {
            name: row.get(1)?,
            at: row.get(2)?,
        },
        reason: row.get::<_, String>(3)?.into(),
        ended,
    })
}

fn read(
    tx: &ReadTx<'_>,
    row: Attachment,
    number_kinds: Vec<Code>,
) -> Result<Option<FormerAttachment>, StoreError> {
    let Some(holder) = sql::holder(tx, row.owner)? else {
        return Ok(None);
    };
    let mut versions = sql::versions(tx, row.id)?;
    versions.reverse();
    Ok(Some(FormerAttachment {
        withdrawals: tx.all(WITHDRAWALS, params![row.id], withdrawal)?,
        row,
        holder,
        versions,
        number_kinds,
    }))
}

fn until(at: Option<Timestamp>) -> impl Fn(&str) -> bool {
    move |stored| at.is_none_or(|at| stored.parse::<Timestamp>().is_ok_and(|own| own <= at))
}

impl FormerAttachment {
    fn holding(&self) -> Option<&Withdrawal> {
        self.withdrawals.iter().find(|one| one.ended.is_none())
    }

    /// Hash of its bytes.
    pub(in crate::features) fn sha256(&self) -> &str {
        &self.row.sha256
    }

    /// Are the bytes on the shelf, and those that were attached?
    pub(in crate::features) fn bytes_are_whole(&self, visit: &Visit) -> Result<bool, StoreError> {
        match visit.app.db().shelf().read(&self.row.sha256) {
            Ok(_) => Ok(true),
            Err(StoreError::Bytes) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Record for FormerAttachment {
    type State = AttachmentState;
    const KIND: RecordKind = RecordKind::Attachment;
    const READS: Permission = Permission::AttachmentView;
    const WRITES: Permission = Permission::AttachmentWrite;

    fn load(visit: &Visit, tx: &ReadTx<'_>) -> Result<Self, Problem> {
        let row = sql::find(tx, visit.param("id")?)?.ok_or(Problem::NotFound)?;
        may_open(visit, row.owner)?;
        let number_kinds = masters::codes(tx, "number_kind", visit.today())?;
        read(tx, row, number_kinds)?.ok_or(Problem::NotFound)
    }

    fn same_in(&self, _live: &ReadTx<'_>, past: &ReadTx<'_>) -> Result<Option<Self>, Problem> {
        // Form, position and bytes tell it; another row may bear its number.
        let sql = "select p.id from visible_attachments p where p.sha256 = ?1 and p.id = ?2
            and p.created_at = ?3 and p.bytes = ?4";
        let (id, bytes) = (
            self.row.id,
            i64::try_from(self.row.bytes).unwrap_or(i64::MAX),
        );
        let values = params![self.row.sha256, id, self.row.added.at, bytes];
        let found: Option<i64> = past.one(sql, values, |row| row.get(0))?;
        let row = match found {
            Some(id) => sql::find(past, AttachmentId(id))?,
            None => None,
        };
        match row {
            Some(row) => Ok(read(past, row, self.number_kinds.clone())?),
            None => Ok(None),
        }
    }

    fn id(&self) -> i64 {
        self.row.id.0
    }

    fn person(&self) -> Option<ResidentId> {
        self.row.person
    }

    fn shielded(&self) -> bool {
        self.row.shielded
    }

    fn writable(&self) -> bool {
        self.row.writable && !self.holder.withdrawn
    }

    fn lacks_bytes(&self, visit: &Visit) -> bool {
        // A disk that cannot be read is told by the page of the file itself.
        self.bytes_are_whole(visit).is_ok_and(|whole| !whole)
    }

    fn key(&self) -> String {
        let withdrawal = self.withdrawals.last().map_or(0, |one| one.id);
        let held = u8::from(self.holding().is_some());
        format!("{}-{withdrawal}-{held}", self.row.version)
    }

    fn place(&self) -> Place {
        Place {
            href: format!("/attachments/{}", self.row.id),
            label: format!("添付ファイル {}", self.row.id),
            above: ("以前の状態", "/former-states"),
            who: view::name_of(&self.holder),
        }
    }

    fn points(&self) -> Vec<Point> {
        let mut all: Vec<Point> = self
            .versions
            .iter()
            .map(|version| Point {
                at: version.by.at.clone(),
                by: version.by.name.clone(),
                what: format!("表題の第{}版", version.version),
                reason: version.reason.clone(),
            })
            .collect();
        for one in &self.withdrawals {
            all.push(Point {
                at: one.by.at.clone(),
                by: one.by.name.clone(),
                what: "添付の取消し".to_owned(),
                reason: one.reason.clone(),
            });
            all.extend(one.ended.as_ref().map(|(by, reason)| Point {
                at: by.at.clone(),
                by: by.name.clone(),
                what: "取り消した添付の復帰".to_owned(),
                reason: reason.clone(),
            }));
        }
        all.sort_by_key(|point| point.at.parse::<Timestamp>().ok());
        all
    }

    fn state_at(&self, at: Option<Timestamp>) -> Option<AttachmentState> {
        let then = until(at);
        let version = self.versions.iter().rfind(|one| then(&one.by.at))?;
        let holds = |one: &Withdrawal| {
            then(&one.by.at) && one.ended.as_ref().is_none_or(|(by, _)| !then(&by.at))
        };
        Some(AttachmentState {
            title: version.title.clone(),
            note: version.note.clone(),
            withdrawn: self.withdrawals.iter().any(holds),
        })
    }

    fn said(&self, _visit: &Visit, state: &AttachmentState) -> Vec<Said> {
        let said = |code, label, text: &Note| Said {
            code,
            label,
            text: text.clone(),
            ours: true,
        };
        vec![
            said("state", "状態", &view::standing(state.withdrawn)),
            said("title", "表題", &state.title),
            said("note", "説明", &state.note),
        ]
    }

    fn put_back(
        visit: &Visit,
        then: &AttachmentState,
        wanted: Wanted<'_>,
    ) -> Result<Outcome, Problem> {
        let staff = visit.signed_in()?.staff_id;
        let now = format!("{:.6}", visit.app.clock().now());
        written(
            visit,
            wanted,
            |_, record| Ok(Change::of(record, then, wanted)),
            |tx, record: &Self, change| {
                let what = change.write(tx, record, (staff, &now, wanted.reason))?;
                let numbers = change.numbers();
                let detail = format!(
                    "{what} fields={} from={} {numbers}",
                    wanted.fields.join("+"),
                    wanted.source
                );
                Ok(Event::done(Operation::FormerStatePutBack)
                    .about(record.row.person)
                    .on(RecordKind::Attachment, record.row.id.0)
                    .detail(detail.trim_end()))
            },
        )
    }
}

/// What will be written.
struct Change {
    said: Option<form::Said>,
    standing: Option<Standing>,
}

impl Change {
    fn of(
        record: &FormerAttachment,
        then: &AttachmentState,
        wanted: Wanted<'_>,
    ) -> Result<Self, Vec<FieldProblem>> {
        let held = record.holding().map(|held| held.id);
        let standing = Standing::of(wanted, held, then.withdrawn, "取り消されて");
        let standing = standing.map_err(|problem| vec![problem])?;
        let pick =
            |field, then: &Note, now: &Note| if wanted.has(field) { then } else { now }.clone();
        let title = pick("title", &then.title, &record.row.title);
        let note = pick("note", &then.note, &record.row.note);
        if (&title, &note) == (&record.row.title, &record.row.note) {
            return Ok(Self {
                said: None,
                standing,
            });
        }
        let typed = view::typed(&title, &note, wanted.reason);
        let (said, _) = form::correction(&typed, &record.number_kinds)?;
        Ok(Self {
            said: Some(said),
            standing,
        })
    }

    /// Why twelve digits are no マイナンバー, for the entry.
    fn numbers(&self) -> &str {
        let said = self.said.as_ref();
        said.and_then(|said| said.numbers.as_deref())
            .unwrap_or_default()
    }

    fn write(
        &self,
        tx: &WriteTx<'_>,
        record: &FormerAttachment,
        (staff, now, reason): (StaffId, &str, &str),
    ) -> Result<String, StoreError> {
        let (id, version) = (record.row.id, record.row.version);
        let mut what = format!("version={version}");
        if let Some(said) = &self.said {
            let reason = format!("以前の状態に戻した：{reason}");
            let words = (
                version + 1,
                said.title.as_str(),
                said.note.as_str(),
                reason.as_str(),
            );
            sql::insert_version(tx, id, words, (staff, now))?;
            what = format!("version={version}→{}", version + 1);
        }
        match self.standing {
            Some(Standing::Returns(withdrawal)) => {
                let sql = "insert into attachment_withdrawal_endings
                    (withdrawal_id, reason, recorded_by, recorded_at) values (?1, ?2, ?3, ?4)";
                tx.insert(sql, params![withdrawal, reason, staff, now])?;
                what.push_str(" withdrawn→valid");
            }
            Some(Standing::Withdrawn) => {
                sql::insert_withdrawal(tx, id, reason, (staff, now))?;
                what.push_str(" valid→withdrawn");
            }
            None => {}
        }
        Ok(what)
    }
}
