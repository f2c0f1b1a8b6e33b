//! First start: the town's files are written, then loaded through the importer that the city uses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use backup::{Chunking, RepositorySettings};
use base::clock::Clock;
use base::paths::{MODE_PRIVATE, MODE_PUBLIC, write_atomic};
use base::report::{Kind, Report, Runbook};
use demo::town::{Size, generate};
use server::ca::Authority;
use server::features::imports::{EncodingChoice, ImportOptions};
use server::features::masters::{self, Masters, MastersError};
use server::features::staff::{self, Login, NewStaff};
use server::web::{Problem, Role};
use store::{Actor, Db, StoreError};

use super::{LoginShown, Places, cases, papers, past, story};
use crate::arguments::TownSize;
use crate::output::Voice;
use crate::verbs::{backup as backup_verb, import, init};

/// Same seed, same town.
const SEED: u64 = 20_260_401;
/// Staff were there before the first consultation.
const STAFF_SINCE: jiff::civil::Date = jiff::civil::date(2020, 4, 1);

/// Builds everything below the directory. Cut short, the next start begins anew.
pub(super) fn build(
    size: TownSize,
    places: &Places,
    listen: SocketAddr,
    voice: &Voice,
) -> Result<Db, Report> {
    sweep(places)?;
    let clock = Clock::system();
    let today = clock.today();
    voice.say("架空の町を作っています（はじめだけ）。");
    std::fs::create_dir_all(&places.delivered).map_err(|e| unusable(&places.delivered, e))?;
    let size = match size {
        TownSize::Small => Size::Small,
        TownSize::City => Size::City,
    };
    let town = generate(size, SEED, today, &places.delivered)
        .map_err(|e| unusable(&places.delivered, e))?;
    let db = Db::create(&places.data, clock).map_err(StoreError::report)?;
    let actor = Actor::system("コマンド demo");
    let shipped = Masters::shipped().map_err(MastersError::report)?;
    let shipped = shipped.with_phones(demo::masters::phone, demo::masters::INVENTED);
    masters::load(&db, &actor, &shipped).map_err(MastersError::report)?;
    add_staff(&db, &actor, voice)?;
    let addresses = [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
        listen.ip(),
    ];
    let tls = places.data.tls();
    Authority::create(&tls, &["localhost"], &addresses, today).map_err(|e| e.report(&tls))?;
    init::make_keys(&places.factor_keys())?;
    write_site(places, listen)?;
    let options = ImportOptions {
        encoding: EncodingChoice::Auto,
        mapping: None,
        today,
        reject_dir: places.delivered.clone(),
    };
    let plan = import::planned(&db, &town.files, &options, voice)?;
    import::applied(&db, &actor, plan, voice)?;
    past::write(&db, today).map_err(Problem::report)?;
    story::write(&db, &actor)?;
    cases::write(&db, &actor)?;
    papers::write(&db, &actor)?;
    let repositories = repositories(&places.root);
    for repository in &repositories {
        backup::init(repository).map_err(Report::from)?;
    }
    backup_verb::save(&repositories, &places.data, &places.site, voice)?;
    write_atomic(&places.complete, b"", MODE_PUBLIC).map_err(|e| unusable(&places.complete, e))?;
    Ok(db)
}

/// Takes away what an interrupted first start left; only below our own directory.
fn sweep(places: &Places) -> Result<(), Report> {
    let repositories = places.root.join("repositories");
    for dir in [places.data.path(), &places.delivered, &repositories] {
        if dir.exists() {
            std::fs::remove_dir_all(dir).map_err(|e| unusable(dir, e))?;
        }
    }
    Ok(())
}

fn add_staff(db: &Db, actor: &Actor, voice: &Voice) -> Result<(), Report> {
    voice.say("職員を登録しています。");
    let members = demo::staff::all().map_err(|e| Report::new(Kind::Fault, e))?;
    for member in members {
        let centre_id = match member.centre {
            Some(code) => masters::centre_id(db, code).map_err(StoreError::report)?,
            None => None,
        };
        let role = Role::from_code(member.role).ok_or_else(|| Report::bare(Kind::Fault))?;
        let new = NewStaff {
            login: Login::new(member.login),
            name: member.name.to_owned(),
            kana: member.kana.to_owned(),
            role,
            job: member.job.to_owned(),
            centre_id,
            starts_on: STAFF_SINCE,
            password: demo::staff::password(member.login),
            must_change_password: false,
        };
        staff::add(db, actor, &new).map_err(Problem::report)?;
    }
    Ok(())
}

/// Two repositories, as on the appliance: one on the array, one on the external disk.
pub(super) fn repositories(root: &Path) -> Vec<RepositorySettings> {
    ["raid", "disk-a"]
        .into_iter()
        .map(|name| RepositorySettings {
            name: name.to_owned(),
            location: root.join("repositories").join(name).into(),
            password_file: root.join("repositories").join(format!("{name}.password")),
            chunking: Chunking::Fixed16KiB,
        })
        .collect()
}

fn write_site(places: &Places, listen: SocketAddr) -> Result<(), Report> {
    let quoted = |path: &Path| serde_json::Value::from(path.display().to_string()).to_string();
    let mut text = format!(
        "[server]\nlisten = \"{listen}\"\ndata = {}\n\n[organisation]\nname = \"和光市（架空の町）\"\n\
         insurer_no = \"112292\"\n\n[sign_in]\nwebauthn_host = \"localhost\"\n\
         # 練習用なので、パスワードのほかには何も求めません（[sign_in.second_factor] がない）。\n",
        quoted(places.data.path())
    );
    for repository in repositories(&places.root) {
        text.push_str(&format!(
            "\n[[backup.repositories]]\nname = \"{}\"\npath = {}\npassword_file = {}\n",
            repository.name,
            serde_json::Value::from(repository.location.for_restic()),
            quoted(&repository.password_file)
        ));
    }
    let dir = places.root.join("repositories");
    std::fs::create_dir_all(&dir).map_err(|e| unusable(&dir, e))?;
    write_atomic(&places.site, text.as_bytes(), MODE_PRIVATE).map_err(|e| unusable(&places.site, e))
}

/// One login per person of the town who can sign in. The vendor (`hoshu.01`) can when the city has
/// opened a window: 保守作業.
pub(super) fn logins() -> Result<Vec<LoginShown>, Report> {
    let members = demo::staff::all().map_err(|e| Report::new(Kind::Fault, e))?;
    let logins = members
        .into_iter()
        .filter(|member| member.role != Role::Vendor.code())
        .map(|member| LoginShown {
            password: demo::staff::password(member.login),
            role: member.role,
            centre: member.centre,
            login: member.login,
        })
        .collect();
    Ok(logins)
}

pub(super) fn unusable(
    path: &Path,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Report {
    Report::new(Kind::DataDirectory, error)
        .operator(
            "練習用のディレクトリを使えません。--dir で別の場所にできます",
            Runbook::DiskReadOnly,
        )
        .at(path)
}
