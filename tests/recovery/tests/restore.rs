//! An older state in the place of the present one, through the real command: the whole path and back,
//! killed at every stage, an old machine that returns, damage, and what it must refuse.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backup::records::Job;
use backup::{Chunking, RepositorySettings, Source, Turn};
use base::clock::Clock;
use harness::process::{Client, Server, ended, hokatsu, listen_anywhere};
use serde_json::Value;
use store::{Actor, DataDir, Db, Event, Operation, StoreError, SystemReason};
use tempfile::TempDir;

const NURSE: &str = "ch.nurse1";

/// A town with two repositories that hold one snapshot of it.
struct Town {
    site: PathBuf,
    data: DataDir,
    dir: PathBuf,
    root: TempDir,
}

impl Town {
    fn build() -> Self {
        let root = TempDir::new().unwrap();
        Self::inside(root, "town")
    }

    fn inside(root: TempDir, name: &str) -> Self {
        let dir = root.path().join(name);
        let (server, _) = Server::demo(&dir);
        server.kill();
        let site = dir.join("site.toml");
        listen_anywhere(&site);
        Self {
            data: DataDir::new(dir.join("data")),
            site,
            dir,
            root,
        }
    }

    fn repository(&self, name: &str) -> RepositorySettings {
        RepositorySettings {
            name: name.to_owned(),
            location: self.dir.join("repositories").join(name).into(),
            password_file: self
                .dir
                .join("repositories")
                .join(format!("{name}.password")),
            chunking: Chunking::Fixed16KiB,
        }
    }

    fn words<'w>(&'w self, words: &[&'w str]) -> Vec<&'w str> {
        [&["--json", "--site", self.site.to_str().unwrap()], words].concat()
    }

    fn run(&self, words: &[&str]) -> (i32, Value, String) {
        let (code, out, errors) = ended(self.words(words));
        let told = serde_json::from_str(&out).unwrap_or(Value::Null);
        (code, told, errors)
    }

    /// What was decided after the snapshot.
    fn later(&self) {
        write(
            &self.data,
            &[
                "insert into shields (resident_id, kind, planned_until, reason, recorded_by,
                   recorded_at)
                 select min(id), 'city', null, '試験', null, '2026-11-24' from residents
                 where resident_state = '1' and shielded = 0",
                "insert into staff_post_endings (post_id, ends_on, reason, recorded_by, recorded_at)
                 select p.id, '2026-01-01', '退職', null, '2026-11-24' from staff_posts p
                 join staff s on s.id = p.staff_id where s.login = 'ch.social2'",
                "insert into codes (list, code, label, position, valid_from, valid_to, source,
                   unconfirmed) values ('later', '1', '後から', 1, '2026-11-24', null, '', 0)",
            ],
        );
    }

    fn count(&self, sql: &str) -> i64 {
        count(&self.data, sql)
    }

    /// Directories that keep a former state, oldest first.
    fn kept(&self) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = fs::read_dir(&self.dir)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.to_string_lossy().contains("data.before-"))
            .collect();
        found.sort();
        found
    }

    /// Nothing of a restore under way is left.
    fn is_tidy(&self) -> bool {
        let left = ["data.restoring", "data.restore.json", "data.former.db"];
        let stamp = self.data.path().join(".hokatsu-swapped");
        !stamp.exists() && left.iter().all(|name| !self.dir.join(name).exists())
    }
}

const LATER: &str = "select count(*) from codes where list = 'later'";
const SHIELDED: &str = "select count(*) from shields s where s.kind = 'city' and not exists
    (select 1 from shield_endings e where e.shield_id = s.id)";
const OPEN: &str = "select count(*) from sessions where ended_at is null";

fn write(data: &DataDir, statements: &[&str]) {
    let db = Db::open(data, Clock::system()).unwrap();
    let actor = Actor::system("試験");
    db.system(&actor, SystemReason::Demo, |tx| {
        for statement in statements {
            tx.execute(statement, [])?;
        }
        Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
    })
    .unwrap();
    db.close().unwrap();
}

fn count(data: &DataDir, sql: &str) -> i64 {
    let db = Db::open(data, Clock::system()).expect("the state opens");
    let counted: Result<i64, StoreError> =
        db.system_read(SystemReason::Demo, |tx| tx.count(sql, []));
    db.close().unwrap();
    counted.unwrap()
}

