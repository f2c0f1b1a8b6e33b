//! Is the log whole? The verdict in words, for the page and for the command.

use askama::Template;
use store::audit::{Extent, Finding, Verdict, verify_extent};
use store::{Event, Operation};

use super::view;
use crate::web::{Answer, Problem, Shell, Visit};

#[derive(Template)]
#[template(path = "features/access_log/verification.html")]
struct VerificationPage {
    shell: Shell,
    whole: bool,
    at: String,
    entries: i64,
    walked: i64,
    archives: usize,
    checkpoints: usize,
    head: String,
    findings: Vec<String>,
}

/// Walks what is in the database, by a few threads, and holds nobody up: it reads on connections of
/// its own. The archived years do not change any more and are the command's work.
pub(super) fn page(visit: &Visit) -> Answer {
    let db = visit.app.db();
    let now = db.clock().now();
    let Verdict {
        entries,
        walked,
        archives,
        head,
        checkpoints,
        findings,
    } = verify_extent(db.dir(), None, Extent::LiveOnly)?;
    let detail = format!("verification findings={}", findings.len());
    let event = Event::done(Operation::AccessLogView).detail(detail);
    db.view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    visit.page(&VerificationPage {
        shell: Shell::new(visit, "記録の検査").under(&[("アクセスログ", "/access-log")]),
        whole: findings.is_empty(),
        at: view::moment(&now.to_string(), |day| {
            base::wareki::Wareki::from_date(day)
                .ok()
                .map(base::wareki::Wareki::short)
        }),
        entries,
        walked,
        archives,
        checkpoints,
        head,
        findings: findings.iter().map(words).collect(),
    })
}

/// What a finding means, in one sentence for staff and operators.
pub fn words(finding: &Finding) -> String {
    match finding {
        Finding::Changed { id } => format!("{id}番の記録の内容が書き換えられています。"),
        Finding::Missing { from, to } if from == to => format!("{from}番の記録がありません。"),
        Finding::Missing { from, to } => format!("{from}番から{to}番までの記録がありません。"),
        Finding::Swapped { id, with } => {
            format!("{id}番と{with}番の記録が入れ替わっています。")
        }
        Finding::Truncated { found, signed } => format!(
            "末尾の記録が失われています。署名では{signed}件ありますが、{found}件しかありません。"
        ),
        Finding::Unsigned { found, signed } => format!(
            "署名されていない記録が末尾に足されています。署名では{signed}件ですが、{found}件あります。"
        ),
        Finding::HeadForged => "末尾の署名がないか、この機械の鍵の署名と合いません。".to_owned(),
        Finding::CheckpointDiffers { at, entries } => format!(
            "{}に署名した{entries}件までの記録と、今の記録が違います。",
            view::moment(at, |_| None)
        ),
        Finding::ArchiveMissing { year } => {
            format!("{year}年の記録のファイル（audit-{year}.db）がありません。")
        }
        Finding::ArchiveBent { year } => format!(
            "{year}年の記録のファイル（audit-{year}.db）が、切り離したときの記録と違います。"
        ),
        Finding::CutForged { year } => format!(
            "{year}年を切り離した記録が、この機械の鍵の署名と合わないか、前の記録に続いていません。"
        ),
        Finding::CheckpointForged { at } => format!(
            "{}の署名つき記録が、この機械の鍵の署名と合いません。",
            view::moment(at, |_| None)
        ),
    }
}
