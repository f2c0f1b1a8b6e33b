//! The report of a drill: JSON with its signature, and the same on paper for the periodic check.

use std::path::{Path, PathBuf};

use base::clock::japan;
use base::paths::{MODE_PRIVATE, create_private_dir, write_atomic};
use base::report::Report;
use forms::{Column, Fonts, Section, TableReport, table_report};
use jiff::{SignedDuration, Timestamp};
use store::audit::key_fingerprint;
use store::{StoreError, public_key_pem, seal_report};

use super::super::report::moment;
use super::super::{Keeper, unprepared};
use super::Drilled;

const KIND: &str = "drill report";
const PEM: &str = "audit-public.pem";
const ENDINGS: [&str; 3] = ["json", "sig", "pdf"];

/// Writes the report of a drill; where its JSON lies.
pub(super) fn write(drilled: &Drilled, keeper: &Keeper<'_>) -> Result<PathBuf, Report> {
    let place = keeper.dir.drill_reports();
    create_private_dir(&place).map_err(|e| unprepared(&place, e))?;
    let sealed = seal_report(&keeper.dir, KIND, drilled).map_err(StoreError::report)?;
    let pem = public_key_pem(&keeper.dir).map_err(StoreError::report)?;
    let name = name(drilled);
    let path = |ending: &str| place.join(format!("{name}.{ending}"));
    let put = |path: &Path, bytes: &[u8]| {
        write_atomic(path, bytes, MODE_PRIVATE).map_err(|e| unprepared(path, e))
    };
    put(&place.join(PEM), pem.as_bytes())?;
    // The signature first: a report never lies there without one.
    put(&path("sig"), &sealed.signature)?;
    put(&path("json"), &sealed.text)?;
    let key = key_fingerprint(&keeper.dir).map_err(StoreError::report)?;
    match drawn(&sheet(drilled, &name, key)) {
        Ok(pdf) => put(&path("pdf"), &pdf)?,
        Err(words) => keeper.voice.say(&words),
    }
    Ok(path("json"))
}

/// Sorts by time; an attempt in the same second is another one all the same.
fn name(drilled: &Drilled) -> String {
    let at = drilled.ended_at.to_zoned_datetime(japan());
    let id: String = drilled.snapshot.chars().take(8).collect();
    format!("{}-{id}", at.strftime("%Y%m%dT%H%M%S"))
}

/// Takes away what is older than the settings say.
pub(super) fn forget_old(keeper: &Keeper<'_>) -> Result<(), Report> {
    let place = keeper.dir.drill_reports();
    let years = keeper.site.backup.drill().years_kept;
    let most = SignedDuration::from_hours(i64::from(years) * 366 * 24);
    let before = keeper
        .now()
        .saturating_sub(most)
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let before = before.to_zoned_datetime(japan()).strftime("%Y%m%dT%H%M%S");
    let before = before.to_string();
    for entry in std::fs::read_dir(&place).map_err(|e| unprepared(&place, e))? {
        let path = entry.map_err(|e| unprepared(&place, e))?.path();
        let ours = path.extension().and_then(|ending| ending.to_str());
        let is_report = ours.is_some_and(|ending| ENDINGS.contains(&ending));
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        let is_dated = stem.starts_with(|first: char| first.is_ascii_digit());
        if is_report && is_dated && *stem < *before {
            std::fs::remove_file(&path).map_err(|e| unprepared(&path, e))?;
        }
    }
    Ok(())
}

fn drawn(sheet: &TableReport) -> Result<Vec<u8>, String> {
    let fonts = Fonts::discover().map_err(|missing| {
        format!("印刷用の書体がないので、報告のPDFは作っていません。{missing}")
    })?;
    let pdf = table_report(&fonts, sheet);
    pdf.map(|pdf| pdf.bytes).map_err(|error| {
        log::debug!("the report of a drill cannot be drawn: {error}");
        "報告のPDFを作れませんでした。報告そのもの（JSON）はあります。".to_owned()
    })
}

fn sheet(drilled: &Drilled, name: &str, key: String) -> TableReport {
    let result = if drilled.holds { "合格" } else { "不合格" };
    let facts = [
        ("結果", result.to_owned()),
        ("保管先", drilled.repository.clone()),
        ("控えを取った時刻", moment(drilled.taken_at)),
        ("控えの番号", drilled.snapshot.clone()),
        (
            "大きさ",
            format!("{}個、{}バイト", drilled.files, drilled.bytes),
        ),
        ("始まり", moment(drilled.began_at)),
        ("終わり", moment(drilled.ended_at)),
        ("版", drilled.version.to_owned()),
        ("署名した鍵の指紋", key),
    ];
    let row = |(label, text): (&str, String)| vec![label.to_owned(), text];
    let steps = drilled.steps.iter().map(|step| {
        let mark = if step.holds { "合" } else { "否" };
        vec![mark.to_owned(), step.words.clone()]
    });
    TableReport {
        title: "バックアップ復元訓練 報告書".to_owned(),
        record_id: format!("drill-{name}"),
        about: format!(
            "{}の控えを別の場所に戻して確かめた結果：{result}",
            drilled.repository
        ),
        printed_at: drilled.ended_at,
        printed_on: moment(drilled.ended_at),
        printed_by: drilled
            .operator
            .clone()
            .unwrap_or_else(|| "自動実行".to_owned()),
        sections: vec![
            Section {
                heading: "訓練".to_owned(),
                columns: vec![Column::new("項目", 1), Column::new("内容", 3)],
                rows: facts.into_iter().map(row).collect(),
            },
            Section {
                heading: "確かめたこと".to_owned(),
                columns: vec![Column::new("合否", 1), Column::new("内容", 9)],
                rows: steps.collect(),
            },
        ],
    }
}