/// Every file below a directory but those that change by opening it.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(place) = open.pop() {
        for entry in fs::read_dir(&place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_path_buf();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn put(path: &Path, text: &str) {
    base::paths::write_atomic(path, text.as_bytes(), base::paths::MODE_PRIVATE).unwrap();
}

fn copied(from: &Path, to: &Path) {
    for (name, bytes) in files(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        base::paths::write_atomic(&path, &bytes, base::paths::MODE_PRIVATE).unwrap();
    }
}

#[test]
fn an_older_state_comes_back_protects_as_before_and_can_be_put_back() {
    let town = Town::build();
    let (code, _, errors) = town.run(&["backup", "run"]);
    assert_eq!(code, 0, "{errors}");
    let shielded = town.count(SHIELDED);
    let (server, address) = Server::serve(&town.site);
    let mut client = Client::trusting(town.data.tls().join("ca.pem"));
    assert!(client.sign_in(&address, NURSE, &demo::staff::password(NURSE)));

    // Nothing is replaced under a service that runs.
    let restore = ["restore", "--repository", "raid", "--yes"];
    let (code, _, errors) = town.run(&restore);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("runbooks/data-dir-in-use.md"), "{errors}");
    server.kill();
    town.later();
    let keys = fs::read(town.data.factor_keys()).unwrap();
    let sheets = r#"{"last":7,"sheets":[]}"#;
    put(&town.data.recovery_sheets(), sheets);
    let records = fs::read(town.data.backup_records().join("runs.jsonl")).unwrap();

    let (code, told, plan) = town.run(&["restore", "--repository", "raid", "--dry-run"]);
    assert_eq!(
        (code, &told["lost"]["readable"]),
        (0, &true.into()),
        "{plan}"
    );
    for part in [
        "かかる時間",
        "失われるもの",
        "そのほかの行",
        "置き換わるもの",
    ] {
        assert!(plan.contains(part), "{plan}");
    }
    assert_eq!(town.count(LATER), 1, "a plan changes nothing");

    let (code, told, errors) = town.run(&restore);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(
        (&told["epoch"], &told["former_readable"]),
        (&1.into(), &true.into())
    );
    assert!(town.is_tidy());
    let [kept] = town.kept().try_into().expect("one former state");
    assert_eq!(told["kept"], kept.to_str().unwrap());
    assert_eq!(town.count(LATER), 0, "the older state");
    assert_eq!(town.count(SHIELDED), shielded + 1);
    assert_eq!(town.count(OPEN), 0, "a session of before goes on");
    let left = "select count(*) from staff_terms t join staff s on s.id = t.staff_id
        where s.login = 'ch.social2' and t.ends_on = '2026-01-01'";
    assert_eq!(town.count(left), 1);
    assert_eq!(fs::read(town.data.factor_keys()).unwrap(), keys);
    let now = fs::read(town.data.backup_records().join("runs.jsonl")).unwrap();
    assert_eq!(now, records, "what was saved is known as before");
    let now = fs::read_to_string(town.data.recovery_sheets()).unwrap();
    assert_eq!(now, sheets, "the sheets are those of today");
    let entry = "select count(*) from audit_entries where operation = 'restore' and detail like
        '復元／元＝保管先 raid の控え%戻す前のアクセスログ＝%操作者＝試験 操作者／操作の理由＝試験'";
    assert_eq!(town.count(entry), 1);
    let verdict = store::audit::verify(&town.data, None).unwrap();
    assert_eq!(verdict.findings, []);
    // The service starts on it, and nobody goes on with what they had.
    let (server, address) = Server::serve(&town.site);
    let (status, _) = client.get(&format!("{address}/residents"));
    assert_ne!(status, 200);
    assert!(client.sign_in(&address, NURSE, &demo::staff::password(NURSE)));
    server.kill();
    let (code, _, errors) = town.run(&["backup", "run"]);
    assert_eq!(code, 0, "{errors}");

    let (code, listed, errors) = town.run(&["restore", "list"]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(
        (&listed["epoch"], &listed["kept"][0]["epoch"]),
        (&1.into(), &0.into())
    );
    let (code, told, errors) = town.run(&["restore", "undo", "--yes"]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(told["epoch"], 2);
    assert!(town.is_tidy());
    assert_eq!(town.count(LATER), 1, "what was put away is back");
    assert_eq!(town.count(OPEN), 0);
    assert_eq!(town.kept().len(), 1, "the state that was put away is kept");
    let now = fs::read(town.data.backup_records().join("runs.jsonl")).unwrap();
    assert!(now.len() > records.len(), "the run between both is known");
    let (code, _, errors) = town.run(&["backup", "run"]);
    assert_eq!(code, 0, "it goes on with what the other began: {errors}");
}

#[test]
fn an_old_machine_that_returns_adds_nothing_until_somebody_decides() {
    let town = Town::build();
    let old = town.root.path().join("old");
    copied(town.data.path(), &old);
    let old = old.to_str().unwrap();
    let (code, _, errors) = town.run(&["restore", "--repository", "disk-a", "--yes"]);
    assert_eq!(code, 0, "{errors}");
    for words in [["backup", "run"], ["restore", "list"]] {
        let (code, _, errors) = town.run(&[&["--data", old], &words[..]].concat());
        assert!(errors.contains("runbooks/machine-fenced.md"), "{errors}");
        assert_eq!(code, if words[0] == "backup" { 3 } else { 1 }, "{errors}");
    }
    let (code, told, errors) = town.run(&["--data", old, "restore", "take-over", "--yes"]);
    assert_eq!((code, &told["epoch"]), (0, &2.into()), "{errors}");
    let (code, _, errors) = town.run(&["--data", old, "backup", "run"]);
    assert_eq!(code, 0, "{errors}");
    let (code, _, errors) = town.run(&["backup", "run"]);
    assert_eq!(code, 3, "now the other one is the old one: {errors}");
}

/// Ends the command as soon as it has said this, as a power cut would; false when it never did.
fn killed_at(town: &Town, words: &[&str], line: &str) -> bool {
    let mut command = hokatsu(town.words(words));
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let errors = BufReader::new(child.stderr.take().unwrap());
    let said = errors
        .lines()
        .map_while(Result::ok)
        .any(|told| told.contains(line));
    child.kill().unwrap();
    child.wait().unwrap();
    said
}

#[test]
fn killed_at_any_stage_one_state_is_whole_and_running_again_ends_it() {
    let town = Town::build();
    let restore = ["restore", "--repository", "raid", "--yes"];
    for line in [
        "復元の計画",
        "ファイルを戻しています",
        "戻した記録を調べています",
        "使える状態にしています",
        "再適用: 支援措置",
    ] {
        write(
            &town.data,
            &["insert into sessions (token_hash, staff_id, csrf, terminal,
            started_at, last_seen_at) select randomblob(8), min(id), '', '', '2026-11-24',
            '2026-11-24' from staff"],
        );
        town.later_once();
        assert!(killed_at(&town, &restore, line), "it never said {line}");
        let verdict = store::audit::verify(&town.data, None).unwrap();
        assert_eq!(verdict.findings, [], "after {line}");
        let (code, _, errors) = town.run(&["restore", "--yes", "--repository", "raid"]);
        assert_eq!(code, 0, "after {line}: {errors}");
        assert!(town.is_tidy(), "after {line}");
        assert_eq!(town.count(LATER), 0, "after {line}");
        assert_eq!(town.count(OPEN), 0, "after {line}");
        let (code, _, errors) = town.run(&["restore", "undo", "--yes"]);
        assert_eq!(code, 0, "after {line}: {errors}");
        assert_eq!(town.count(LATER), 1, "after {line}");
        assert!(town.is_tidy(), "after {line}");
    }
}

impl Town {
    fn later_once(&self) {
        if self.count(LATER) == 0 {
            self.later();
        }
    }
}

/// Moments spread over the life of the command, which fall between any two steps.
#[test]
fn killed_at_moments_over_its_whole_life_nothing_is_half() {
    const KILLS: u32 = 14;
    let town = Town::build();
    town.later();
    let began = Instant::now();
    let restore = ["restore", "--repository", "raid", "--yes"];
    let (code, _, errors) = town.run(&restore);
    assert_eq!(code, 0, "{errors}");
    let life = began.elapsed();
    let (code, _, errors) = town.run(&["restore", "undo", "--yes"]);
    assert_eq!(code, 0, "{errors}");
    let mut swapped = 0;
    for kill in 0..KILLS {
        let mut command = hokatsu(town.words(&restore));
        let command = command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        // More of them near the end, where the names change.
        let part = f64::from(kill + 1) / f64::from(KILLS);
        let at = life.mul_f64(part.sqrt() * 1.02);
        std::thread::park_timeout(at);
        child.kill().unwrap();
        child.wait().unwrap();
        let verdict = store::audit::verify(&town.data, None).unwrap();
        assert_eq!(verdict.findings, [], "kill {kill}");
        let is_old = town.count(LATER) == 0;
        swapped += u32::from(is_old);
        if !town.is_tidy() {
            let (code, _, errors) = town.run(&restore);
            assert_eq!(code, 0, "kill {kill}: {errors}");
            assert_eq!(town.count(LATER), 0, "kill {kill}");
        }
        assert!(town.is_tidy(), "kill {kill}");
        if town.count(LATER) == 0 {
            let (code, _, errors) = town.run(&["restore", "undo", "--yes"]);
            assert_eq!(code, 0, "kill {kill}: {errors}");
        }
        assert_eq!(town.count(LATER), 1, "kill {kill}");
    }
    println!("kills: {KILLS} over {life:?}, of them behind the exchange: {swapped}");
}

#[test]
fn a_restore_waits_for_the_job_that_reads_the_present_state() {
    let town = Town::build();
    let records = town.data.backup_records();
    let (job, _) = Turn::take(&records, Job::Run, "raid", Clock::system().now()).unwrap();
    let mut restoring = hokatsu(town.words(&["restore", "--repository", "disk-a", "--yes"]))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(restoring.stderr.take().unwrap()).lines();
    let waits = told.next().unwrap().unwrap();
    assert!(
        waits.contains("バックアップ、pid") && waits.contains("待っています"),
        "{waits}"
    );
    assert!(restoring.try_wait().unwrap().is_none());
    assert!(town.kept().is_empty() && town.is_tidy());
    drop(job);
    let told: Vec<String> = told.map(Result::unwrap).collect();
    assert!(restoring.wait().unwrap().success(), "{told:?}");
    assert_eq!(town.kept().len(), 1);
    // Nothing that died is told of: the one who restored had the turn, and it ended with the state that is left.
    let (_, died) = Turn::take(&records, Job::Run, "raid", Clock::system().now()).unwrap();
    assert_eq!(died, None);
}

#[test]
fn a_restore_cut_short_can_be_dropped_and_leaves_nothing() {
    let town = Town::build();
    let restore = ["restore", "--repository", "raid", "--yes"];
    assert!(killed_at(&town, &restore, "戻した記録を調べています"));
    let (code, _, errors) = town.run(&["backup", "run"]);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("途中で止まった復元"), "{errors}");
    // Another one is not begun on top of it.
    let (code, _, errors) = town.run(&["restore", "--repository", "disk-a", "--yes"]);
    assert_eq!(code, 2, "{errors}");
    let (code, _, errors) = town.run(&["restore", "undo", "--yes"]);
    assert_eq!(code, 0, "{errors}");
    assert!(town.is_tidy() && town.kept().is_empty());
    let (code, _, errors) = town.run(&["backup", "run"]);
    assert_eq!(code, 0, "{errors}");
}

fn flip_in_every_pack(repository: &RepositorySettings) -> usize {
    let packs = files(&repository.location.directory().unwrap().join("data"));
    for (name, mut bytes) in packs.clone() {
        let middle = bytes.len() / 3;
        *bytes.get_mut(middle).unwrap() ^= 1;
        let path = repository
            .location
            .directory()
            .unwrap()
            .join("data")
            .join(name);
        base::paths::write_atomic(&path, &bytes, base::paths::MODE_PRIVATE).unwrap();
    }
    packs.len()
}

/// Spoils the first half of the largest pack, where the database is; the manifest is behind it.
fn spoil_largest_pack(repository: &RepositorySettings) {
    let packs = files(&repository.location.directory().unwrap().join("data"));
    let (name, mut bytes) = packs.into_iter().max_by_key(|(_, b)| b.len()).unwrap();
    let half = bytes.len() / 2;
    for byte in bytes.iter_mut().take(half).step_by(512) {
        *byte ^= 1;
    }
    let path = repository
        .location
        .directory()
        .unwrap()
        .join("data")
        .join(name);
    base::paths::write_atomic(&path, &bytes, base::paths::MODE_PRIVATE).unwrap();
}

#[test]
fn what_one_repository_lost_comes_from_the_other_and_what_both_lost_replaces_nothing() {
    let town = Town::build();
    town.later();
    let bent = flip_in_every_pack(&town.repository("raid"));
    let restore = ["restore", "--repository", "raid", "--yes"];
    let (code, told, errors) = town.run(&restore);
    assert_eq!(code, 0, "{bent} packs: {errors}");
    assert!(
        errors.contains("保管先「disk-a」から戻した: hokatsu.db"),
        "{errors}"
    );
    assert_eq!(told["flawed"], false);
    assert_eq!(town.count(LATER), 0);
    let (code, _, errors) = town.run(&["restore", "undo", "--yes"]);
    assert_eq!(code, 0, "{errors}");

    spoil_largest_pack(&town.repository("raid"));
    spoil_largest_pack(&town.repository("disk-a"));
    let other = ["restore", "--repository", "disk-a", "--yes"];
    let (code, _, errors) = town.run(&other);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("runbooks/restore-failed.md"), "{errors}");
    assert!(errors.contains("壊れている表: "), "{errors}");
    assert!(town.is_tidy(), "{errors}");
    assert_eq!(town.count(LATER), 1, "something was replaced");
    // Not even a list of what there was.
    flip_in_every_pack(&town.repository("disk-a"));
    let (code, _, errors) = town.run(&other);
    assert_eq!(code, 3, "{errors}");
    assert!(town.is_tidy(), "{errors}");
}

