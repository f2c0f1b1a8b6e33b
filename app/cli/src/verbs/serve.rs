//! `serve`: the service, under systemd or by hand.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use base::antivirus::Scanner;
use base::clock::Clock;
use base::report::{Kind, Report};
use base::settings::{ShippingMode, Site};
use server::app::{App, ServerSettings};
use server::factor_keys::{FactorKeys, KeyPlace};
use server::features::former_states::FormerSource;
use server::features::staff;
use server::web::Problem;
use server::web::serve::{Port, run as serve};
use server::web::tls::TlsSettings;
use store::{DataDir, Db, ShippingPolicy, StoreError, switch_shipping};
use tokio::signal::unix::{SignalKind, signal};

use crate::output::Voice;

pub(crate) fn run(
    site: &Site,
    dir: &DataDir,
    (keys, former): (&KeyPlace, Option<FormerSource>),
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let port = Port::open(site.server.listen)?;
    let db = opened(site, dir)?;
    let tls = tls_of(site, dir);
    let settings = ServerSettings {
        factor_keys: factor_keys(keys),
        server_certificate: Some(tls.certificate.clone()),
        authority: Some(dir.tls()),
        backup_days_kept: site.backup.days_kept,
        backup_hours_max: (!site.backup.repositories.is_empty())
            .then(|| site.backup.alarm().run_hours_max),
        rotate_days_max: site.backup.alarm().rotate_days_max,
        image: base::update::running(Path::new("/")),
        former_source: former
            .filter(|_| !site.backup.repositories.is_empty() || site.backup.shipping.is_some()),
        ups_state_dir: site.ups().map(|ups| ups.state_dir.clone()),
        scanner: site.antivirus().map(Scanner::new),
        upload_bytes_max: site.attachments().file_bytes_max(),
        ..ServerSettings::signing_in(&site.sign_in())?
    };
    staff::note_cost().map_err(Problem::report)?;
    let app = App::new(db, settings);
    let said = *voice;
    until_stopped(app, port, tls, move |address| {
        said.say(&format!("https://{address} で待っています。"))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The database, with commit shipping as the site file says.
pub(crate) fn opened(site: &Site, dir: &DataDir) -> Result<Db, Report> {
    let shipping = site.backup.shipping.as_ref();
    // Before it is opened: the connections ask whether they leave the log to the shipper.
    if dir.database().exists() {
        switch_shipping(dir, shipping.is_some()).map_err(StoreError::report)?;
    }
    let mut db = Db::open(dir, Clock::system()).map_err(StoreError::report)?;
    if let Some(shipping) = shipping {
        let wait_ms = u64::from(shipping.sync_wait_ms_max());
        db.ship(ShippingPolicy {
            wait_max: (shipping.mode == ShippingMode::Sync).then(|| Duration::from_millis(wait_ms)),
            log_bytes_max: shipping.log_bytes_max(),
        });
    }
    Ok(db)
}

/// Without them the service starts all the same: whoever shows something else gets in, and those who
/// cannot are told by the pages.
pub(crate) fn factor_keys(place: &KeyPlace) -> FactorKeys {
    FactorKeys::read(&place.path).unwrap_or_else(|error| {
        let report = error.report(&place.path);
        if let Some(advice) = report.for_operator() {
            log::error!("{}", advice.text);
        }
        log::debug!("{}", report.for_developer());
        FactorKeys::none()
    })
}

pub(super) fn tls_of(site: &Site, dir: &DataDir) -> TlsSettings {
    // A certificate of the city's for the service, and ours for the terminals, go together.
    let own = Some(dir.tls().join("ca.pem")).filter(|file| file.exists());
    match &site.server.tls {
        Some(named) => TlsSettings {
            certificate: named.certificate.clone(),
            key: named.key.clone(),
            client_ca: named.client_ca.clone().or(own),
        },
        None => server::ca::Authority::in_dir(&dir.tls()).tls,
    }
}

/// Serves until SIGINT or SIGTERM; `ready` gets the address once connections are accepted.
pub(crate) fn until_stopped(
    app: App,
    port: Port,
    tls: TlsSettings,
    ready: impl FnOnce(SocketAddr) + Send + 'static,
) -> Result<(), Report> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Report::new(Kind::Fault, e))?;
    let router = server::web::router(&app, &App::routes());
    let address = port.address;
    let closing = app.clone();
    let served = runtime.block_on(async move {
        let mut interrupt =
            signal(SignalKind::interrupt()).map_err(|e| Report::new(Kind::Fault, e))?;
        let mut terminate =
            signal(SignalKind::terminate()).map_err(|e| Report::new(Kind::Fault, e))?;
        let stop = async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        serve(app, router, port, tls, stop, move || ready(address)).await
    });
    runtime.shutdown_timeout(server::web::limits::STOP_TIME_MAX);
    closing.settle().map_err(StoreError::report)?;
    served
}
