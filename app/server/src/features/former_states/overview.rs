//! What can be brought back: withdrawn records, and copies of the past that are or can be opened.

use askama::Template;
use axum::http::StatusCode;
use base::clock::age;
use jiff::Timestamp;
use store::{Event, Operation, ReadTx, RecordKind, Row, RowResult, StoreError, params};

use super::asked;
use super::lost::{self, LostLine};
use super::openings::{Moment, Opening, OpeningId, Origin, Points, Refused, Stage};
use super::view;
use crate::web::days::{day_short, moment};
use crate::web::{
    Answer, Checked, Choice, FieldProblem, Permission, Problem, Shell, Visit, problem_of, redirect,
};

/// Withdrawn records of one kind that are listed, newest first.
const WITHDRAWN_MAX: i64 = 50;
/// Backups that are offered; older ones come back through `hokatsu restore`.
const SNAPSHOTS_MAX: usize = 60;
/// How a backup is named in the form.
const SHIPPED: &str = "shipped";

/// What a withdrawn record is known by.
struct WithdrawnLine {
    href: String,
    title: String,
    who: String,
    at: String,
    by: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "features/former_states/overview.html")]
struct OverviewPage {
    shell: Shell,
    consultations: Vec<WithdrawnLine>,
    attachments: Vec<WithdrawnLine>,
    withdrawn_max: i64,
    openings: Vec<OpeningLine>,
    has_source: bool,
    /// Asked for, and answered.
    moments: Option<Moments>,
    choices: Vec<Choice>,
    /// Asked for, and nobody answered.
    silent: bool,
    on: String,
    time: String,
    reason: String,
    problems: Vec<FieldProblem>,
}

impl OverviewPage {
    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }
}

/// What can be opened, in words.
struct Moments {
    /// From when to when the second disk reaches.
    shipped: String,
    /// Backups of a newer program, and repositories that do not answer.
    notes: Vec<String>,
}

struct OpeningLine {
    id: OpeningId,
    words: String,
    state: &'static str,
    css: &'static str,
}

pub(super) fn page(visit: &Visit) -> Answer {
    let asks = visit.query.has("moments");
    visit.page(&drawn(visit, asks, Vec::new())?)
}

fn drawn(visit: &Visit, asks: bool, problems: Vec<FieldProblem>) -> Result<OverviewPage, Problem> {
    let now = visit.app.clock().now();
    let reads = |permission| visit.may(permission);
    let (consultations, attachments) = visit.app.db().read(&visit.actor, |tx| {
        let consultations = if reads(Permission::ConsultationView) {
            tx.all(CONSULTATIONS, params![WITHDRAWN_MAX], consultation)?
        } else {
            Vec::new()
        };
        let attachments = if reads(Permission::AttachmentView) {
            attachments(tx, visit)?
        } else {
            Vec::new()
        };
        Ok::<_, StoreError>((consultations, attachments))
    })?;
    let openings = visit.app.openings();
    let points = asks.then(|| openings.points(now)).flatten();
    let chosen = visit.form.get("origin");
    Ok(OverviewPage {
        shell: Shell::new(visit, "以前の状態").under(&[]),
        consultations,
        attachments,
        withdrawn_max: WITHDRAWN_MAX,
        openings: openings
            .all(now)
            .iter()
            .map(|one| opening_line(one, now))
            .collect(),
        has_source: openings.has_source(),
        silent: asks && openings.has_source() && points.is_none(),
        choices: points
            .as_ref()
            .map_or_else(Vec::new, |points| choices(points, now, chosen)),
        moments: points.as_ref().map(moments),
        on: visit.form.get("on").to_owned(),
        time: visit.form.get("time").to_owned(),
        reason: visit.form.get("reason").to_owned(),
        problems,
    })
}

const CONSULTATIONS: &str = "
    select c.id, c.number, c.received_on, coalesce(r.name, c.client_name), w.recorded_at, s.name, w.reason
    from visible_current_consultations c
    join visible_consultation_withdrawals w on w.consultation_id = c.id
    join staff s on s.id = w.staff_id
    left join visible_residents r on r.id = c.resident_id
    where c.withdrawn = 1 order by w.id desc limit ?1";

fn consultation(row: &Row<'_>) -> RowResult<WithdrawnLine> {
    let (number, received): (String, String) = (row.get(1)?, row.get(2)?);
    let received = received.parse().map_or(received, day_short);
    Ok(WithdrawnLine {
        href: format!("/consultations/{}/former-state", row.get::<_, i64>(0)?),
        title: format!("相談 {number}（受付 {received}）"),
        who: row.get(3)?,
        at: moment(&row.get::<_, String>(4)?),
        by: row.get(5)?,
        reason: row.get(6)?,
    })
}

