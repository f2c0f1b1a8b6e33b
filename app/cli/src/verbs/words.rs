//! The words of a recovery sheet, as an operator types them from the paper.
//!
//! Invariant: they are in no argument, which every process could read, and in no message.

use std::path::Path;

use backup::sheet::{Held, WORDS, Words, WordsError};
use backup::{Chunking, RepositorySettings};
use base::report::{Kind, Report, Runbook};

use crate::arguments::WordsArguments;
use crate::output::Voice;

/// A repository that no site file names, opened by the words alone: the bare machine's way. The second
/// value keeps the password in memory; without it nothing opens.
pub(crate) fn repository_at(
    path: &Path,
    asked: &WordsArguments,
    voice: &Voice,
) -> Result<(RepositorySettings, Held), Report> {
    if !path.join("config").is_file() {
        let text =
            "ここに保管先がありません。ディスクをつなぎ、復旧シートにある場所を指定してください";
        return Err(Report::bare(Kind::Usage)
            .operator(text, Runbook::BareMachine)
            .at(path));
    }
    let words = read(asked, voice)?;
    let password = words.password().map_err(|error| told(&error, voice))?;
    let held = Held::of(&password).map_err(Report::from)?;
    let settings = RepositorySettings {
        name: path.display().to_string(),
        location: path.to_owned().into(),
        password_file: held.path(),
        // Only what is made anew is cut by this; the repository knows how it was cut.
        chunking: Chunking::Fixed16KiB,
    };
    Ok((settings, held))
}

/// The words of a sheet, or of two shares.
pub(crate) fn read(asked: &WordsArguments, voice: &Voice) -> Result<Words, Report> {
    let question = format!("復旧シートのことば（{WORDS}語、1行で）: ");
    let first = typed(asked.words_file.as_deref(), &question, voice)?;
    if first.share().is_none() {
        return Ok(first);
    }
    let question = "3枚に分けた用紙です。もう1枚のことば: ";
    let second = typed(asked.second_words_file.as_deref(), question, voice)?;
    Words::joined(&first, &second).map_err(|error| told(&error, voice))
}

/// Out of a file, or typed; never an argument, which every process on the machine could read.
fn typed(file: Option<&Path>, question: &str, voice: &Voice) -> Result<Words, Report> {
    let text = match file {
        None => voice.ask(question)?,
        Some(path) => std::fs::read_to_string(path).map_err(|error| {
            Report::new(Kind::InputFile, error)
                .operator(
                    "ことばのファイルを読めません。何も変えていません",
                    Runbook::RecoverySheet,
                )
                .at(path)
        })?,
    };
    Words::read(&text).map_err(|error| told(&error, voice))
}

/// Which word, and what to do.
pub(crate) fn told(error: &WordsError, voice: &Voice) -> Report {
    let places = |positions: &[usize]| {
        let all: Vec<String> = positions.iter().map(|at| format!("{at}番目")).collect();
        all.join("、")
    };
    voice.say(&match error {
        WordsError::Count { found } => {
            format!(
                "ことばは{WORDS}語です。{found}語が入力されました。用紙の番号と見比べてください。"
            )
        }
        WordsError::Unknown { position, near } => format!(
            "{position}番目は、用紙にないことばです。{}",
            if near.is_empty() {
                "用紙をもう一度見てください。".to_owned()
            } else {
                format!("似たことば: {}", near.join("、"))
            }
        ),
        WordsError::Wrong { positions } => format!(
            "{}のことばが違います。用紙をもう一度見てください。",
            places(positions)
        ),
        WordsError::Sum => {
            "どこかのことばが違いますが、どれかは分かりません。始めから見直してください。"
                .to_owned()
        }
        WordsError::Kind => "分けた用紙と、1枚で開く用紙が混ざっています。".to_owned(),
        WordsError::Shares => "この2枚では開きません。別の1枚を合わせてください。".to_owned(),
    });
    Report::bare(Kind::Usage)
}
