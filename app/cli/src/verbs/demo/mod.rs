//! `demo`: an invented town, alive, on embedded parts, inside one directory.

mod cases;
mod fonts;
mod papers;
mod past;
mod story;
mod town;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base::clock::Clock;
use base::report::Report;
use base::settings::Site;
use serde::Serialize;
use server::app::{App, ServerSettings};
use server::ca::Authority;
use server::factor_keys::KeyPlace;
use server::web::serve::Port;
use store::{DataDir, Db, StoreError};

use crate::arguments::DemoArguments;
use crate::output::Voice;
use crate::verbs::serve::{factor_keys, until_stopped};

/// What whoever started it needs to know, as one JSON object.
#[derive(Serialize)]
struct Ready {
    url: String,
    ca_file: PathBuf,
    dir: PathBuf,
    site_file: PathBuf,
    /// Monitoring is not built yet.
    monitor_url: Option<String>,
    backup_repositories: Vec<RepositoryShown>,
    logins: Vec<LoginShown>,
}

#[derive(Serialize)]
struct RepositoryShown {
    name: String,
    path: PathBuf,
    password_file: PathBuf,
}

#[derive(Serialize)]
struct LoginShown {
    role: &'static str,
    centre: Option<&'static str>,
    login: &'static str,
    password: String,
}

/// Where things lie below the demonstration's directory.
struct Places {
    root: PathBuf,
    data: DataDir,
    site: PathBuf,
    delivered: PathBuf,
    complete: PathBuf,
}

impl Places {
    fn below(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            data: DataDir::new(root.join("data")),
            site: root.join("site.toml"),
            delivered: root.join("delivered"),
            complete: root.join("complete"),
        }
    }

    fn factor_keys(&self) -> KeyPlace {
        KeyPlace::find(None, None, self.data.factor_keys())
    }
}

pub(crate) fn run(asked: &DemoArguments, voice: &Voice) -> Result<ExitCode, Report> {
    let port = Port::open(asked.listen)?;
    fonts::ensure(voice);
    base::paths::create_private_dir(&asked.dir).map_err(|e| town::unusable(&asked.dir, e))?;
    let root = asked
        .dir
        .canonicalize()
        .map_err(|e| town::unusable(&asked.dir, e))?;
    let places = Places::below(&root);
    let db = if places.complete.exists() {
        Db::open(&places.data, Clock::system()).map_err(StoreError::report)?
    } else {
        town::build(asked.size, &places, port.address, voice)?
    };
    let notice = "架空の町の練習用データです。実在の人物とは関係ありません。".to_owned();
    let site = Site::read(&places.site).map_err(|problem| problem.report())?;
    let app = App::new(
        db,
        ServerSettings {
            notice: Some(notice),
            factor_keys: factor_keys(&places.factor_keys()),
            authority: Some(places.data.tls()),
            former_source: crate::site::former_source_of(&places.site, &places.data),
            upload_bytes_max: site.attachments().file_bytes_max(),
            ..ServerSettings::signing_in(&site.sign_in())?
        },
    );
    let tls = Authority::in_dir(&places.data.tls()).tls;
    let said = *voice;
    let logins = town::logins()?;
    until_stopped(app, port, tls, move |address| {
        announce(&places, address.port(), logins, &said)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn announce(places: &Places, port: u16, logins: Vec<LoginShown>, voice: &Voice) {
    let ready = Ready {
        url: format!("https://localhost:{port}/"),
        ca_file: Authority::in_dir(&places.data.tls()).ca_file,
        dir: places.root.clone(),
        site_file: places.site.clone(),
        monitor_url: None,
        backup_repositories: town::repositories(&places.root)
            .into_iter()
            .map(|r| RepositoryShown {
                name: r.name,
                path: r.location.for_restic().into(),
                password_file: r.password_file,
            })
            .collect(),
        logins,
    };
    voice.say(&format!("\n町が動いています: {}", ready.url));
    let mut shown = Vec::new();
    for login in &ready.logins {
        if !shown.contains(&login.role) {
            shown.push(login.role);
            voice.say(&format!(
                "  {:<16} {:<20} {}",
                login.role, login.login, login.password
            ));
        }
    }
    voice.say("練習用なので、パスワードのほかには何も求めません。");
    voice.say("止めるには Ctrl-C を押します。");
    if let Err(report) = voice.result(&ready) {
        voice.report(&report);
    }
}