#[test]
fn a_state_that_cannot_be_read_is_replaced_and_what_it_knew_is_left_to_people() {
    let town = Town::build();
    let garbage = vec![0x5a; 200_000];
    base::paths::write_atomic(&town.data.database(), &garbage, 0o600).unwrap();
    for end in ["-wal", "-shm"] {
        let path = town.data.path().join(format!("hokatsu.db{end}"));
        if path.exists() {
            fs::remove_file(path).unwrap();
        }
    }
    let (code, told, errors) = town.run(&["restore", "--repository", "raid", "--yes"]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(told["former_readable"], false);
    assert!(
        errors.contains("戻す前の記録を（すべては）読めませんでした"),
        "{errors}"
    );
    let open = "select count(*) from restore_items where readable = 0";
    assert!(town.count(open) >= 15, "kinds left to people");
}

#[test]
fn a_bare_machine_gets_everything_and_so_does_one_file() {
    let town = Town::build();
    let bare = town.root.path().join("bare/data");
    fs::create_dir(bare.parent().unwrap()).unwrap();
    let place = bare.to_str().unwrap();
    let words = [
        "--data",
        place,
        "restore",
        "--repository",
        "disk-a",
        "--yes",
    ];
    let (code, told, errors) = town.run(&words);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(told["kept"], "");
    let verdict = store::audit::verify(&DataDir::new(&bare), None).unwrap();
    assert_eq!(verdict.findings, []);

    let to = town.root.path().join("one");
    let to = to.to_str().unwrap();
    let only = ["restore", "--to", to, "--yes", "--only"];
    let (code, _, errors) = town.run(&[&only[..], &["nowhere/site.toml"]].concat());
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("似た名前: site.toml"), "{errors}");
    let (code, told, errors) = town.run(&[&only[..], &["keys/audit.pub"]].concat());
    assert_eq!((code, &told["equal"]), (0, &true.into()), "{errors}");
    let one = Path::new(to).join("audit.pub");
    assert_eq!(
        fs::read(one).unwrap(),
        fs::read(town.data.audit_public_key()).unwrap()
    );
    let (code, _, errors) = town.run(&[&only[..], &["keys/audit.pub"]].concat());
    assert_eq!(code, 2, "it is there already: {errors}");
}

