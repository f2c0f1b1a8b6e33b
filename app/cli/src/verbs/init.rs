//! `init`: the first data directory. Refuses a used one.

use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;

use base::clock::Clock;
use base::report::{Kind, Report};
use serde::Serialize;
use server::ca::Authority;
use server::factor_keys::{FactorKeys, KeyPlace, KeysError};
use server::features::masters::{self, Masters};
use server::features::staff::accounts::form::read_login;
use server::features::staff::{self, NewStaff};
use server::web::Role;
use store::{Actor, DataDir, Db, StoreError};

use crate::arguments::InitArguments;
use crate::output::Voice;

#[derive(Serialize)]
struct Made {
    data: String,
    ca_file: String,
    factor_key_file: String,
    login: String,
    password: String,
}

pub(crate) fn run(
    asked: &InitArguments,
    dir: &DataDir,
    keys: &KeyPlace,
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
    let clock = Clock::system();
    let today = clock.today();
    let db = Db::create(dir, clock).map_err(StoreError::report)?;
    let actor = Actor::system("コマンド init");
    let shipped = Masters::shipped().map_err(server::features::masters::MastersError::report)?;
    masters::load(&db, &actor, &shipped)
        .map_err(server::features::masters::MastersError::report)?;
    server::web::rights::load(&db, &actor).map_err(server::web::Problem::report)?;
    let authority = Authority::create(
        &dir.tls(),
        &["hokatsu", "localhost"],
        &[IpAddr::V4(Ipv4Addr::LOCALHOST)],
        today,
    )
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
        ca_file: authority.ca_file.display().to_string(),
        factor_key_file: keys.path.display().to_string(),
        login: login.as_str().to_owned(),
        password,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A key that is there already (a credential, one put back from paper) is kept.
pub(super) fn make_keys(place: &KeyPlace) -> Result<(), Report> {
    let made = match FactorKeys::read(&place.path) {
        Err(KeysError::Absent) => FactorKeys::fresh().and_then(|keys| keys.write(&place.path)),
        read => read.map(drop),
    };
    made.map_err(|error| error.report(&place.path))
}
