//! Stock servers on the loopback, each with its own port, keys and directory; they end with their test.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub(crate) const USER: &str = "wako";
pub(crate) const PASSWORD: &str = "a login of the test";
pub(crate) const BUCKET: &str = "hokatsu-test";
const START_LIMIT: Duration = Duration::from_secs(60);

#[expect(
    clippy::disallowed_methods,
    reason = "runs stock tools, outside anything we ship"
)]
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    // What the machine of the test sets for other tools is none of theirs.
    for name in [
        "AWS_CA_BUNDLE",
        "RCLONE_CONFIG_DIR",
        "http_proxy",
        "https_proxy",
    ] {
        command.env_remove(name);
    }
    command
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

pub(crate) fn secret(path: &Path, text: &str) -> PathBuf {
    base::paths::write_atomic(path, text.as_bytes(), base::paths::MODE_PRIVATE).unwrap();
    path.to_owned()
}

/// A process that ends when this is dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Started, and listening on the port.
    pub(crate) fn listening(mut command: Command, port: u16) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{command:?}: {e}: run `cargo xtask setup`"));
        let mut process = Self(child);
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = process.0.try_wait().unwrap();
            assert!(ended.is_none(), "{command:?} ended: {ended:?}");
            assert!(began.elapsed() < START_LIMIT, "{command:?} does not listen");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        process
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// `rclone serve restic`: a server of the protocol, on a directory.
pub(crate) struct RestServer {
    pub(crate) dir: PathBuf,
    pub(crate) port: u16,
    options: Vec<String>,
    process: Option<Process>,
}

impl RestServer {
    pub(crate) fn start(dir: &Path, options: &[&str]) -> Self {
        let mut server = Self {
            dir: dir.join("server"),
            port: free_port(),
            options: options.iter().map(|word| (*word).to_owned()).collect(),
            process: None,
        };
        fs::create_dir_all(&server.dir).unwrap();
        server.begin();
        server
    }

    pub(crate) fn begin(&mut self) {
        let mut command = program("rclone");
        command
            .args(["serve", "restic", "--addr"])
            .arg(format!("127.0.0.1:{}", self.port))
            .args(["--user", USER, "--pass", PASSWORD])
            .args(&self.options)
            .arg(&self.dir)
            .env("RCLONE_CONFIG", "");
        self.process = Some(Process::listening(command, self.port));
    }

    pub(crate) fn end(&mut self) {
        self.process = None;
    }
}

/// An SSH server that knows one key.
pub(crate) struct SshServer {
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) key: PathBuf,
    pub(crate) known_hosts: PathBuf,
    pub(crate) store: PathBuf,
    _process: Process,
}

fn make_key(path: &Path) {
    let mut command = program("ssh-keygen");
    command
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path);
    assert!(command.status().unwrap().success());
}

impl SshServer {
    pub(crate) fn start(dir: &Path) -> Self {
        let (host, key) = (dir.join("host"), dir.join("key"));
        make_key(&host);
        make_key(&key);
        let authorized = dir.join("authorized");
        fs::copy(dir.join("key.pub"), &authorized).unwrap();
        let port = free_port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             Subsystem sftp internal-sftp\n",
            host.display(),
            authorized.display()
        );
        let config = secret(&dir.join("sshd_config"), &config);
        let known = known_host(dir, port, &dir.join("host.pub"));
        let store = dir.join("store");
        fs::create_dir(&store).unwrap();
        // Where the package's service would make it.
        fs::create_dir_all("/run/sshd").unwrap();
        let mut command = program("/usr/sbin/sshd");
        command.args(["-D", "-f"]).arg(config);
        let user = program("id").arg("-un").output().unwrap().stdout;
        Self {
            port,
            user: String::from_utf8(user).unwrap().trim().to_owned(),
            key,
            known_hosts: known,
            store,
            _process: Process::listening(command, port),
        }
    }
}

/// A file that says whose key is at this port.
pub(crate) fn known_host(dir: &Path, port: u16, public: &Path) -> PathBuf {
    let public = fs::read_to_string(public).unwrap();
    let words: Vec<&str> = public.split(' ').take(2).collect();
    let line = format!("[127.0.0.1]:{port} {}\n", words.join(" "));
    secret(&dir.join("known_hosts"), &line)
}

/// Another key, of which nobody knows.
pub(crate) fn foreign_key(dir: &Path) -> PathBuf {
    let path = dir.join("foreign");
    make_key(&path);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// A bucket of `moto`, which answers as S3 does.
pub(crate) struct BucketServer {
    pub(crate) port: u16,
    _process: Process,
}

impl BucketServer {
    pub(crate) fn start() -> Self {
        let port = free_port();
        let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("test-tools");
        let mut command = program(tools.join("python/bin/moto_server"));
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let process = Process::listening(command, port);
        let made = ureq::put(format!("http://127.0.0.1:{port}/{BUCKET}")).send_empty();
        assert!(made.unwrap().status().is_success());
        Self {
            port,
            _process: process,
        }
    }
}

/// What a test's directory and its server's data lie in.
pub(crate) fn room() -> TempDir {
    tempfile::tempdir().unwrap()
}
