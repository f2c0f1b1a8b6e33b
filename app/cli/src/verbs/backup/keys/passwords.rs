//! `backup key admit` and `backup key rotate`: the password that this machine itself holds.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use backup::RepositorySettings;
use backup::sheet as keys;
use base::clock::Clock;
use base::report::Report;
use serde::Serialize;

use super::Desk;
use crate::arguments::WordsArguments;
use crate::verbs::words::{read, told};

#[derive(Serialize)]
struct Admitted {
    opened: Vec<String>,
    shut: Vec<String>,
}

/// The machine gets a password of its own where it has none: the words open first.
pub(super) fn let_in(asked: &WordsArguments, desk: &Desk<'_>) -> Result<ExitCode, Report> {
    let voice = desk.voice;
    let words = read(asked, voice)?;
    let password = words.password().map_err(|error| told(&error, voice))?;
    let (mut opened, mut shut) = (Vec::new(), Vec::new());
    for repository in &desk.repositories {
        let name = &repository.name;
        match keys::let_in(repository, &password, Clock::system().now()) {
            Ok(new) => {
                voice.say(&if new {
                    format!("保管先「{name}」を、この機械のパスワードで開くようにしました。")
                } else {
                    format!(
                        "保管先「{name}」は、この機械のパスワードで開きます。何も変えていません。"
                    )
                });
                opened.push(name.clone());
            }
            Err(error) => {
                voice.report(&Report::from(error));
                shut.push(name.clone());
            }
        }
    }
    desk.note(format!(
        "backup key admit／開く保管先＝{}／開かない保管先＝{}",
        opened.join("、"),
        shut.join("、")
    ))?;
    let is_well = shut.is_empty();
    voice.result(&Admitted { opened, shut })?;
    Ok(ExitCode::from(u8::from(!is_well)))
}

pub(super) fn rotate(yes: bool, desk: &Desk<'_>) -> Result<ExitCode, Report> {
    let voice = desk.voice;
    let mut files: BTreeMap<&Path, Vec<&RepositorySettings>> = BTreeMap::new();
    for repository in &desk.repositories {
        files
            .entry(&repository.password_file)
            .or_default()
            .push(repository);
    }
    voice.say(
        "この機械が保管先を開くパスワードを、新しいものに替えます。復旧シートのことばは、そのまま使えます。\
         中身の鍵は替わりません。鍵そのものが漏れた疑いがあるときは、保管先を作り直してください。",
    );
    voice.confirm("替えますか。", yes)?;
    let names: Vec<&str> = desk
        .repositories
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    desk.note(format!("backup key rotate／保管先＝{}", names.join("、")))?;
    let now = Clock::system().now();
    for sharing in files.values() {
        keys::rotate(sharing, now).map_err(Report::from)?;
    }
    voice.say("替えました。前のパスワードは、もう開きません。");
    voice.result(&names)?;
    Ok(ExitCode::SUCCESS)
}