/// A snapshot as another version of the program would have made it.
fn saved_by_another(town: &Town, dir: &Path, schema: i64, program: &str) {
    let facts = store::facts_of(&DataDir::new(dir).database()).unwrap();
    let mut facts = serde_json::to_value(facts).unwrap();
    let told = facts.as_object_mut().unwrap();
    told.insert("schema".to_owned(), schema.into());
    told.insert("program".to_owned(), program.into());
    let source = Source {
        dir: dir.to_path_buf(),
        beside: Vec::new(),
        label: "hokatsu".to_owned(),
        host: "another".to_owned(),
        taken_at: Clock::system().now(),
        facts,
    };
    let quiet: Arc<dyn backup::Progress> = Arc::new(backup::Quiet);
    backup::run(&town.repository("raid"), &source, &quiet).unwrap();
}

#[test]
fn a_newer_schema_is_refused_with_its_version_and_an_older_one_is_migrated_in_the_copy() {
    let town = Town::build();
    let place = town.root.path().join("other");
    let to = place.to_str().unwrap();
    let (code, _, errors) = town.run(&["restore", "--to", to, "--yes"]);
    assert_eq!(code, 0, "{errors}");
    let before = files(town.data.path());
    saved_by_another(&town, &place, 999, "9.9.9");
    let restore = ["restore", "--repository", "raid", "--yes"];
    let (code, _, errors) = town.run(&restore);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("hokatsu 9.9.9 以降"), "{errors}");
    assert!(errors.contains("runbooks/data-dir-newer.md"), "{errors}");
    assert!(town.is_tidy() && town.kept().is_empty());
    assert_eq!(files(town.data.path()), before, "something was written");

    // As it was before the two newest steps.
    let older = store::SCHEMA_VERSION - 2;
    let version = format!("pragma user_version = {older}");
    let steps = [
        "drop table attachment_scans",
        "drop index audit_entries_by_resident",
        "create index audit_entries_by_resident on audit_entries (resident_id, id)",
        "drop index audit_entries_by_record",
        "create index audit_entries_by_record on audit_entries (record_kind, record_id, id)",
        version.as_str(),
    ];
    write(&DataDir::new(&place), &steps);
    let residents = town.count("select count(*) from residents");
    saved_by_another(&town, &place, older, "0.0.9");
    let (code, told, errors) = town.run(&restore);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(told["epoch"], 1);
    assert_eq!(town.count("select count(*) from residents"), residents);
    assert_eq!(town.count("select count(*) from restores"), 1);
    let grouped = "select count(*) from sqlite_schema where sql like '%(id >> 16, re%'";
    assert_eq!(town.count(grouped), 2, "the copy was migrated");
    let verdict = store::audit::verify(&town.data, None).unwrap();
    assert_eq!(verdict.findings, []);
}

