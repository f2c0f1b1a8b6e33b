//! Everything that happened about a person in one list: consultations, certifications, changes of
//! the register, corrections. Read page by page, newest first.

use base::secrecy::Note;
use jiff::civil::Date;
use store::{ReadTx, ResidentId, Row, RowResult, StoreError, params};

use super::store::day;

/// Happenings on one page.
const PER_PAGE: i64 = 20;
/// Characters of a consultation that are shown here.
const EXCERPT_CHARS: i64 = 120;

/// One page of it.
#[derive(Debug)]
pub(super) struct Timeline {
    pub(super) rows: Vec<Happening>,
    pub(super) total: i64,
    pub(super) page: i64,
}

impl Timeline {
    pub(super) fn last_page(&self) -> i64 {
        ((self.total + PER_PAGE - 1) / PER_PAGE).max(1)
    }
}

/// One thing that happened.
#[derive(Debug)]
pub(super) struct Happening {
    pub(super) day: Option<Date>,
    /// A member of staff, a centre's import, nobody.
    pub(super) by: String,
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Consultation {
        id: i64,
        channel: String,
        content: Note,
        outcome: String,
        withdrawn: bool,
    },
    Certification {
        application: String,
        level: String,
        from: Option<Date>,
        to: Option<Date>,
    },
    /// The register changed; `confirmed` says that a centre took note.
    Change {
        kind: String,
        fields: String,
        confirmed: bool,
    },
    Correction {
        field: String,
        value: Note,
        register: Note,
        reason: Note,
    },
    CorrectionEnd {
        field: String,
        value: Note,
        reason: Note,
    },
}

/// One page of a visible person's timeline; a page beyond the end is the last.
pub(super) fn read(tx: &ReadTx<'_>, id: ResidentId, page: i64) -> Result<Timeline, StoreError> {
    let mut timeline = Timeline {
        rows: Vec::new(),
        total: tx.count(COUNT, params![id])?,
        page,
    };
    timeline.page = page.clamp(1, timeline.last_page());
    let offset = (timeline.page - 1) * PER_PAGE;
    timeline.rows = tx.all(
        ROWS,
        params![id, EXCERPT_CHARS, PER_PAGE, offset],
        happening,
    )?;
    Ok(timeline)
}

// The first delivery of each feed says 'new' about everybody; only that of the person is told.
const COUNT: &str = "
    select (select count(*) from visible_current_consultations c where c.resident_id = ?1)
         + (select count(*) from visible_certifications c where c.resident_id = ?1)
         + (select count(*) from visible_resident_changes c
            where c.resident_id = ?1 and (c.kind <> 'new' or c.feed = 'residents')
              and not exists (select 1 from import_undos u where u.import_id = c.import_id))
         + (select count(*) from visible_corrections c where c.resident_id = ?1)
         + (select count(c.ended_at) from visible_corrections c where c.resident_id = ?1)";

const ROWS: &str = "
    select 'consultation' as kind, c.id as id, c.received_on as day, c.received_on as moment,
           coalesce((select k.label from codes k
                     where k.list = 'consultation_channel' and k.code = c.channel
                     order by k.valid_from desc limit 1), c.channel) as one,
           substr(c.content, 1, ?2) as two,
           coalesce((select k.label from codes k
                     where k.list = 'consultation_outcome' and k.code = c.outcome
                     order by k.valid_from desc limit 1), c.outcome) as three,
           cast(c.withdrawn as text) as four, coalesce(w.name, '旧システム') as done_by
    from visible_current_consultations c left join staff w on w.id = c.created_by
    where c.resident_id = ?1
    union all
    select 'certification', c.id, coalesce(c.decided_on, c.applied_on, c.valid_from),
           coalesce(c.decided_on, c.applied_on, c.valid_from),
           coalesce((select k.label from codes k
                     where k.list = 'application_kind' and k.code = c.application_kind
                     order by k.valid_from desc limit 1), c.application_kind),
           coalesce((select k.label from codes k
                     where k.list = 'care_level' and k.code = c.level
                     order by k.valid_from desc limit 1), c.level),
           c.valid_from, c.valid_to, ''
    from visible_certifications c where c.resident_id = ?1
    union all
    select 'change', c.id, date(i.applied_at, '+9 hours'), i.applied_at, c.kind, c.fields,
           cast(exists (select 1 from resident_change_confirmations k
                        where k.change_id = c.id) as text), '', '取込み'
    from visible_resident_changes c join imports i on i.id = c.import_id
    where c.resident_id = ?1 and (c.kind <> 'new' or c.feed = 'residents')
      and not exists (select 1 from import_undos u where u.import_id = c.import_id)
    union all
    select 'correction', c.id, date(c.recorded_at, '+9 hours'), c.recorded_at, c.field, c.value,
           c.register_value, c.reason, s.name
    from visible_corrections c join staff s on s.id = c.staff_id where c.resident_id = ?1
    union all
    select 'correction_end', c.id, date(e.recorded_at, '+9 hours'), e.recorded_at, c.field,
           c.value, e.reason, '', coalesce(s.name, 'システム')
    from visible_corrections c join resident_correction_endings e on e.correction_id = c.id
    left join staff s on s.id = e.staff_id where c.resident_id = ?1
    order by day desc, moment desc, id desc limit ?3 offset ?4";

fn happening(row: &Row<'_>) -> RowResult<Happening> {
    let text = |name: &str| {
        row.get::<_, Option<String>>(name)
            .map(Option::unwrap_or_default)
    };
    let kind: String = row.get("kind")?;
    let what = match kind.as_str() {
        "consultation" => What::Consultation {
            id: row.get("id")?,
            channel: text("one")?,
            content: text("two")?.into(),
            outcome: text("three")?,
            withdrawn: text("four")? == "1",
        },
        "certification" => What::Certification {
            application: text("one")?,
            level: text("two")?,
            from: day(row, "three")?,
            to: day(row, "four")?,
        },
        "change" => What::Change {
            kind: text("one")?,
            fields: text("two")?,
            confirmed: text("three")? == "1",
        },
        "correction" => What::Correction {
            field: text("one")?,
            value: text("two")?.into(),
            register: text("three")?.into(),
            reason: text("four")?.into(),
        },
        _ => What::CorrectionEnd {
            field: text("one")?,
            value: text("two")?.into(),
            reason: text("three")?.into(),
        },
    };
    Ok(Happening {
        day: day(row, "day")?,
        by: text("done_by")?,
        what,
    })
}
