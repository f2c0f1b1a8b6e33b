//! Is the log whole? The verdict in words, for the page and for the command.

use askama::Template;
use store::audit::{Cut, Extent, Finding, Verdict, verify_extent, verify_year};
use store::{Event, Operation};

use super::view;
use crate::web::{Answer, Problem, Shell, Visit};

/// Entries of an archived year that the page walks: seconds. A larger one is the command's work.
const ENTRIES_MAX: i64 = 3_000_000;

#[derive(Template)]
#[template(path = "features/access_log/verification.html")]
struct VerificationPage {
    shell: Shell,
    /// The archived year that was walked; nothing for the database.
    year: Option<i16>,
    whole: bool,
    at: String,
    entries: i64,
    walked: i64,
    checkpoints: usize,
    head: String,
    findings: Vec<String>,
    years: Vec<YearLine>,
    /// Files of years that are not in their place.
    missing: Vec<String>,
}

/// An archived year in words.
struct YearLine {
    year: i16,
    entries: i64,
    first: i64,
    last: i64,
    archived_at: String,
    file: String,
    css: &'static str,
    state: &'static str,
    disposed: bool,
    href: Option<String>,
}

/// Walks what is in the database, by a few threads, and holds nobody up: it reads on connections of
/// its own. With `year` it walks the file of that archived year instead.
pub(super) fn page(visit: &Visit) -> Answer {
    let db = visit.app.db();
    let now = db.clock().now();
    let cuts = db.audit_cuts()?;
    let disposed = db.disposed_years_until()?;
    let year = match visit.query.trimmed("year") {
        "" => None,
        typed => {
            let year = asked(typed, &cuts).filter(|year| Some(*year) > disposed);
            Some(year.ok_or(Problem::NotFound)?)
        }
    };
    let verdict = match year {
        None => verify_extent(db.dir(), None, Extent::LiveOnly)?,
        Some(year) => verify_year(db.dir(), year)?.ok_or(Problem::NotFound)?,
    };
    let place = year.map(|year| format!(" year={year}")).unwrap_or_default();
    let detail = format!("verification{place} findings={}", verdict.findings.len());
    let event = Event::done(Operation::AccessLogView).detail(detail);
    db.view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    let lies = |cut: &Cut| match db.dir().audit_archives().join(&cut.file).exists() {
        true => Lies::There,
        false if Some(cut.year) <= disposed => Lies::Disposed,
        false => Lies::Missing,
    };
    let gone = cuts.iter().filter(|cut| lies(cut) == Lies::Missing);
    let missing = gone.map(|cut| cut.file.clone()).collect();
    let Verdict {
        entries,
        walked,
        head,
        checkpoints,
        findings,
        ..
    } = verdict;
    let above: &[(&str, &str)] = match year {
        None => &[("アクセスログ", "/access-log")],
        Some(_) => &[
            ("アクセスログ", "/access-log"),
            ("記録の検査", "/access-log/verification"),
        ],
    };
    let title = year.map_or_else(
        || "記録の検査".to_owned(),
        |year| format!("{year}年の記録の検査"),
    );
    visit.page(&VerificationPage {
        shell: Shell::new(visit, title).under(above),
        year,
        whole: findings.is_empty(),
        at: view::wareki_moment(&now.to_string()),
        entries,
        walked,
        checkpoints,
        head,
        findings: findings.iter().map(words).collect(),
        years: cuts.iter().map(|cut| line(cut, lies(cut))).collect(),
        missing,
    })
}

/// The archived year that somebody asks for, when the page walks it.
fn asked(typed: &str, cuts: &[Cut]) -> Option<i16> {
    let year: i16 = typed.parse().ok()?;
    let cut = cuts.iter().find(|cut| cut.year == year)?;
    (cut.entries() <= ENTRIES_MAX).then_some(year)
}

/// Where the file of a year is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lies {
    There,
    Disposed,
    Missing,
}

fn line(cut: &Cut, lies: Lies) -> YearLine {
    let (css, state) = match lies {
        Lies::There => ("ok", "ファイルあり"),
        Lies::Disposed => ("", "廃棄済み"),
        Lies::Missing => ("error solid", "ファイルがありません"),
    };
    let walks = lies == Lies::There && cut.entries() <= ENTRIES_MAX;
    YearLine {
        year: cut.year,
        entries: cut.entries(),
        first: cut.first_id,
        last: cut.last_id,
        archived_at: view::wareki_moment(&cut.archived_at),
        file: cut.file.clone(),
        css,
        state,
        disposed: lies == Lies::Disposed,
        href: walks.then(|| format!("/access-log/verification?year={}", cut.year)),
    }
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