#[test]
fn a_wrong_password_and_a_foreign_place_are_refused_before_anything_is_written() {
    let town = Town::build();
    let password = town.repository("raid").password_file;
    base::paths::write_atomic(&password, b"another one\n", 0o600).unwrap();
    let (code, _, errors) = town.run(&["restore", "--repository", "raid", "--yes"]);
    assert_eq!(code, 2, "{errors}");
    assert!(
        errors.contains("復旧シートの鍵と照らし合わせて"),
        "{errors}"
    );
    // With two repositories the other one is offered all the same.
    let (code, _, errors) = town.run(&["restore", "--at", "2099-01-01T00:00", "--dry-run"]);
    assert_eq!(code, 0, "{errors}");

    let foreign = town.root.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    base::paths::write_atomic(&foreign.join("mine.txt"), b"mine", 0o600).unwrap();
    let place = foreign.to_str().unwrap();
    let words = [
        "--data",
        place,
        "restore",
        "--repository",
        "disk-a",
        "--yes",
    ];
    let (code, _, errors) = town.run(&words);
    assert_eq!(code, 2, "{errors}");
    assert_eq!(files(&foreign).len(), 1);
    // Nobody to ask, and nothing said about which one.
    let (code, _, errors) = town.run(&["restore", "--yes"]);
    assert_eq!(code, 2, "{errors}");
    assert!(
        errors.contains("--repository 名前 と --at 時刻"),
        "{errors}"
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "mounts a disk for a test, outside what we ship"
)]
fn ran(program: &str, words: &[&str]) -> bool {
    let status = std::process::Command::new(program).args(words).status();
    status.is_ok_and(|status| status.success())
}

