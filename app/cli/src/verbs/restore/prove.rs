//! Is what came back what was saved? And what is missing, told by record.

use std::path::Path;

use backup::{RepositorySettings, RestoreSummary};
use base::report::{Kind, Report, Runbook};
use store::{DataDir, Facts, ShelfCheck, StoreError, check_shelf, damaged_tables, quick_facts_of};

use crate::output::Voice;
use crate::verbs::attachments;
use crate::verbs::restore::choose::Choice;
use crate::verbs::restore::facts::Told;
use crate::verbs::restore::plan;

/// Rows that need a key which no backup holds.
const SEALED: &str = "second_factor_secrets";
/// Its name in a snapshot.
pub(super) const DATABASE: &str = "hokatsu.db";
/// Damaged files named one by one; the rest is counted.
const NAMED_MAX: usize = 50;

pub(super) struct Proof {
    pub(super) found: Facts,
    pub(super) shelf: ShelfCheck,
    /// Rows, log, attachments: everything as it was.
    pub(super) equal: bool,
}

/// Compares a restored directory with what its snapshot said: integrity, rows, the log and its head,
/// the bytes of attachments.
pub(super) fn prove(
    done: &RestoreSummary,
    wanted: &Told,
    to: &Path,
    voice: &Voice,
) -> Result<Proof, Report> {
    say_damage(done, voice);
    let dir = DataDir::new(to);
    if !dir.database().exists() {
        return Err(Report::bare(Kind::Restore)
            .operator(
                "データベースが壊れていて戻せませんでした。ほかの保管先か、ひとつ前の控えを選んでください",
                Runbook::RestoreFailed,
            )
            .at(to));
    }
    // Somebody waits for each second: three questions, asked side by side.
    let (found, rest) = std::thread::scope(|scope| {
        let found = scope.spawn(|| quick_facts_of(&dir.database()));
        let rest = store::audit::verify(&dir, None)
            .and_then(|verdict| Ok((verdict, check_shelf(&dir.database(), &dir)?)));
        (found.join(), rest)
    });
    let found = found.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let found = found.map_err(StoreError::report)?;
    let (verdict, shelf) = rest.map_err(StoreError::report)?;
    if !verdict.findings.is_empty() {
        voice.say(&format!(
            "アクセスログに合わないところが{}件あります。手順書: runbooks/audit-broken.md",
            verdict.findings.len()
        ));
    }
    attachments::say(&shelf, voice);
    let whole = done.is_complete() && shelf.is_sound();
    let equal = found == wanted.facts && whole && verdict.findings.is_empty();
    Ok(Proof {
        found,
        shelf,
        equal,
    })
}

pub(super) fn say_damage(done: &RestoreSummary, voice: &Voice) {
    for healed in done.healed.iter().take(NAMED_MAX) {
        voice.say(&format!(
            "壊れていたため、保管先「{}」から戻した: {}",
            healed.from, healed.path
        ));
    }
    for damage in done.damaged.iter().take(NAMED_MAX) {
        voice.say(&format!("壊れていて戻せない: {}", damage.path));
    }
    for (what, count) in [
        ("戻した", done.healed.len()),
        ("戻せない", done.damaged.len()),
    ] {
        if count > NAMED_MAX {
            voice.say(&format!("ほかに{what}もの {}件", count - NAMED_MAX));
        }
    }
}

/// A database that no repository has whole: which tables of it are damaged. What can be read of it lies
/// in `to` afterwards.
pub(super) fn say_tables(
    choice: &Choice<'_>,
    others: &[RepositorySettings],
    to: &Path,
    voice: &Voice,
) {
    let from = (choice.repository, others);
    let salvaged = backup::salvage_file(from, &choice.selector(), (DATABASE, to));
    let lost = match salvaged {
        Ok(Some(lost)) => lost,
        Ok(None) => return,
        Err(error) => {
            voice.report(&Report::from(error));
            return;
        }
    };
    let tables = match damaged_tables(to) {
        Some(tables) if tables.is_empty() => "索引・空き領域だけ".to_owned(),
        Some(tables) => {
            let words: Vec<&str> = tables.iter().map(|name| plan::word(name)).collect();
            words.join("、")
        }
        None => "すべて（見出しが読めません）".to_owned(),
    };
    voice.say(&format!(
        "データベースのうち {lost}バイトが、どの保管先にもありません。壊れている表: {tables}"
    ));
}

pub(super) fn say_sealed(found: &Facts, voice: &Voice) {
    if found.rows.get(SEALED).is_some_and(|rows| *rows > 0) {
        voice.say(
            "確認コードの鍵は、バックアップに入っていません。保管してある紙から戻すか、\
             登録を取り消します。手順書: runbooks/factor-key-missing.md",
        );
    }
}
