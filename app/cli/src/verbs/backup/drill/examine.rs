//! Is what came back what was saved? Each question a step of the report.

use std::path::{Path, PathBuf};

use backup::RestoreSummary;
use store::{DataDir, Facts, check_shelf, facts_of};

use super::{Step, chance, unreadable};

/// Rows named when they differ, tables.
const TABLES_NAMED_MAX: usize = 5;
/// Bytes of a file that are compared at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// Every file of the snapshot, by the hash that it had.
pub(super) fn files(done: &RestoreSummary) -> Step {
    let (restored, damaged) = (done.files_restored + done.files_kept, done.damaged.len());
    let words = if done.is_complete() {
        format!("{restored}個のファイルが、取ったときの照合値のとおりに戻りました。")
    } else {
        format!("戻せない部品が {damaged}個あります（戻ったのは {restored}個）。")
    };
    Step::new("files", done.is_complete(), words)
}

/// The database opens, is whole, and has the rows and the head that the snapshot says.
pub(super) fn rows(copy: &DataDir, wanted: Option<&Facts>) -> Step {
    let found = match facts_of(&copy.database()) {
        Ok(found) => found,
        Err(error) => return unreadable("rows", &error),
    };
    let Some(wanted) = wanted else {
        return Step::new("rows", false, "この控えには、照合用の記録がありません。");
    };
    if found == *wanted {
        let words = format!(
            "{}の表の行数、アクセスログ {}件とその末尾は、取ったときと同じです。",
            found.rows.len(),
            found.audit_entries
        );
        return Step::new("rows", true, words);
    }
    let mut different = different_tables(&found, wanted);
    if found.audit_head != wanted.audit_head || found.audit_entries != wanted.audit_entries {
        different.push("アクセスログの末尾".to_owned());
    }
    if found.schema != wanted.schema {
        different.push("表の形の版".to_owned());
    }
    let words = format!("取ったときと違います: {}", different.join("、"));
    Step::new("rows", false, words)
}

fn different_tables(found: &Facts, wanted: &Facts) -> Vec<String> {
    let names = found.rows.keys().chain(wanted.rows.keys());
    let mut names: Vec<&String> = names.collect();
    names.sort();
    names.dedup();
    let differs = |name: &&String| found.rows.get(*name) != wanted.rows.get(*name);
    let line = |name: &String| {
        let count = |facts: &Facts| {
            facts
                .rows
                .get(name)
                .map_or("なし".to_owned(), i64::to_string)
        };
        format!("{name}（{}→{}）", count(wanted), count(found))
    };
    let different = names.into_iter().filter(differs).map(line);
    different.take(TABLES_NAMED_MAX).collect()
}

/// The chain of the access log, entry by entry, with its signatures.
pub(super) fn chain(copy: &DataDir) -> Step {
    match store::audit::verify(copy, None) {
        Ok(verdict) if verdict.findings.is_empty() => {
            let words = format!(
                "アクセスログ {}件の連なりに欠けはありません。",
                verdict.walked
            );
            Step::new("chain", true, words)
        }
        Ok(verdict) => {
            let words = format!(
                "アクセスログに {}か所の異常があります。",
                verdict.findings.len()
            );
            Step::new("chain", false, words)
        }
        Err(error) => unreadable("chain", &error),
    }
}

/// Every attachment that a row names has the bytes of its hash.
pub(super) fn attachments(copy: &DataDir) -> Step {
    match check_shelf(&copy.database(), copy) {
        Ok(shelf) if shelf.is_sound() => {
            let words = format!("添付ファイル {}件の中身がそろっています。", shelf.rows);
            Step::new("attachments", true, words)
        }
        Ok(shelf) => {
            let words = format!(
                "添付ファイルの {}件の中身がなく、{}件が違います。",
                shelf.missing.len(),
                shelf.bent.len()
            );
            Step::new("attachments", false, words)
        }
        Err(error) => unreadable("attachments", &error),
    }
}

/// Some attachments, chosen by chance, byte for byte as those in use. One that was erased since is no
/// difference.
pub(super) fn bytes(copy: &DataDir, live: &DataDir, most: usize) -> Step {
    let (ours, theirs) = (copy.attachments(), live.attachments());
    let compared = names_below(&ours).and_then(|names| {
        let mut same = 0_usize;
        let mut gone = 0_usize;
        for name in some(names, most) {
            let (one, other) = (ours.join(&name), theirs.join(&name));
            if !other.exists() {
                gone += 1;
            } else if is_same(&one, &other)? {
                same += 1;
            } else {
                return Ok(None);
            }
        }
        Ok(Some((same, gone)))
    });
    match compared {
        Ok(Some((same, gone))) => {
            let words = format!(
                "選んだ添付ファイル {same}件は、使っているものと1バイトも違いません\
                 （その後に消されたもの {gone}件）。"
            );
            Step::new("bytes", true, words)
        }
        Ok(None) => Step::new(
            "bytes",
            false,
            "添付ファイルに、使っているものと中身の違うものがあります。",
        ),
        Err(error) => {
            log::debug!("a drill: bytes: {error}");
            Step::new("bytes", false, "添付ファイルを読み比べられません。")
        }
    }
}

fn some(mut names: Vec<PathBuf>, most: usize) -> Vec<PathBuf> {
    let mut chosen = Vec::new();
    while chosen.len() < most && !names.is_empty() {
        let Ok(chance) = chance::number() else { break };
        let length = u64::try_from(names.len()).unwrap_or(u64::MAX);
        let index = usize::try_from(chance % length).unwrap_or(0);
        chosen.push(names.swap_remove(index));
    }
    chosen
}

/// Files of a shelf, by their names below it; what is still being taken in begins with a dot.
fn names_below(shelf: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(place) = open.pop() {
        let entries = match std::fs::read_dir(shelf.join(&place)) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(e),
        };
        for entry in entries {
            let entry = entry?;
            let name = place.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push(name);
            } else {
                names.push(name);
            }
        }
    }
    names.sort();
    Ok(names)
}

fn is_same(one: &Path, other: &Path) -> std::io::Result<bool> {
    use std::io::Read as _;
    let (mut one, mut other) = (std::fs::File::open(one)?, std::fs::File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let most = u64::try_from(PIECE_BYTES).unwrap_or(u64::MAX);
    loop {
        left.clear();
        right.clear();
        one.by_ref().take(most).read_to_end(&mut left)?;
        other.by_ref().take(most).read_to_end(&mut right)?;
        if left != right {
            return Ok(false);
        }
        if left.is_empty() {
            return Ok(true);
        }
    }
}
