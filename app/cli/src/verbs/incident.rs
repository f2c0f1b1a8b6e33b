//! `incident verify`: is a folder of evidence what it was? Reads only, and needs no service.

use std::path::Path;
use std::process::ExitCode;

use base::report::{Kind, Report, Runbook};
use serde::Serialize;
use server::features::{access_log, incidents};
use store::evidence::check;
use store::{DataDir, StoreError};

use crate::output::Voice;

#[derive(Serialize)]
struct Verified {
    whole: bool,
    own_key: bool,
    entries: i64,
    findings: Vec<String>,
}

pub(crate) fn verify(
    folder: &Path,
    key: Option<&Path>,
    dir: &DataDir,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let machine = dir.audit_public_key();
    let key = key.or_else(|| machine.is_file().then_some(machine.as_path()));
    let unread = |error: StoreError| {
        Report::new(Kind::InputFile, error)
            .operator(
                "証拠のフォルダか公開鍵を読めません。フォルダには触れていません",
                Runbook::PersonalDataIncident,
            )
            .at(folder)
    };
    let flaws = check(folder, key).map_err(unread)?;
    let mut findings: Vec<String> = flaws.iter().map(incidents::evidence_flaw).collect();
    // A database that is not what was signed is not looked into.
    let mut entries = 0;
    if findings.is_empty() {
        let verdict = store::audit::verify(&DataDir::new(folder), None).map_err(unread)?;
        findings.extend(verdict.findings.iter().map(access_log::words));
        entries = verdict.entries;
    }
    for finding in &findings {
        voice.say(finding);
    }
    let whole = findings.is_empty();
    voice.say(&if whole {
        format!("証拠は保全したときのままです。アクセスログ{entries}件も完全です。")
    } else {
        format!("証拠に{}か所の違いがあります。", findings.len())
    });
    if key.is_none() {
        voice.say(
            "フォルダの中の公開鍵で確かめました。だれが署名したかは、\
             機械の外に控えた公開鍵（--key）で確かめてください。",
        );
    }
    voice.result(&Verified {
        whole,
        own_key: key.is_none(),
        entries,
        findings,
    })?;
    Ok(if whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}
