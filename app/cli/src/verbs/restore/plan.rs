//! What a restore in place means, told before it is done: from when, how long, what is replaced, what is lost.

use std::time::Duration;

use base::clock::{Clock, age};
use base::report::Report;
use indicatif::HumanBytes;
use serde::Serialize;
use store::{Facts, Former, StoreError};

use crate::output::Voice;
use crate::verbs::restore::choose::{Choice, moment};
use crate::verbs::restore::states::{Places, name_of};

/// Tables whose rows people know by a word; the others are counted together.
const WORDS: &[(&str, &str)] = &[
    ("consultations", "相談"),
    ("consultation_versions", "相談の記録・訂正"),
    ("attachments", "添付ファイル"),
    ("abuse_cases", "虐待対応"),
    ("abuse_steps", "虐待対応の経過"),
    ("assignments", "担当"),
    ("transfer_notes", "引継ぎの内容"),
    ("resident_corrections", "対象者情報の訂正"),
    ("imports", "取込み"),
    ("approvals", "承認の依頼"),
    ("carried_out", "持出し台帳"),
    ("incidents", "事故"),
    ("staff", "職員"),
];
/// Not records: state of work under way, and the log, which is told by itself.
const UNCOUNTED: &[&str] = &[
    "audit_entries",
    "audit_head",
    "drafts",
    "second_factor_uses",
    "sessions",
    "sign_in_failures",
];
/// Reading, and proving what was read, which takes about as long again.
const PASSES: u64 = 2;
/// The work that does not grow with the bytes.
const FIXED: Duration = Duration::from_secs(3);

/// A table as people know it, else its own name.
pub(super) fn word(table: &str) -> &str {
    let known = WORDS.iter().find(|(name, _)| *name == table);
    known.map_or(table, |(_, word)| *word)
}

/// Records of the present state that a snapshot does not have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Lost {
    /// False: the present state cannot be read.
    pub(super) readable: bool,
    /// Entries of the access log.
    pub(super) entries: i64,
    /// By the word that people know.
    pub(super) records: Vec<(String, i64)>,
}

/// Counts what is newer than these facts.
pub(super) fn lost(former: Option<&Former>, wanted: &Facts) -> Lost {
    let read = |former: &Former| -> Result<Lost, StoreError> {
        let (entries, ..) = former.audit_end()?;
        Ok(newer(&former.row_counts()?, entries, wanted))
    };
    former
        .and_then(|former| {
            read(former)
                .inspect_err(|error| log::warn!("cannot count what is newer: {error}"))
                .ok()
        })
        .unwrap_or_default()
}

fn newer(rows: &[(String, i64)], entries: i64, wanted: &Facts) -> Lost {
    let mut records = Vec::new();
    let mut others = 0;
    for (table, count) in rows {
        let more = count - wanted.rows.get(table).copied().unwrap_or(0);
        if more <= 0 || UNCOUNTED.contains(&table.as_str()) {
            continue;
        }
        match word(table) {
            name if name == table => others += more,
            word => records.push((word.to_owned(), more)),
        }
    }
    if others > 0 {
        records.push(("そのほかの行".to_owned(), others));
    }
    Lost {
        readable: true,
        entries: (entries - wanted.audit_entries).max(0),
        records,
    }
}

impl Lost {
    pub(super) fn say(&self, voice: &Voice) {
        if !self.readable {
            voice.say("  失われるもの: 今の記録を読めないため、数えられません。");
            return;
        }
        let words: Vec<String> = self
            .records
            .iter()
            .map(|(word, count)| format!("{word} {count}件"))
            .collect();
        let records = if words.is_empty() {
            "なし".to_owned()
        } else {
            words.join("、")
        };
        voice.say(&format!(
            "  失われるもの（それより新しい記録）: {records}（アクセスログ {}件）",
            self.entries
        ));
    }
}

/// The plan for machines.
#[derive(Debug, Serialize)]
pub(super) struct Planned {
    repository: String,
    snapshot: String,
    taken_at: String,
    files: u64,
    bytes: u64,
    lost: Lost,
}

pub(super) fn planned(choice: &Choice<'_>, lost: Lost) -> Planned {
    Planned {
        repository: choice.repository.name.clone(),
        snapshot: choice.snapshot.id.clone(),
        taken_at: format!("{:.6}", choice.snapshot.taken_at),
        files: choice.snapshot.files,
        bytes: choice.snapshot.bytes,
        lost,
    }
}

/// Says everything that somebody should know before saying yes.
pub(super) fn say(
    choice: &Choice<'_>,
    (places, used): (&Places, bool),
    lost: &Lost,
    voice: &Voice,
) -> Result<(), Report> {
    let now = Clock::system().now();
    let speed = backup::measure(choice.repository, &choice.selector()).map_err(Report::from)?;
    let bytes = choice.snapshot.bytes;
    voice.say("復元の計画");
    voice.say(&format!(
        "  戻すもの: 保管先「{}」の {}（{}）の控え、{}個、{}",
        choice.repository.name,
        moment(choice.snapshot.taken_at),
        age(now, choice.snapshot.taken_at),
        choice.snapshot.files,
        HumanBytes(bytes)
    ));
    if let Some(rate) = speed.per_second().filter(|rate| *rate > 0) {
        let seconds = bytes.saturating_mul(PASSES).checked_div(rate).unwrap_or(0);
        voice.say(&format!(
            "  かかる時間: およそ {}（読出し {}/秒を測定）",
            span(FIXED.saturating_add(Duration::from_secs(seconds))),
            HumanBytes(rate)
        ));
    }
    if used {
        voice.say(&format!(
            "  置き換わるもの: {} の中身すべて。隣に {}.before-… としてとっておき、\
             `hokatsu restore undo` で返せます。",
            places.data.path().display(),
            name_of(places.data.path())
        ));
        lost.say(voice);
    } else {
        voice.say(&format!(
            "  置き換わるもの: なし（{} は空です）",
            places.data.path().display()
        ));
    }
    voice.say(
        "  そのあと: 全員がサインインし直します。支援措置・職員の除外・退職・端末の使用停止・\
         権限の取上げ・パスワードの再発行など、人を守るために後から決めたことは再適用します。",
    );
    Ok(())
}

/// Seconds while that says it, else minutes.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 120 {
        format!("{seconds}秒")
    } else {
        format!("{}分", seconds.div_ceil(60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_seconds_and_then_in_whole_minutes() {
        let told = [3, 119, 121].map(|seconds| span(Duration::from_secs(seconds)));
        assert_eq!(told, ["3秒", "119秒", "3分"]);
    }

    #[test]
    fn what_is_newer_is_told_by_the_words_of_the_desk() {
        let facts = Facts {
            schema: 1,
            audit_entries: 10,
            audit_head: String::new(),
            rows: [("consultations", 3), ("codes", 5), ("sessions", 1)]
                .map(|(name, rows)| (name.to_owned(), rows))
                .into(),
        };
        let now = [
            ("codes", 7),
            ("consultations", 5),
            ("sessions", 9),
            ("shields", 1),
        ]
        .map(|(name, rows)| (name.to_owned(), rows));
        let found = newer(&now, 14, &facts);
        assert_eq!(found.entries, 4);
        assert_eq!(
            found.records,
            [("相談".to_owned(), 2), ("そのほかの行".to_owned(), 3)]
        );
    }
}
