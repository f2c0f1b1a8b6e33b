//! `users`: accounts without the browser, by the rules of the pages.

use std::path::Path;
use std::process::ExitCode;

use base::clock::Clock;
use base::paths::{MODE_PRIVATE, create_private_dir, write_atomic};
use base::report::{Kind, Report, Runbook};
use serde::Serialize;
use server::features::staff;
use server::features::staff::accounts::acts::{self, Hand, Refusal, Undone};
use server::features::staff::accounts::form::{FieldProblem, Form};
use server::features::staff::accounts::model::{Account, leaving};
use server::features::staff::accounts::{centres, find, list_all, report, view};
use server::features::staff::rights::{self, model::Change};
use server::web::{Fields, Permission, Problem};
use store::{Actor, DataDir, Db, Event, Operation, Operator, StoreError};

use crate::arguments::{
    AddUserArguments, DisableUserArguments, GrantUserArguments, ResetUserArguments,
};
use crate::operator;
use crate::output::Voice;

/// The database with the name of whoever sits here.
struct Console {
    db: Db,
    actor: Actor,
}

impl Console {
    fn open(dir: &DataDir, menu: &'static str, operator: &Operator) -> Result<Self, Report> {
        Ok(Self {
            db: Db::open_beside(dir, Clock::system()).map_err(StoreError::report)?,
            actor: operator::actor(menu, operator),
        })
    }

    fn hand(&self) -> Hand<'_> {
        Hand {
            db: &self.db,
            actor: &self.actor,
        }
    }

    /// The person of an ID.
    fn find(&self, login: &str, voice: &Voice) -> Result<Account, Report> {
        let login = server::features::staff::Login::new(login);
        let found = self.db.read(&self.actor, |tx| find(tx, login.as_str()));
        found.map_err(StoreError::report)?.ok_or_else(|| {
            voice.say("この職員IDの人はいません。`hokatsu users list` で確かめてください。");
            Report::bare(Kind::Usage)
        })
    }

    fn close(self) -> Result<ExitCode, Report> {
        self.db.close().map_err(StoreError::report)?;
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Serialize)]
struct Listed {
    login: String,
    name: String,
    kana: String,
    role: Option<String>,
    job: Option<String>,
    centre: Option<String>,
    starts_on: Option<String>,
    ends_on: Option<String>,
    state: String,
    last_sign_in: Option<String>,
}

#[derive(Serialize)]
struct List {
    users: Vec<Listed>,
}

pub(crate) fn list(dir: &DataDir, operator: &Operator, voice: &Voice) -> Result<ExitCode, Report> {
    let console = Console::open(dir, "コマンド users list", operator)?;
    let today = console.db.clock().today();
    let lines = console.db.read(&console.actor, |tx| list_all(tx, today));
    let lines = lines.map_err(StoreError::report)?;
    let event = Event::done(Operation::ConsoleUse).detail(format!("件数＝{}", lines.len()));
    let noted = console
        .db
        .view(&console.actor, |tx| Ok(tx.audited(event, ())));
    noted.map_err(StoreError::report)?;
    for line in lines.iter().map(view::line) {
        voice.say(&format!(
            "{:<10}  {}  {}  {}  {} ～ {}  {}",
            line.login, line.name, line.centre, line.role, line.since, line.until, line.state
        ));
    }
    let users = lines.into_iter().map(|line| Listed {
        login: line.login,
        name: line.name,
        kana: line.kana,
        role: line.role,
        job: line.job,
        centre: line.centre.map(|(code, _)| code),
        starts_on: line.starts_on,
        ends_on: line.ends_on,
        state: line.state,
        last_sign_in: line.last_sign_in,
    });
    voice.result(&List {
        users: users.collect(),
    })?;
    console.close()
}

/// Reads nothing and changes nothing: no name is asked for.
pub(crate) fn password_cost(voice: &Voice) -> Result<ExitCode, Report> {
    let cost = staff::measure_cost().map_err(Problem::report)?;
    voice.say(&format!(
        "argon2id：メモリ {} KiB、{}回、並列 {}、{} ミリ秒",
        cost.memory_kib, cost.passes, cost.lanes, cost.duration_ms
    ));
    voice.result(&cost)?;
    Ok(ExitCode::SUCCESS)
}