// Of somebody under 支援措置 neither title nor name of a file stands in a list.
const ATTACHMENTS: &str = "
    select a.id, case when coalesce(r.shielded, 0) then ''
                      else coalesce(nullif(v.title, ''), a.file_name) end,
           coalesce(r.name, ''), w.recorded_at, s.name, w.reason, a.resident_id is null
    from visible_attachment_withdrawals w
    join visible_attachments a on a.id = w.attachment_id
    join visible_attachment_versions v on v.attachment_id = a.id
      and v.version = (select max(l.version) from visible_attachment_versions l
                       where l.attachment_id = a.id)
    join staff s on s.id = w.recorded_by
    left join visible_residents r on r.id = a.person_id
    order by w.id desc limit ?1";

/// Those whose owner this viewer may open.
fn attachments(tx: &ReadTx<'_>, visit: &Visit) -> Result<Vec<WithdrawnLine>, StoreError> {
    let all = tx.all(ATTACHMENTS, params![WITHDRAWN_MAX], |row| {
        let (id, title): (i64, String) = (row.get(0)?, row.get(1)?);
        let line = WithdrawnLine {
            href: format!("/attachments/{id}/former-state"),
            title: format!("添付ファイル {id} {title}"),
            who: row.get(2)?,
            at: moment(&row.get::<_, String>(3)?),
            by: row.get(4)?,
            reason: row.get(5)?,
        };
        Ok((row.get::<_, bool>(6)?, line))
    })?;
    let may_open = |of_consultation: bool| {
        visit.may(if of_consultation {
            Permission::ConsultationView
        } else {
            Permission::ResidentView
        })
    };
    let seen = all
        .into_iter()
        .filter(|(of_consultation, _)| may_open(*of_consultation));
    Ok(seen.map(|(_, line)| line).collect())
}

fn opening_line(one: &Opening, now: Timestamp) -> OpeningLine {
    let (state, css) = match one.stage {
        Stage::Fetching { .. } => ("取り出し中", "info"),
        Stage::Ready => ("開いています", "ok"),
        Stage::Failed => ("取り出せませんでした", "error"),
    };
    OpeningLine {
        id: one.id,
        words: origin_words(&one.origin, now),
        state,
        css,
    }
}

/// Where a copy comes from, of when, and how old it is.
pub(super) fn origin_words(origin: &Origin, now: Timestamp) -> String {
    let (at, ago) = (view::instant(origin.at()), age(now, origin.at()));
    match origin {
        Origin::Snapshot(moment) => {
            format!(
                "バックアップ「{}」の {at} の控え（{ago}）",
                moment.repository
            )
        }
        Origin::Shipped(_) => format!("逐次複製の {at} の時点（{ago}）"),
    }
}

fn moments(points: &Points) -> Moments {
    let newer = points
        .snapshots
        .iter()
        .filter_map(|one| one.wants.as_deref());
    let mut notes: Vec<String> = newer
        .take(1)
        .map(|wants| format!("新しい版の控えは開けません（{wants} を入れてください）。"))
        .collect();
    notes.extend(points.failed.iter().map(|name| {
        format!("バックアップ「{name}」は、いま読めません（ディスクが外れているかもしれません）。")
    }));
    Moments {
        shipped: points.shipped.map_or_else(String::new, |reach| {
            format!(
                "{}～{}",
                view::instant(reach.oldest),
                view::instant(reach.newest)
            )
        }),
        notes,
    }
}

/// The shipped log first, then backups, newest first.
fn choices(points: &Points, now: Timestamp, chosen: &str) -> Vec<Choice> {
    let mut all: Vec<&Moment> = points.snapshots.iter().collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.at));
    let first = Choice {
        value: String::new(),
        label: "選んでください".to_owned(),
        selected: false,
    };
    let shipped = points.shipped.map(|_| Choice {
        value: SHIPPED.to_owned(),
        label: "逐次複製の、下に書いた日付と時刻の時点".to_owned(),
        selected: chosen == SHIPPED,
    });
    let snapshots = all.into_iter().filter(|one| one.wants.is_none());
    let snapshots = snapshots.take(SNAPSHOTS_MAX).map(|one| {
        let value = format!("{}:{}", one.repository, one.snapshot);
        Choice {
            label: format!(
                "{}　「{}」　{}（{}）",
                view::instant(one.at),
                one.repository,
                view::size(one.bytes),
                age(now, one.at)
            ),
            selected: chosen == value,
            value,
        }
    });
    std::iter::once(first)
        .chain(shipped)
        .chain(snapshots)
        .collect()
}

