//! `certificates`: until when those of the service and of the authority hold, and new ones.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base::clock::Clock;
use base::report::{Kind, Report, Runbook};
use jiff::civil::Date;
use serde::Serialize;
use server::ca::terms::{self, days_left};
use server::ca::{Authority, CaError, ends_on};
use store::{DataDir, Operation, Operator};

use crate::operator;
use crate::output::Voice;

#[derive(Serialize)]
struct Standing {
    file: PathBuf,
    ends_on: String,
    days_left: i32,
    due: bool,
}

#[derive(Serialize)]
struct Checked {
    server: Standing,
    authority: Standing,
}

pub(crate) fn check(
    dir: &DataDir,
    shown: Option<PathBuf>,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let today = Clock::system().today();
    let own = Authority::in_dir(&dir.tls());
    let terms = terms::on(today);
    let (server_days, authority_days) =
        terms.map_or((0, 0), |terms| (terms.server_days, terms.authority_days));
    let checked = Checked {
        server: standing(shown.unwrap_or(own.tls.certificate), today, server_days)?,
        authority: standing(own.ca_file, today, authority_days)?,
    };
    for (what, one) in [("サーバ", &checked.server), ("認証局", &checked.authority)] {
        voice.say(&format!(
            "{what}: {} まで（あと{}日）  {}",
            one.ends_on,
            one.days_left,
            one.file.display()
        ));
    }
    voice.result(&checked)?;
    if checked.server.due || checked.authority.due {
        return Err(Report::bare(Kind::CheckFailed)
            .operator(
                "証明書の期限が近いか、切れています。`hokatsu certificates renew-server`、\
                 `renew-authority` で更新できます（市が用意したものは差し替えます）",
                Runbook::CertificateMissing,
            )
            .at(dir.tls()));
    }
    Ok(ExitCode::SUCCESS)
}

fn standing(file: PathBuf, today: Date, days: i32) -> Result<Standing, Report> {
    let end = ends_on(&file).map_err(|error| error.report(&file))?;
    let left = days_left(end, today);
    Ok(Standing {
        ends_on: end.to_string(),
        days_left: left,
        due: left <= days,
        file,
    })
}

#[derive(Serialize)]
struct Renewed {
    ends_on: String,
}

pub(crate) fn renew_server(
    yes: bool,
    dir: &DataDir,
    operator: Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let question = "サーバの証明書を更新します。鍵と名前は変わりません。よいですか。";
    voice.confirm(question, yes)?;
    let file = Authority::in_dir(&dir.tls()).tls.certificate;
    renew(
        ("サーバ", &file, Authority::renew_server),
        dir,
        operator,
        voice,
    )
}

pub(crate) fn renew_authority(
    yes: bool,
    dir: &DataDir,
    operator: Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let question = "認証局の証明書を更新します。鍵は変わらないので、いまの端末はそのまま使えます。\
         古い証明書の期限までに、すべての端末に新しい hokatsu-ca.crt を入れます。よいですか。";
    voice.confirm(question, yes)?;
    let file = Authority::in_dir(&dir.tls()).ca_file;
    renew(
        ("認証局", &file, Authority::renew_authority),
        dir,
        operator,
        voice,
    )
}

type Act = fn(&Path, Date) -> Result<Date, CaError>;

/// The running service reads the new file by itself.
fn renew(
    (what, file, act): (&str, &Path, Act),
    dir: &DataDir,
    operator: Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let failed = |error: CaError| error.report(dir.tls().as_path());
    let before = ends_on(file).map_err(failed)?;
    let after = act(&dir.tls(), Clock::system().today()).map_err(failed)?;
    let detail = format!("{what}／前＝{before}まで／後＝{after}まで");
    operator::note(dir, Operation::CertificateRenew, detail, Some(operator))?;
    voice.say(&format!("更新しました。{after} まで使えます。"));
    voice.result(&Renewed {
        ends_on: after.to_string(),
    })?;
    Ok(ExitCode::SUCCESS)
}
