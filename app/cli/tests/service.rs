//! The service as systemd and the network meet it: readiness, watchdog, certificates, silent clients.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::io::Read as _;
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use harness::process::{Client, Server, prepared};
use server::ca::Authority;
use tempfile::TempDir;

/// Far longer than anything below takes on a busy machine; reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn the_service_manager_hears_when_it_is_ready_that_it_lives_and_that_it_stops() {
    let root = TempDir::new().unwrap();
    let (_, site) = prepared(root.path());
    let place = root.path().join("notify");
    let socket = UnixDatagram::bind(&place).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let variables = [
        ("NOTIFY_SOCKET", place.as_os_str()),
        ("WATCHDOG_USEC", "300000".as_ref()),
    ];
    let (server, _) = Server::serve_under(&site, &variables);
    hears(&socket, "READY=1");
    hears(&socket, "WATCHDOG=1");
    hears(&socket, "WATCHDOG=1");
    let (status, ..) = server.interrupt();
    assert_eq!(status.code(), Some(0));
    hears(&socket, "STOPPING=1");
}

fn hears(socket: &UnixDatagram, wanted: &str) {
    let mut bytes = [0_u8; 512];
    loop {
        let length = socket.recv(&mut bytes).expect(wanted);
        if String::from_utf8_lossy(&bytes[..length]).contains(wanted) {
            return;
        }
    }
}

#[test]
fn a_renewed_certificate_is_taken_into_use_and_a_broken_one_is_not() {
    let root = TempDir::new().unwrap();
    let (data, site) = prepared(root.path());
    let (server, base) = Server::serve(&site);
    let address = format!("{base}/sign-in");
    let used = Authority::in_dir(&data.join("tls"));
    assert!(Client::trusting(&used.ca_file).trusts(&address));

    base::paths::write_atomic(&used.tls.certificate, b"broken", 0o600).unwrap();
    let other = root.path().join("renewed");
    let today = base::clock::Clock::system().today();
    let host = [std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)];
    let renewed = Authority::create(&other, &["localhost"], &host, today).unwrap();
    assert!(
        Client::trusting(&used.ca_file).trusts(&address),
        "a broken certificate stopped the service"
    );
    for (from, to) in [
        (&renewed.tls.key, &used.tls.key),
        (&renewed.tls.certificate, &used.tls.certificate),
    ] {
        base::paths::write_atomic(to, &std::fs::read(from).unwrap(), 0o600).unwrap();
    }
    let begun = Instant::now();
    while !Client::trusting(&renewed.ca_file).trusts(&address) {
        assert!(
            begun.elapsed() < PATIENCE,
            "the renewed certificate is not used"
        );
        std::thread::park_timeout(Duration::from_millis(200));
    }
    drop(server);
}

#[test]
fn a_client_that_says_nothing_is_hung_up_on() {
    let root = TempDir::new().unwrap();
    let (_, site) = prepared(root.path());
    let (server, base) = Server::serve(&site);
    let port = base.rsplit(':').next().unwrap();
    let mut silent = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    silent.set_read_timeout(Some(PATIENCE)).unwrap();
    // An error here would be our own patience at its end; a closed connection reads as nothing.
    let read = silent.read(&mut [0_u8; 1]).expect("it is closed in time");
    assert_eq!(read, 0);
    drop(server);
}