/// Unmounted also when the test fails.
struct Disk(PathBuf);

impl Drop for Disk {
    fn drop(&mut self) {
        ran("umount", &[self.0.to_str().unwrap_or_default()]);
    }
}

#[test]
fn a_disk_that_is_too_small_is_told_in_bytes_before_anything_is_written() {
    let town = Town::build();
    let small = town.root.path().join("small");
    fs::create_dir(&small).unwrap();
    let at = small.to_str().unwrap();
    let mounted = ran("mount", &["-t", "tmpfs", "-o", "size=20m", "tmpfs", at]);
    assert!(
        mounted,
        "mounting a small disk needs root: run this suite as root"
    );
    let _disk = Disk(small.clone());
    let place = small.join("data");
    let place = place.to_str().unwrap();
    let words = ["--data", place, "restore", "--repository", "raid", "--yes"];
    let (code, _, errors) = town.run(&words);
    assert_eq!(code, 3, "{errors}");
    let free = errors
        .split("空き ")
        .nth(1)
        .and_then(|rest| rest.split("バイト").next());
    let free: u64 = free.expect("the free bytes").parse().unwrap();
    assert!(free > 10_000_000 && free <= 20 << 20, "{errors}");
    assert!(errors.contains("必要 "), "{errors}");
    assert_eq!(fs::read_dir(&small).unwrap().count(), 0);
    // A data directory that is the disk itself cannot be exchanged.
    base::paths::write_atomic(&small.join("presence"), b"", 0o600).unwrap();
    let (code, _, errors) = town.run(&["--data", at, "restore", "--repository", "raid", "--yes"]);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("マウントした場所"), "{errors}");
}

