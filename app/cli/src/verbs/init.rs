//! `init`: the first data directory. Refuses a used one.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::ExitCode;

use base::clock::Clock;
use base::paths::{MODE_PRIVATE, write_atomic};
use base::report::{Kind, Report, Runbook};
use base::settings::{Site, first_site};
use serde::Serialize;
use server::ca::Authority;
use server::factor_keys::{FactorKeys, KeyPlace, KeysError};
use server::features::masters::{self, Masters};
use server::features::staff::accounts::form::read_login;
use server::features::staff::{self, NewStaff};
use server::web::Role;
use store::{DataDir, Db, Operator, StoreError};

use crate::arguments::InitArguments;
use crate::operator;
use crate::output::Voice;

#[derive(Serialize)]
struct Made {
    data: String,
    site_file: String,
    ca_file: String,
    factor_key_file: String,
    login: String,
    password: String,
}

pub(crate) fn run(
    asked: &InitArguments,
    dir: &DataDir,
    (site, keys): (&Path, &KeyPlace),
    operator: &Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    if dir.database().exists() {
        voice.say("このディレクトリはすでに使われています。何も変えていません。");
        return Err(Report::bare(Kind::DataDirectory));
    }
    let Some(login) = read_login(&asked.admin) else {
        voice.say("--admin は、半角の英小文字・数字・ピリオドで10文字までにしてください。");
        return Err(Report::bare(Kind::Usage));
    };
    base::paths::create_private_dir(dir.path()).map_err(|error| unwritten(dir.path(), error))?;
    let own = settle_site(site, dir, voice)?;
    let addresses = [Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), own];
    let addresses: Vec<IpAddr> = addresses.into_iter().flatten().collect();
    let clock = Clock::system();
    let today = clock.today();
    let db = Db::create(dir, clock).map_err(StoreError::report)?;
    let actor = operator::actor("コマンド init", operator);
    let shipped = Masters::shipped().map_err(server::features::masters::MastersError::report)?;
    masters::load(&db, &actor, &shipped)
        .map_err(server::features::masters::MastersError::report)?;
    server::web::rights::load(&db, &actor).map_err(server::web::Problem::report)?;
    let authority = Authority::create(&dir.tls(), &["hokatsu", "localhost"], &addresses, today)
        .map_err(|error| error.report(&dir.tls()))?;
    make_keys(keys)?;
    let password =
        server::web::session::one_time_password().ok_or_else(|| Report::bare(Kind::Fault))?;
    let new = NewStaff {
        login: login.clone(),
        name: asked.admin_name.clone(),
        kana: String::new(),
        role: Role::SystemAdmin,
        job: "システム管理者".to_owned(),
        centre_id: None,
        starts_on: today,
        password: password.clone(),
        must_change_password: true,
    };
    staff::add(&db, &actor, &new).map_err(server::web::Problem::report)?;
    db.close().map_err(StoreError::report)?;
    voice.say(&format!(
        "作りました。最初の管理者は {}、仮のパスワードは {password} です。",
        login.as_str()
    ));
    voice.say("仮のパスワードはこの画面にしか出ません。最初のサインインで変えてください。");
    voice.say(&format!(
        "確認コードの鍵 {} はバックアップに入りません。印刷し、封をして、別の場所に保管してください。",
        keys.path.display()
    ));
    voice.result(&Made {
        data: dir.path().display().to_string(),
        site_file: site.display().to_string(),
        ca_file: authority.ca_file.display().to_string(),
        factor_key_file: keys.path.display().to_string(),
        login: login.as_str().to_owned(),
        password,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the first site file; one that is there is somebody's decision and stays as it is.
/// Gives the machine's own address, for its certificate, when the file names one.
fn settle_site(site: &Path, dir: &DataDir, voice: &Voice) -> Result<Option<IpAddr>, Report> {
    if site.exists() {
        let read = Site::read(site).map_err(|problem| problem.report())?;
        if read.sign_in().second_factor.is_empty() {
            voice.say(&format!(
                "{} に [sign_in.second_factor] がないので、だれもがパスワードだけで入れます。",
                site.display()
            ));
        }
        let network = read.server.network;
        return Ok(network.map(|network| IpAddr::V4(network.address().addr())));
    }
    let data = std::path::absolute(dir.path()).map_err(|e| unwritten(dir.path(), e))?;
    let written = write_atomic(site, first_site(&data).as_bytes(), MODE_PRIVATE);
    written.map_err(|error| unwritten(site, error))?;
    voice.say(&format!("設定ファイル {} を書きました。", site.display()));
    voice.say(
        "パスワードのほかに、登録した端末が要ります。最初のシステム管理者は、最初のサインインで\
         スマートフォンの確認コードを登録します。",
    );
    Ok(None)
}

fn unwritten(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Report {
    Report::new(Kind::Settings, error)
        .operator(
            "設定ファイルかデータディレクトリを書けません。何も作っていません。\
             --site と --data で別の場所にできます",
            Runbook::DiskReadOnly,
        )
        .at(path)
}

/// A key that is there already (a credential, one put back from paper) is kept.
pub(super) fn make_keys(place: &KeyPlace) -> Result<(), Report> {
    let made = match FactorKeys::read(&place.path) {
        Err(KeysError::Absent) => FactorKeys::fresh().and_then(|keys| keys.write(&place.path)),
        read => read.map(drop),
    };
    made.map_err(|error| error.report(&place.path))
}
