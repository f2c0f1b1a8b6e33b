//! `backup report`: what backups did in a time, on paper, for the city's periodic check (定期点検).
//!
//! Made of the records and of the state of this moment; names no resident.

use std::path::Path;
use std::process::ExitCode;

use backup::records::{Job, Outcome, Record};
use backup::status::Status;
use base::clock::{japan, japanese_day};
use base::paths::{MODE_PRIVATE, create_private_dir, write_atomic};
use base::report::{Kind, Report, Runbook};
use base::wareki::Wareki;
use forms::{Column, Fonts, Section, TableReport, table_report};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::status::standing;
use super::{Keeper, failed};
use crate::arguments::ReportArguments;

/// Lines of one table; a longer one says how many it leaves out.
const ROWS_MAX: usize = 400;

#[derive(Serialize)]
struct Written {
    file: String,
    drills: usize,
    not_well: usize,
}

pub(crate) fn report(asked: &ReportArguments, keeper: &Keeper<'_>) -> Result<ExitCode, Report> {
    let fonts = Fonts::discover().map_err(|missing| {
        Report::bare(Kind::Disk).operator(
            format!("印刷用の書体がないので、報告を作れません。{missing}"),
            Runbook::BackupFailed,
        )
    })?;
    let now = keeper.now();
    let since = SignedDuration::from_hours(i64::from(asked.days) * 24);
    let since = now.saturating_sub(since).unwrap_or(Timestamp::UNIX_EPOCH);
    let history = keeper.records.read().map_err(failed)?;
    let of_time = history.records.iter().filter(|one| one.ended_at >= since);
    let records: Vec<&Record> = of_time.collect();
    let sheet = sheet(&records, &standing(keeper)?, (since, now), keeper);
    let pdf = table_report(&fonts, &sheet).map_err(|error| Report::new(Kind::Fault, error))?;
    let day = japanese_day(now).strftime("%Y%m%d");
    let file = asked.to.join(format!("backup-report-{day}.pdf"));
    write(&asked.to, &file, &pdf.bytes)?;
    let drills = records.iter().filter(|one| one.job == Job::Drill).count();
    let not_well = records
        .iter()
        .filter(|one| one.outcome != Outcome::Ok)
        .count();
    keeper.voice.say(&format!(
        "{}日分の報告を {} に書きました（復元訓練 {drills}回、異常や失敗 {not_well}件）。",
        asked.days,
        file.display()
    ));
    keeper.result(&Written {
        file: file.display().to_string(),
        drills,
        not_well,
    })?;
    Ok(ExitCode::SUCCESS)
}

fn write(to: &Path, file: &Path, bytes: &[u8]) -> Result<(), Report> {
    let written = create_private_dir(to).and_then(|()| write_atomic(file, bytes, MODE_PRIVATE));
    written.map_err(|error| {
        let advice = "報告を書けません。--to で書ける場所を指定してください";
        Report::new(Kind::Disk, error)
            .operator(advice, Runbook::DiskReadOnly)
            .at(file)
    })
}

fn sheet(
    records: &[&Record],
    status: &Status,
    (since, now): (Timestamp, Timestamp),
    keeper: &Keeper<'_>,
) -> TableReport {
    let name = keeper.operator.as_ref().map(|who| who.name.clone());
    TableReport {
        title: "バックアップ点検 報告書".to_owned(),
        record_id: format!("backup-{}", japanese_day(now).strftime("%Y%m%d")),
        about: format!("{} から {} まで", moment(since), moment(now)),
        printed_at: now,
        printed_on: moment(now),
        printed_by: name.unwrap_or_else(|| "自動実行".to_owned()),
        sections: vec![
            sums(records, keeper),
            drills(records),
            not_well(records),
            state(status),
        ],
    }
}

fn columns(labels: &[(&str, u16)]) -> Vec<Column> {
    let column = |(label, share): &(&str, u16)| Column::new(label, *share);
    labels.iter().map(column).collect()
}