/// What is told once. Only with `--json` it goes to standard output.
#[derive(Serialize)]
struct Told {
    login: String,
    password: String,
}

pub(crate) fn add(
    asked: &AddUserArguments,
    dir: &DataDir,
    operator: &Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let console = Console::open(dir, "コマンド users add", operator)?;
    let fields = typed(&[
        ("login", &asked.login),
        ("name", &asked.name),
        ("kana", &asked.kana),
        ("role", &asked.role),
        ("centre", asked.centre.as_deref().unwrap_or_default()),
        ("job", &asked.job),
        ("starts_on", &asked.from),
    ])?;
    let today = console.db.clock().today();
    let known = console.db.read(&console.actor, |tx| centres(tx, today));
    let known = known.map_err(StoreError::report)?;
    let new = Form::new(&fields, &known, today).account();
    let new = new.map_err(|problems| wrong(&problems, voice))?;
    let login = new.login.as_str().to_owned();
    let given = acts::register(&console.hand(), new).map_err(|u| undone(u, voice))?;
    tell(voice, "登録しました。", login, given.password)?;
    console.close()
}

pub(crate) fn reset(
    asked: &ResetUserArguments,
    dir: &DataDir,
    operator: &Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let console = Console::open(dir, "コマンド users reset", operator)?;
    let account = console.find(&asked.login, voice)?;
    let question = format!(
        "{} のパスワードを仮のものに変え、すべての端末からサインアウトさせます。よいですか。",
        account.login
    );
    voice.confirm(&question, asked.yes)?;
    let given = acts::reset(&console.hand(), account.id, None).map_err(|u| undone(u, voice))?;
    tell(voice, "変えました。", account.login, given.password)?;
    console.close()
}

fn tell(voice: &Voice, done: &str, login: String, password: String) -> Result<(), Report> {
    voice.say(&format!(
        "{done}職員ID {login} の仮のパスワードは {password} です。"
    ));
    voice.say("仮のパスワードはこの画面にしか出ません。最初のサインインで変えてください。");
    voice.result(&Told { login, password })
}

#[derive(Serialize)]
struct Disabled {
    login: String,
    last_day: String,
    posts: usize,
}

pub(crate) fn disable(
    asked: &DisableUserArguments,
    dir: &DataDir,
    operator: &Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let console = Console::open(dir, "コマンド users disable", operator)?;
    let fields = typed(&[("ends_on", &asked.on), ("reason", &operator.reason)])?;
    let checked = Form::new(&fields, &[], console.db.clock().today()).leaving();
    let (last, reason) = checked.map_err(|problems| wrong(&problems, voice))?;
    let account = console.find(&asked.login, voice)?;
    let ends = leaving(&account, last);
    if ends.is_empty() {
        voice.say("この日より後の権限はありません。何も変えていません。");
    }
    for end in &ends {
        let post = account.post(end.post).map(view::post_line);
        voice.say(&format!("終える所属: {}", post.unwrap_or_default()));
    }
    let posts = ends.len();
    if posts > 0 {
        voice.confirm(
            &format!(
                "{} は {last} が最後の日になります。よいですか。",
                account.login
            ),
            asked.yes,
        )?;
        let done = acts::leave(&console.hand(), &account, (last, &reason), &account.seen);
        done.map_err(|u| undone(u, voice))?;
        voice.say("保存しました。次の日の0時から使えません。");
    }
    voice.result(&Disabled {
        login: account.login,
        last_day: last.to_string(),
        posts,
    })?;
    console.close()
}

#[derive(Serialize)]
struct Granted {
    login: String,
    permission: &'static str,
    granted: bool,
    from: String,
    until: Option<String>,
}

