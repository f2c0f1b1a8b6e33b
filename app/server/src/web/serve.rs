//! Opens the port, tells systemd, and stops without cutting anybody off.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use base::report::{Kind, Report, Runbook};
use tower_http::compression::CompressionLayer;

use crate::app::App;
use crate::web::daily;
use crate::web::limits::{HEADER_TIME_MAX, STOP_TIME_MAX};
use crate::web::tls::{self, TlsSettings};
use crate::web::work::background;

/// How often the console's notes are looked for.
const NOTES_EVERY: Duration = Duration::from_secs(30);
/// How often files are looked for that nobody looked through yet.
const SCANS_EVERY: Duration = Duration::from_secs(300);

/// A port that is ours, before anything else is started.
#[derive(Debug)]
pub struct Port {
    listener: TcpListener,
    /// Where it listens; the real number when 0 was asked for.
    pub address: SocketAddr,
}

impl Port {
    /// Takes the port.
    ///
    /// # Errors
    /// A [`Report`] when it is taken or not allowed.
    pub fn open(address: SocketAddr) -> Result<Self, Report> {
        let busy = |error| {
            Report::new(Kind::Network, error)
                .staff("サーバを始められませんでした。")
                .operator(
                    "待ち受けるポートを使えません。\
                 ほかの処理が使用中か、権限がありません。--listen で別の番号にできます",
                    Runbook::PortInUse,
                )
                .at(address.to_string())
        };
        let listener = TcpListener::bind(address).map_err(busy)?;
        listener.set_nonblocking(true).map_err(busy)?;
        let address = listener.local_addr().map_err(busy)?;
        Ok(Self { listener, address })
    }
}

/// Serves until `stop` is done; requests under way get [`STOP_TIME_MAX`] to finish. `ready` is
/// called once connections are accepted.
///
/// # Errors
/// A [`Report`] when certificate or port cannot be used.
pub async fn run(
    app: App,
    router: Router,
    port: Port,
    tls: TlsSettings,
    stop: impl Future<Output = ()> + Send + 'static,
    ready: impl FnOnce() + Send + 'static,
) -> Result<(), Report> {
    let live = RustlsConfig::from_config(tls::load(&tls)?);
    let handle = Handle::new();
    let watch = background(tls::watch(tls, live.clone()));
    let notes = background(notes(app.clone()));
    let daily = background(daily::run(app.clone()));
    let scans = background(scans(app.clone()));
    let watchdog = background(watchdog(app));
    let stopper = handle.clone();
    let stopping = background(async move {
        stop.await;
        notify(&[sd_notify::NotifyState::Stopping]);
        stopper.graceful_shutdown(Some(STOP_TIME_MAX));
    });
    let accepted = handle.clone();
    let announce = background(async move {
        if accepted.listening().await.is_some() {
            notify(&[sd_notify::NotifyState::Ready]);
            ready();
        }
    });
    let service = router
        .layer(CompressionLayer::new())
        .into_make_service_with_connect_info::<SocketAddr>();
    let address = port.address.to_string();
    let failed = move |error| Report::new(Kind::Network, error).at(&address);
    let mut server = axum_server::from_tcp_rustls(port.listener, live)
        .map_err(&failed)?
        .handle(handle)
        .first_request_timeout(HEADER_TIME_MAX);
    // Off unless said: without it a client that sends a byte a minute holds a connection for ever.
    let mut http1 = server.http_builder().http1();
    http1.header_read_timeout(HEADER_TIME_MAX);
    let mut http2 = server.http_builder().http2();
    http2.keep_alive_interval(HEADER_TIME_MAX);
    http2.keep_alive_timeout(HEADER_TIME_MAX);
    let served = server.serve(service).await;
    for task in [watch, notes, daily, scans, watchdog, stopping, announce] {
        task.abort();
    }
    served.map_err(failed)
}

/// Takes in what was done at the console beside us, and puts away copies of the past that nobody uses.
async fn notes(app: App) {
    loop {
        tokio::time::sleep(NOTES_EVERY).await;
        let asked = app.clone();
        let taken = app.desk().run(move || Ok(asked.db().take_notes()?)).await;
        app.openings().sweep(app.clock().now());
        if taken.is_err() {
            log::error!("notes of the console could not be taken into the access log");
        }
    }
}

/// Has files looked through for viruses that nobody looked through yet.
async fn scans(app: App) {
    loop {
        tokio::time::sleep(SCANS_EVERY).await;
        let asked = app.clone();
        if let Err(problem) = app.desk().run(move || asked.scan_due()).await {
            problem.log("(scans)");
        }
    }
}

/// Tells systemd that we are alive, as long as the database answers.
async fn watchdog(app: App) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    let pause = limit.checked_div(3).unwrap_or(Duration::from_secs(10));
    loop {
        tokio::time::sleep(pause).await;
        let asked = app.clone();
        let alive = app.desk().run(move || Ok(asked.is_alive())).await;
        if matches!(alive, Ok(true)) {
            notify(&[sd_notify::NotifyState::Watchdog]);
        } else {
            log::error!("database does not answer; watchdog not fed");
        }
    }
}

/// Outside systemd there is nobody to tell, and that is fine.
fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::warn!("systemd could not be told: {error}");
    }
}
