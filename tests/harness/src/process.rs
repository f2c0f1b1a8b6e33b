//! The real command as a process of its own: started, spoken to over TLS, stopped or killed.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use ureq::http::Response;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// The first start of a town takes seconds; a machine that is busy with other suites, minutes.
const START_MAX: Duration = Duration::from_secs(240);
/// What the product promises: asked to stop, it is gone within this.
pub const STOP_MAX: Duration = Duration::from_secs(5);

/// Who sits at the console of the suites.
pub const OPERATOR: &str = "試験 操作者";

/// `hokatsu` with these words, not started yet.
#[expect(
    clippy::disallowed_methods,
    reason = "suites start and kill real processes"
)]
pub fn hokatsu<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Command {
    let test = std::env::current_exe().expect("this test's file");
    // target/<profile>/deps/NAME-… lies two below the command's directory.
    let directory = test.ancestors().nth(2).expect("its directory");
    let binary = directory.join("hokatsu");
    assert!(binary.exists(), "{} is not built", binary.display());
    let mut command = Command::new(binary);
    command.args(words);
    command.env("HOKATSU_OPERATOR", OPERATOR);
    command.env("HOKATSU_REASON", "試験");
    command
}

/// Runs `hokatsu` to its end: exit code, standard output, standard error.
pub fn ended<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = hokatsu(words)
        .stdin(Stdio::null())
        .output()
        .expect("the command starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what people read is UTF-8");
    (
        status.code().expect("an exit code, not a signal"),
        text(stdout),
        text(stderr),
    )
}

/// A first data directory and its settings file below `root`, without a town. The file asks for
/// nothing but a password: suites about something else sign in by it.
pub fn prepared(root: &Path) -> (PathBuf, PathBuf) {
    let (data, site) = (root.join("data"), root.join("site.toml"));
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\ndata = \"{}\"\n[organisation]\nname = \"試験\"\n\
         insurer_no = \"112292\"\n",
        data.display()
    );
    base::paths::write_atomic(&site, text.as_bytes(), base::paths::MODE_PRIVATE)
        .expect("the settings can be written");
    let words: [&OsStr; 7] = [
        "--site".as_ref(),
        site.as_ref(),
        "init".as_ref(),
        "--admin".as_ref(),
        "admin".as_ref(),
        "--admin-name".as_ref(),
        "管理 者".as_ref(),
    ];
    let (code, _, errors) = ended(words);
    assert_eq!(code, 0, "{errors}");
    (data, site)
}

/// The same with a place for backups, `raid`, that `backup init` is still to make.
pub fn prepared_for_backups(root: &Path) -> (PathBuf, PathBuf) {
    let (data, site) = prepared(root);
    let password = root.join("password");
    let private = base::paths::MODE_PRIVATE;
    base::paths::write_atomic(&password, b"river stone lantern", private)
        .expect("the password can be written");
    let settings = std::fs::read_to_string(&site).expect("the settings");
    let text = format!(
        "{settings}\n[[backup.repositories]]\nname = \"raid\"\npath = \"{}\"\n\
         password_file = \"{}\"\n",
        root.join("raid").display(),
        password.display()
    );
    base::paths::write_atomic(&site, text.as_bytes(), private)
        .expect("the settings can be written");
    (data, site)
}

/// A running process; killed when dropped, so that a red test leaves nothing behind.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Everything it wrote to the channel that was listened to, once it has ended.
    lines: mpsc::Receiver<String>,
}

impl Server {
    /// `demo` on files below `dir`; the process and its JSON object.
    pub fn demo(dir: &Path) -> (Self, serde_json::Value) {
        let words: [&OsStr; 7] = [
            "demo".as_ref(),
            "--json".as_ref(),
            "--quiet".as_ref(),
            "--listen".as_ref(),
            "127.0.0.1:0".as_ref(),
            "--dir".as_ref(),
            dir.as_ref(),
        ];
        let mut child = hokatsu(words)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let server = Self::listen(child.stdout.take().expect("its output"), child);
        let line = server.line_where(|line| line.starts_with('{'));
        let ready = serde_json::from_str(&line).expect("one JSON object");
        (server, ready)
    }

    /// `serve` by this settings file; the process and its address, `https://localhost:PORT`.
    pub fn serve(site: &Path) -> (Self, String) {
        Self::serve_under(site, &[])
    }

    /// The same with variables, as a service manager sets them.
    pub fn serve_under(site: &Path, variables: &[(&str, &OsStr)]) -> (Self, String) {
        let words: [&OsStr; 3] = ["--site".as_ref(), site.as_ref(), "serve".as_ref()];
        let mut child = hokatsu(words)
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let server = Self::listen(child.stderr.take().expect("its errors"), child);
        let line = server.line_where(|line| line.starts_with("https://"));
        let address = line.split(' ').next().unwrap_or_default();
        let port = address.rsplit(':').next().unwrap_or_default();
        (server, format!("https://localhost:{port}"))
    }

    fn listen(out: impl Read + Send + 'static, child: Child) -> Self {
        let (sender, lines) = mpsc::channel();
        // Keeps reading, or the process would stop at a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        Self { child, lines }
    }

    fn line_where(&self, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let line = self.lines.recv_timeout(START_MAX);
            let line = line.expect("the process says that it is ready");
            if wanted(&line) {
                return line;
            }
        }
    }

    /// As a power cut would: without a word.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it has ended");
    }

    /// As Ctrl-C does; how it ended, how long that took, and what it still said.
    pub fn interrupt(mut self) -> (ExitStatus, Duration, Vec<String>) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let asked = Instant::now();
        kill_process(id.expect("its number"), Signal::INT).expect("it can be asked");
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                let took = asked.elapsed();
                return (status, took, self.lines.iter().collect());
            }
            assert!(asked.elapsed() < STOP_MAX * 4, "it does not stop");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails when the process is gone already, and that is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Makes a settings file ask for any free port, so that a later start is never in somebody's way.