/// Whoever owned the data owns them afterwards, also what a repository is told.
#[test]
fn root_restores_and_hands_everything_back_to_the_owner() {
    const OWNER: u32 = 12_345;
    let town = Town::build();
    let give = |place: &Path| {
        let mut open = vec![place.to_path_buf()];
        while let Some(path) = open.pop() {
            std::os::unix::fs::chown(&path, Some(OWNER), Some(OWNER)).expect("root runs this");
            if path.is_dir() {
                open.extend(fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
            }
        }
    };
    give(town.data.path());
    give(town.repository("raid").location.directory().unwrap());
    let owned = |place: &Path| {
        let all = files(place).into_keys();
        let others: Vec<PathBuf> = all
            .filter(|name| fs::metadata(place.join(name)).unwrap().uid() != OWNER)
            .collect();
        assert!(others.is_empty(), "{}: {others:?}", place.display());
        assert_eq!(fs::metadata(place).unwrap().uid(), OWNER);
    };
    let (code, _, errors) = town.run(&["restore", "--repository", "raid", "--yes"]);
    assert_eq!(code, 0, "{errors}");
    owned(town.data.path());
    owned(&town.kept()[0]);
    let known = town
        .repository("raid")
        .location
        .directory()
        .unwrap()
        .join("hokatsu.lineage");
    assert_eq!(fs::metadata(known).unwrap().uid(), OWNER);
    let (code, _, errors) = town.run(&["restore", "undo", "--yes"]);
    assert_eq!(code, 0, "{errors}");
    owned(town.data.path());
    owned(&town.kept()[0]);
    // A blank appliance: the service's directory is there and empty, and nothing was ever noted.
    let blank = town.root.path().join("blank/data");
    fs::create_dir_all(&blank).unwrap();
    give(&blank);
    let at = blank.to_str().unwrap();
    let words = ["--data", at, "restore", "--repository", "raid", "--yes"];
    let (code, _, errors) = town.run(&words);
    assert_eq!(code, 0, "{errors}");
    owned(&blank);
}

/// How long a service is away for a small town; printed, and far from a limit that hurts.
#[test]
fn a_small_town_is_back_within_a_minute() {
    let town = Town::build();
    let began = Instant::now();
    let (code, _, errors) = town.run(&["restore", "--repository", "raid", "--yes"]);
    let took = began.elapsed();
    assert_eq!(code, 0, "{errors}");
    println!("in place, small town: {took:?}");
    assert!(took < Duration::from_secs(60), "{took:?}");
}