/// Begins to fetch a copy; the log says who, which and why.
pub(super) fn open(visit: &Visit) -> Answer {
    let now = visit.app.clock().now();
    let openings = visit.app.openings();
    let mut form = Checked::new(&visit.form);
    let origin = match (openings.points(now), visit.form.trimmed("origin")) {
        (None, _) => {
            let text = "いまは、控えを調べられません。少し待って、もう一度開いてください。\
                 続くときは、システム管理者に知らせてください。";
            form.bad("origin", text);
            None
        }
        (Some(points), SHIPPED) => shipped(visit, &points, &mut form),
        (Some(points), chosen) => snapshot(&points, chosen, &mut form),
    };
    let reason = form.reason("reason", "開く理由");
    let refused = |problems| {
        let page = drawn(visit, true, problems)?;
        visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    let origin = match form.ended(origin) {
        Ok(origin) => origin,
        Err(problems) => return refused(problems),
    };
    let detail = format!("{}／理由＝{reason}", origin.told());
    // Written down first: no copy is fetched that nobody asked for.
    visit.app.db().write(&visit.actor, |tx| {
        let event = Event::done(Operation::FormerStateOpen).on(RecordKind::Backup, 0);
        Ok::<_, Problem>(tx.audited(event.detail(detail), ()))
    })?;
    match openings.begin(origin, now)? {
        Ok(id) => Ok(redirect(&format!("/former-states/openings/{id}"))),
        Err(why) => refused(vec![FieldProblem {
            field: "origin",
            text: why_refused(why).to_owned(),
        }]),
    }
}

fn why_refused(why: Refused) -> &'static str {
    match why {
        Refused::NoSource => "このシステムには、バックアップの保管先も逐次複製もありません。",
        Refused::TooMany => {
            "同時に開ける控えは2つまでです。使い終わった控えを閉じてから、もう一度開いてください。"
        }
        Refused::Newer => "この控えは新しい版のものです。このシステムでは開けません。",
    }
}

fn snapshot(points: &Points, chosen: &str, form: &mut Checked<'_>) -> Option<Origin> {
    let mut all = points.snapshots.iter();
    let found = all.find(|one| format!("{}:{}", one.repository, one.snapshot) == chosen);
    if found.is_none() {
        form.bad("origin", "どの控えを開くかを選んでください。");
    }
    found.cloned().map(Origin::Snapshot)
}

fn shipped(visit: &Visit, points: &Points, form: &mut Checked<'_>) -> Option<Origin> {
    let Some(reach) = points.shipped else {
        form.bad("origin", "逐次複製のディスクが、いま読めません。");
        return None;
    };
    match asked::typed(&visit.form, visit.app.clock().now()) {
        Ok(at) if at < reach.oldest => {
            form.bad(
                "on",
                "逐次複製には、その時点より後のものしかありません。控えを選んでください。",
            );
            None
        }
        Ok(at) => Some(Origin::Shipped(at.min(reach.newest))),
        Err(problems) => {
            for problem in problems {
                form.bad(problem.field, problem.text);
            }
            None
        }
    }
}

#[derive(Template)]
#[template(path = "features/former_states/opening.html")]
struct OpeningPage {
    shell: Shell,
    id: OpeningId,
    words: String,
    fetching: bool,
    ready: bool,
    done: u64,
    total: u64,
    /// 12MB／340MB、5秒
    progress: String,
    lost: Vec<LostLine>,
    lost_max: usize,
}

pub(super) fn opening(visit: &Visit) -> Answer {
    let id: OpeningId = visit.param("opening")?;
    let now = visit.app.clock().now();
    let found = visit
        .app
        .openings()
        .look(id, now)
        .ok_or(Problem::NotFound)?;
    let ready = found.stage == Stage::Ready;
    let lost = if ready && visit.may(Permission::ConsultationView) {
        lost::list(visit, id)?
    } else {
        Vec::new()
    };
    let (done, total) = match found.stage {
        Stage::Fetching { done, total } => (done, total),
        Stage::Ready | Stage::Failed => (0, 0),
    };
    visit.page(&OpeningPage {
        shell: Shell::new(visit, "控えの中を見る").under(&[("以前の状態", "/former-states")]),
        id,
        words: origin_words(&found.origin, now),
        fetching: matches!(found.stage, Stage::Fetching { .. }),
        ready,
        done,
        total,
        progress: format!(
            "{}／{}、{}秒",
            view::size(done),
            view::size(total),
            found.seconds
        ),
        lost,
        lost_max: lost::LISTED_MAX,
    })
}

pub(super) fn close(visit: &Visit) -> Answer {
    let id: OpeningId = visit.param("opening")?;
    visit.app.db().write(&visit.actor, |tx| {
        let event = Event::done(Operation::FormerStateOpen).on(RecordKind::Backup, 0);
        Ok::<_, Problem>(tx.audited(event.detail(format!("closed={id}")), ()))
    })?;
    if visit.app.openings().close(id) {
        Ok(redirect("/former-states?done=opening-closed"))
    } else {
        Err(Problem::NotFound)
    }
}