pub fn listen_anywhere(site: &Path) {
    let text = std::fs::read_to_string(site).expect("the settings");
    let lines = text.lines().map(|line| {
        if line.starts_with("listen = ") {
            "listen = \"127.0.0.1:0\""
        } else {
            line
        }
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    base::paths::write_atomic(site, text.as_bytes(), base::paths::MODE_PRIVATE)
        .expect("the settings can be written");
}

/// How [`Client::upload`] says what it sends.
const MULTIPART: &str = "multipart/form-data; boundary=----part";

/// A body that breaks off.
struct Cut;

impl Read for Cut {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("hung up"))
    }
}

/// A browser over TLS that trusts one authority and keeps one cookie.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    cookie: String,
    token: String,
}

impl Client {
    /// Trusts what `ca_file` (PEM) says and nothing else.
    pub fn trusting(ca_file: impl Into<PathBuf>) -> Self {
        // Fails when the process chose a provider before, which is the same one.
        drop(rustls::crypto::ring::default_provider().install_default());
        let pem = std::fs::read(ca_file.into()).expect("the authority's certificate");
        let root = Certificate::from_pem(&pem)
            .expect("a certificate")
            .to_owned();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&[root]))
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        Self {
            agent: agent.into(),
            cookie: String::new(),
            token: String::new(),
        }
    }

    /// A page; status and text.
    pub fn get(&mut self, address: &str) -> (u16, String) {
        let mut answer = self.ask(address).expect("an answer");
        let text = answer.body_mut().read_to_string().expect("a page in UTF-8");
        (answer.status().as_u16(), text)
    }

    /// Does somebody answer there whom this client trusts?
    pub fn trusts(&mut self, address: &str) -> bool {
        self.ask(address).is_ok()
    }

    fn ask(&mut self, address: &str) -> Result<Response<ureq::Body>, ureq::Error> {
        let asked = self.agent.get(address).header("cookie", &self.cookie);
        let answer = asked.call()?;
        self.keep_cookie(&answer);
        Ok(answer)
    }

    /// Signs in at `base`; true when it worked.
    pub fn sign_in(&mut self, base: &str, login: &str, password: &str) -> bool {
        self.take_token(&format!("{base}/sign-in"));
        let fields = [("login", login), ("password", password)];
        let answer = self
            .post(&format!("{base}/sign-in"), &fields)
            .expect("an answer");
        self.keep_cookie(&answer);
        let welcome = answer.status() == 303;
        if welcome {
            self.take_token(&format!("{base}/password"));
        }
        welcome
    }

    /// Takes the token of the forms from a page.
    pub fn take_token(&mut self, address: &str) {
        let (_, text) = self.get(address);
        let (_, after) = text
            .split_once("name=\"csrf\" value=\"")
            .expect("a page with a token");
        after
            .split('"')
            .next()
            .unwrap_or_default()
            .clone_into(&mut self.token);
    }

    /// Sends a form with the token of this session; nothing when nobody answers.
    pub fn post(&self, address: &str, fields: &[(&str, &str)]) -> Option<Response<ureq::Body>> {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("csrf", &self.token)
            .extend_pairs(fields)
            .finish();
        let asked = self.agent.post(address).header("cookie", &self.cookie);
        let kind = "application/x-www-form-urlencoded";
        asked.header("content-type", kind).send(body).ok()
    }

    /// Sends a form with one file, as a browser does; nothing when nobody answers.
    pub fn upload(
        &self,
        address: &str,
        fields: &[(&str, &str)],
        name: &str,
        content: &[u8],
    ) -> Option<Response<ureq::Body>> {
        let mut body = self.parts(fields, name);
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n------part--\r\n");
        let asked = self.agent.post(address).header("cookie", &self.cookie);
        let asked = asked.header("content-type", MULTIPART);
        asked.send(body.as_slice()).ok()
    }

    /// Begins to send a form with a file and hangs up after so many bytes of it.
    pub fn upload_cut(&self, address: &str, name: &str, bytes: usize) {
        let mut body = self.parts(&[], name);
        body.resize(body.len() + bytes, b'x');
        let mut cut = std::io::Cursor::new(body).chain(Cut);
        let asked = self.agent.post(address).header("cookie", &self.cookie);
        let asked = asked.header("content-type", MULTIPART);
        let answer = asked.send(ureq::SendBody::from_reader(&mut cut));
        assert!(answer.is_err(), "the whole form went through");
    }

    /// Everything up to the content of the file.
    fn parts(&self, fields: &[(&str, &str)], name: &str) -> Vec<u8> {
        let mut text = String::new();
        for (field, value) in [&[("csrf", self.token.as_str())], fields].concat() {
            let head = format!("content-disposition: form-data; name=\"{field}\"");
            text.push_str(&format!("------part\r\n{head}\r\n\r\n{value}\r\n"));
        }
        let head = "content-disposition: form-data; name=\"files\"; filename=";
        text.push_str(&format!("------part\r\n{head}\"{name}\"\r\n\r\n"));
        text.into_bytes()
    }

    fn keep_cookie(&mut self, answer: &Response<ureq::Body>) {
        for cookie in answer.headers().get_all("set-cookie") {
            let text = cookie.to_str().unwrap_or_default();
            let pair = text.split(';').next().unwrap_or_default();
            // An empty value takes a cookie away, as sign-in does with that of its own form.
            if !pair.ends_with('=') {
                pair.clone_into(&mut self.cookie);
            }
        }
    }
}