pub(crate) fn grant(
    asked: &GrantUserArguments,
    dir: &DataDir,
    operator: &Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let console = Console::open(dir, "コマンド users grant", operator)?;
    let account = console.find(&asked.login, voice)?;
    let fields = typed(&[
        ("permission", &asked.permission),
        ("granted", if asked.take_away { "no" } else { "yes" }),
        ("starts_on", &asked.from),
        ("ends_on", asked.until.as_deref().unwrap_or_default()),
        ("reason", &operator.reason),
    ])?;
    let today = console.db.clock().today();
    let new = rights::form::Form::new(&fields, today).exception(account.id);
    let new = new.map_err(|problems| {
        if problems.iter().any(|problem| problem.field == "permission") {
            let codes = Permission::grantable().map(Permission::code);
            voice.say(&format!("権限: {}", codes.collect::<Vec<_>>().join(" ")));
        }
        wrong(&problems, voice)
    })?;
    let told = Granted {
        login: account.login.clone(),
        permission: new.step.permission.code(),
        granted: new.step.granted,
        from: new.starts_on.to_string(),
        until: new.ends_on.map(|day| day.to_string()),
    };
    let question = format!(
        "{} に、{} から {} まで「{}」とします。よいですか。",
        account.login,
        told.from,
        told.until.as_deref().unwrap_or("期限なし"),
        rights::view::step(new.step)
    );
    let change = Change::Exception(new);
    let hand = console.hand();
    voice.confirm(&question, asked.yes)?;
    let seen = console
        .db
        .read(&console.actor, |tx| rights::acts::stand(tx, &change));
    let done = seen.and_then(|seen| rights::acts::perform(&hand, &change, &seen));
    done.map_err(|undone| not_granted(undone, voice))?;
    voice.say("保存しました。");
    voice.result(&told)?;
    console.close()
}

/// Why an exception was not written, in words.
fn not_granted(undone: rights::acts::Undone, voice: &Voice) -> Report {
    match undone {
        rights::acts::Undone::Failed(problem) => problem.report(),
        rights::acts::Undone::Refused(refusal) => {
            voice.say(&rights::view::refusal(&refusal));
            voice.say("何も変えていません。");
            Report::bare(Kind::CheckFailed)
        }
    }
}

#[derive(Serialize)]
struct Reported {
    file: String,
    rows: usize,
}

pub(crate) fn report(
    to: &Path,
    dir: &DataDir,
    operator: &Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let console = Console::open(dir, "コマンド users report", operator)?;
    let today = console.db.clock().today();
    let rows = report::made(&console.hand(), today).map_err(Problem::report)?;
    let count = rows.people.len();
    let bytes = report::file(&rows).map_err(Problem::report)?;
    let file = to.join(report::file_name(today));
    let written = create_private_dir(to).and_then(|()| write_atomic(&file, &bytes, MODE_PRIVATE));
    written.map_err(|error| {
        let advice = "報告を書けません。--to で書ける場所を指定してください";
        Report::new(Kind::Disk, error)
            .operator(advice, Runbook::DiskReadOnly)
            .at(&file)
    })?;
    voice.say(&format!("{count}人分を {} に書きました。", file.display()));
    voice.result(&Reported {
        file: file.display().to_string(),
        rows: count,
    })?;
    console.close()
}

/// Arguments as the pages' forms send them.
fn typed(pairs: &[(&str, &str)]) -> Result<Fields, Report> {
    Fields::from_pairs(pairs.iter().copied()).ok_or_else(|| Report::bare(Kind::Fault))
}

fn wrong(problems: &[FieldProblem], voice: &Voice) -> Report {
    for problem in problems {
        voice.say(&problem.text);
    }
    voice.say("何も変えていません。");
    Report::bare(Kind::Usage)
}

/// Why nothing was changed, in words.
fn undone(undone: Undone, voice: &Voice) -> Report {
    let refusal = match undone {
        Undone::Failed(problem) => return problem.report(),
        Undone::Refused(refusal) => refusal,
    };
    voice.say(&match &refusal {
        Refusal::Field(problem) => problem.text.clone(),
        Refusal::Again(_) => "この職員はすでに登録されています。".to_owned(),
        Refusal::LastAdministrator => {
            "システム管理者がいない日ができます。先に、ほかの人をシステム管理者にしてください。"
                .to_owned()
        }
        Refusal::Overlap(_, post) => {
            format!(
                "すでにある所属と期間が重なります: {}",
                view::post_line(post)
            )
        }
        Refusal::Absent
        | Refusal::Own
        | Refusal::Ends(..)
        | Refusal::Asked(_)
        | Refusal::Late(_) => "ほかの変更と重なりました。もう一度実行してください。".to_owned(),
    });
    voice.say("何も変えていません。");
    Report::bare(Kind::CheckFailed)
}