fn sums(records: &[&Record], keeper: &Keeper<'_>) -> Section {
    let mut rows = Vec::new();
    for repository in &keeper.repositories {
        // A disk of the rotation is never drilled by a timer; its visits count instead.
        let jobs = if keeper.is_rotated(&repository.name) {
            [Job::Disk, Job::Run, Job::Check, Job::Prune]
        } else {
            Job::ALL
        };
        for job in jobs {
            let mine = |one: &&&Record| one.job == job && one.repository == repository.name;
            let of = |outcomes: &[Outcome]| {
                let wanted = |one: &&&Record| outcomes.contains(&one.outcome);
                records.iter().filter(mine).filter(wanted).count()
            };
            let ok = |one: &&&Record| one.outcome == Outcome::Ok;
            let last = records.iter().rev().filter(mine).find(ok);
            rows.push(vec![
                repository.name.clone(),
                job.words().to_owned(),
                format!("{}回", of(&[Outcome::Ok])),
                format!("{}回", of(&[Outcome::NotHeld])),
                format!("{}回", of(&[Outcome::Failed, Outcome::CutShort])),
                last.map_or("なし".to_owned(), |one| moment(one.ended_at)),
            ]);
        }
    }
    Section {
        heading: "行ったこと".to_owned(),
        columns: columns(&[
            ("保管先", 3),
            ("処理", 4),
            ("成功", 2),
            ("異常あり", 2),
            ("失敗・停止", 2),
            ("最後の成功", 5),
        ]),
        rows,
    }
}

fn drills(records: &[&Record]) -> Section {
    let drills = records.iter().filter(|one| one.job == Job::Drill);
    let row = |one: &&Record| {
        let id = one.snapshot.as_deref().unwrap_or("なし");
        vec![
            moment(one.ended_at),
            one.repository.clone(),
            id.chars().take(8).collect(),
            match one.outcome {
                Outcome::Ok => "合格",
                Outcome::NotHeld => "不合格",
                Outcome::Failed => "失敗",
                Outcome::CutShort => "途中で停止",
            }
            .to_owned(),
            one.said.join(" "),
        ]
    };
    Section {
        heading: "復元訓練".to_owned(),
        columns: columns(&[
            ("日時", 5),
            ("保管先", 3),
            ("控え", 2),
            ("結果", 2),
            ("内容", 8),
        ]),
        rows: cut(drills.map(row).collect(), 5),
    }
}

fn not_well(records: &[&Record]) -> Section {
    let not_well = records.iter().filter(|one| one.outcome != Outcome::Ok);
    let row = |one: &&Record| {
        vec![
            moment(one.ended_at),
            one.repository.clone(),
            one.job.words().to_owned(),
            one.said.join(" "),
        ]
    };
    Section {
        heading: "終わらなかったもの・異常のあったもの".to_owned(),
        columns: columns(&[("日時", 5), ("保管先", 3), ("処理", 4), ("内容", 8)]),
        rows: cut(not_well.map(row).collect(), 4),
    }
}

fn state(status: &Status) -> Section {
    let rows = status.probes.iter().map(|probe| {
        let mark = if probe.holds { "合" } else { "否" };
        vec![mark.to_owned(), probe.words.clone()]
    });
    Section {
        heading: "作成したときの状態".to_owned(),
        columns: columns(&[("合否", 1), ("内容", 9)]),
        rows: rows.collect(),
    }
}

/// The newest rows, and how many there are besides.
fn cut(rows: Vec<Vec<String>>, width: usize) -> Vec<Vec<String>> {
    let more = rows.len().saturating_sub(ROWS_MAX);
    let mut kept: Vec<Vec<String>> = rows.into_iter().skip(more).collect();
    if more > 0 {
        let mut line = vec![format!("ほか {more}件（古いもの）")];
        line.resize(width, String::new());
        kept.insert(0, line);
    }
    kept
}

/// 令和8年11月29日 12:34, Japanese time.
pub(crate) fn moment(at: Timestamp) -> String {
    let local = japan().to_datetime(at);
    let day = Wareki::from_date(local.date());
    let day = day.map_or_else(|_| local.date().to_string(), Wareki::long);
    format!("{day} {}:{:02}", local.hour(), local.minute())
}
