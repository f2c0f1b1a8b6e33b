//! `users break-glass`: two sealed envelopes for the day the last administrator is lost.

use std::path::Path;
use std::process::ExitCode;

use base::clock::Clock;
use base::paths::{MODE_PRIVATE, create_private_dir, write_atomic};
use base::report::{Kind, Report, Runbook};
use serde::Serialize;
use server::features::staff::accounts::form::read_login;
use server::features::staff::break_glass::{
    self, NewAdministrator, Opening, Refused, file, prepare,
};
use server::web::Problem;
use store::{DataDir, Db, Operator, StoreError};

use crate::arguments::{BreakGlassVerb, OpenArguments};
use crate::operator;
use crate::output::Voice;

/// Longest name, characters.
const NAME_CHARS_MAX: usize = 100;

pub(crate) fn run(
    what: &BreakGlassVerb,
    dir: &DataDir,
    operator: &Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    match what {
        BreakGlassVerb::Prepare {
            first,
            second,
            to,
            yes,
        } => {
            let question = "新しい封筒を作ります。前に作った封筒は開かなくなります。よいですか。";
            let holders = [
                named(first, "--first", voice)?,
                named(second, "--second", voice)?,
            ];
            voice.confirm(question, *yes)?;
            made(holders, to, (dir, operator), voice)
        }
        BreakGlassVerb::Open(asked) => opened(asked, dir, operator, voice),
    }
}

fn named<'n>(name: &'n str, option: &str, voice: &Voice) -> Result<&'n str, Report> {
    let name = name.trim();
    let bad = |c: char| c.is_control();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.contains(bad) {
        voice.say(&format!(
            "{option} に、氏名を100文字までで入力してください。"
        ));
        return Err(Report::bare(Kind::Usage));
    }
    Ok(name)
}

#[derive(Serialize)]
struct Made {
    files: Vec<String>,
}

fn made(
    [first, second]: [&str; 2],
    to: &Path,
    (dir, operator): (&DataDir, &Operator),
    voice: &Voice,
) -> Result<ExitCode, Report> {
    if first == second {
        voice.say("封筒は、別の二人に預けてください。何も変えていません。");
        return Err(Report::bare(Kind::Usage));
    }
    // Before anything is changed: a pair that cannot be printed would be lost.
    create_private_dir(to).map_err(|error| unwritten(to, error))?;
    let db = Db::open_beside(dir, Clock::system()).map_err(StoreError::report)?;
    let actor = operator::actor("コマンド users break-glass", operator);
    let envelopes = prepare(&db, &actor, [first, second]).map_err(Problem::report)?;
    let mut files = Vec::new();
    for envelope in &envelopes {
        let (bytes, ending) = file(envelope).map_err(Problem::report)?;
        let path = to.join(format!("break-glass-{}.{ending}", envelope.position));
        write_atomic(&path, &bytes, MODE_PRIVATE).map_err(|error| unwritten(&path, error))?;
        voice.say(&format!("{} の用紙: {}", envelope.holder, path.display()));
        files.push(path.display().to_string());
    }
    voice.say(
        "印刷して封をしたら、用紙のファイルを消してください。文字はほかのどこにも残りません。",
    );
    voice.result(&Made { files })?;
    db.close().map_err(StoreError::report)?;
    Ok(ExitCode::SUCCESS)
}

fn unwritten(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Report {
    Report::new(Kind::Disk, error)
        .operator(
            "用紙を書けません。--to で書ける場所を指定し、もう一度用意してください",
            Runbook::AdministratorLost,
        )
        .at(path)
}

#[derive(Serialize)]
struct Told {
    login: String,
    password: String,
    valid_until: String,
}

fn opened(
    asked: &OpenArguments,
    dir: &DataDir,
    operator: &Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let Some(login) = read_login(&asked.login) else {
        voice.say("--login は、半角の英小文字・数字・ピリオドで10文字までにしてください。");
        return Err(Report::bare(Kind::Usage));
    };
    let persons = [
        named(&asked.first, "--first", voice)?.to_owned(),
        named(&asked.second, "--second", voice)?.to_owned(),
    ];
    let question = "封筒を使い切り、管理者のパスワードを仮のものに変えます。よいですか。";
    voice.confirm(question, asked.yes)?;
    let first = asked.first_secret_file.as_deref();
    let second = asked.second_secret_file.as_deref();
    let secrets = [
        secret(first, "1つめの封筒の文字: ", voice)?,
        secret(second, "2つめの封筒の文字: ", voice)?,
    ];
    let new = asked.name.clone().zip(asked.kana.clone());
    let opening = Opening {
        new: new.map(|(name, kana)| NewAdministrator { name, kana }),
        login: login.clone(),
        persons,
        secrets,
        reason: operator.reason.clone(),
    };
    let db = Db::open_beside(dir, Clock::system()).map_err(StoreError::report)?;
    let actor = operator::actor("コマンド users break-glass", operator);
    let done = break_glass::open(&db, &actor, &opening).map_err(|why| refused(why, voice))?;
    voice.say(&format!(
        "開けました。職員ID {} の仮のパスワードは {} です。{}までに変えてください。",
        login.as_str(),
        done.password,
        done.valid_until
    ));
    voice.say("すべての管理者の画面に、開けたことが表示されます。封筒を作り直してください。");
    voice.result(&Told {
        login: login.as_str().to_owned(),
        password: done.password,
        valid_until: done.valid_until,
    })?;
    db.close().map_err(StoreError::report)?;
    Ok(ExitCode::SUCCESS)
}

/// Out of a file, or typed; never an argument, which every process on the machine could read.
fn secret(file: Option<&Path>, question: &str, voice: &Voice) -> Result<String, Report> {
    let Some(path) = file else {
        return voice.ask(question);
    };
    std::fs::read_to_string(path).map_err(|error| {
        Report::new(Kind::InputFile, error)
            .operator(
                "封筒の文字のファイルを読めません。何も変えていません",
                Runbook::AdministratorLost,
            )
            .at(path)
    })
}

fn refused(refused: Refused, voice: &Voice) -> Report {
    voice.say(match refused {
        Refused::Failed(problem) => return problem.report(),
        Refused::NoEnvelopes => "使える封筒がありません。用意していないか、もう開けられています。",
        Refused::WrongSecret => "封筒の文字が違います。用紙の文字をもう一度確かめてください。",
        Refused::SamePerson => "封筒は、別の二人で開けてください。",
        Refused::NotAdministrator => {
            "この職員IDは、いまシステム管理者ではありません。\
             --name と --kana を付けて、新しい職員IDにしてください。"
        }
        Refused::Unknown => {
            "この職員IDの人はいません。新しく登録するときは --name と --kana を付けてください。"
        }
        Refused::Taken => "この職員IDはもう使われています。別の職員IDにしてください。",
    });
    voice.say("何も変えていません。");
    Report::bare(Kind::CheckFailed)
}
