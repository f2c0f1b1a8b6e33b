//! The site file and the environment.

use super::*;
use std::path::Path;

const GOOD: &str = r#"[server]
listen = "127.0.0.1:8443"
data = "/var/lib/hokatsu"

[server.tls]
certificate = "tls/server.pem"
key = "tls/server.key"

[organisation]
name = "和光市"
insurer_no = "112292"

[[backup.repositories]]
name = "a"
path = "/media/a"
password_file = "/etc/hokatsu/a.password"
"#;

fn parse(text: &str) -> Result<Site, SettingsProblem> {
    Site::parse(text, Path::new("/etc/hokatsu/site.toml"))
}

fn refusal(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from));
    parse(&GOOD.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn a_right_file_is_read_into_its_structs() {
    let site = parse(GOOD).unwrap();
    assert_eq!(site.server.listen.port(), 8443);
    assert_eq!(site.organisation.insurer_no(), "112292");
    assert_eq!(site.backup.repositories[0].name(), "a");
    let tls = site.server.tls.unwrap();
    assert_eq!(tls.certificate, Path::new("/etc/hokatsu/tls/server.pem"));
}

#[test]
fn a_file_without_optional_parts_is_enough() {
    let text = "[server]\nlisten='127.0.0.1:0'\n[organisation]\nname='市'\ninsurer_no='112292'";
    assert!(parse(text).unwrap().backup.repositories.is_empty());
}

#[test]
fn shipping_has_defaults_limits_and_never_outlives_the_backups() {
    let with = |lines: &str| parse(&format!("{GOOD}\n[backup.shipping]\npath = \"a\"\n{lines}"));
    let shipping = with("mode = \"sync\"").unwrap().backup.shipping.unwrap();
    assert_eq!(shipping.path, Path::new("/etc/hokatsu/a"));
    assert_eq!(shipping.mode, ShippingMode::Sync);
    assert_eq!(shipping.log_bytes_max(), 256 * 1024 * 1024);
    assert_eq!(
        (shipping.sync_wait_ms_max(), shipping.days_kept()),
        (2_000, 14)
    );
    for (lines, word) in [
        ("sync_wait_ms_max = 1", "sync_wait_ms_max は"),
        ("log_mib_max = 1", "log_mib_max は"),
        ("generation_hours = 0", "generation_hours は"),
        ("days_kept = 0", "days_kept は"),
    ] {
        let refusal = with(lines).unwrap_err().to_string();
        assert!(
            refusal.contains("20 行目") && refusal.contains(word),
            "{refusal}"
        );
    }
    let text = GOOD.replacen("[[backup", "[backup]\ndays_kept = 13\n[[backup", 1);
    let text = format!("{text}\n[backup.shipping]\npath = \"a\"\ndays_kept = 14\n");
    let refusal = parse(&text).unwrap_err().to_string();
    assert!(refusal.contains("長くできません"), "{refusal}");
}

#[test]
fn a_second_disk_that_is_encrypted_is_named_with_its_key_or_not_at_all() {
    let with = |lines: &str| parse(&format!("{GOOD}\n[backup.shipping]\npath = \"a\"\n{lines}"));
    let device = "device = \"/dev/disk/by-partlabel/hokatsu-disk-a\"";
    let shipping = with(&format!("{device}\nkey_file = \"keys/disk-a.luks\""));
    let shipping = shipping.unwrap().backup.shipping.unwrap();
    let named = (
        Path::new("/dev/disk/by-partlabel/hokatsu-disk-a"),
        Path::new("/etc/hokatsu/keys/disk-a.luks"),
    );
    assert_eq!(shipping.disk(), Some(named));
    assert_eq!(with("").unwrap().backup.shipping.unwrap().disk(), None);
    for (lines, word) in [
        (device, "両方を書くか"),
        ("key_file = \"a.luks\"", "両方を書くか"),
        ("device = \"sda1\"\nkey_file = \"a.luks\"", "/dev/ で始まる"),
    ] {
        let refusal = with(lines).unwrap_err().to_string();
        assert!(
            refusal.contains("20 行目") && refusal.contains(word),
            "{refusal}"
        );
    }
}

#[test]
fn disks_that_are_carried_away_have_defaults_limits_and_a_key_beside_the_file() {
    let with = |lines: &str| parse(&format!("{GOOD}{lines}"));
    let disk = "[backup.repositories.removable]\nlabel = \"B\"\ndestination = \"x\"\n\
        carried_by = \"y\"\ndays_out = 14\nkey_file = \"b.luks\"\n";
    let site = with(disk).unwrap();
    let removable = site.backup.repositories[0].removable.as_ref().unwrap();
    let key = removable.key_file.as_deref();
    assert_eq!(key, Some(Path::new("/etc/hokatsu/b.luks")));
    let standard = site.backup.disks();
    assert_eq!((standard.count_percent_min, standard.read_visits), (90, 4));
    assert_eq!(site.backup.alarm().rotate_days_max, 10);
    for (lines, word) in [
        (
            "[backup.disks]\ncount_percent_min = 0",
            "count_percent_min は",
        ),
        ("[backup.disks]\nread_visits = 0", "read_visits は"),
        ("[backup.alarm]\nrotate_days_max = 0", "rotate_days_max は"),
        ("[backup.disks]\nopner = []", "opner"),
    ] {
        let refusal = with(lines).unwrap_err().to_string();
        assert!(refusal.contains(word), "{refusal}");
    }
}

#[test]
fn a_misspelt_key_is_refused_with_its_line_and_the_right_ones() {
    assert_eq!(
        refusal("data = ", "date = "),
        "設定ファイル /etc/hokatsu/site.toml の 3 行目: 「date」という項目はありません。\
         使える項目: listen, data, tls, network, time, disks"
    );
}

#[test]
fn each_mistake_names_its_line_and_reason() {
    for (from, to, line, word) in [
        ("name = \"和光市\"\n", "", 9, "項目「name」がありません"),
        ("112292", "112291", 11, "検証番号"),
        ("127.0.0.1:8443", "localhost", 2, "待ち受け先"),
        ("key = \"tls/server.key\"", "key = 1", 7, "値の種類"),
        ("key = ", "certificate = ", 7, "二度"),
        ("[organisation]", "[organisation", 9, "書き方"),
        ("name = \"a\"", "name = \"\"", 14, "保管先"),
    ] {
        let told = refusal(from, to);
        assert!(told.contains(&format!(" {line} 行目")), "{told}");
        assert!(told.contains(word), "{told}");
    }
}

#[test]
fn a_missing_file_is_told_with_its_path() {
    let problem = Site::read(Path::new("/no/such/site.toml")).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "設定ファイル /no/such/site.toml を読めません。"
    );
    assert_eq!(problem.report().exit_code(), 2);
}

#[test]
fn an_empty_variable_counts_as_absent() {
    let nothing = Environment::from_lookup(|_| None);
    assert_eq!(Environment::from_lookup(|_| Some(String::new())), nothing);
    assert_eq!(nothing.site_file, Path::new("/etc/hokatsu/site.toml"));
    let given = Environment::from_lookup(|name| Some(format!("/x/{name}")));
    assert_eq!(given.data_dir, Path::new("/x/HOKATSU_DATA"));
}

fn signing_in(lines: &str) -> Result<Site, SettingsProblem> {
    parse(&format!("{GOOD}\n[sign_in]\n{lines}"))
}

#[test]
fn without_a_word_about_signing_in_the_defaults_hold() {
    let asked = parse(GOOD).unwrap().sign_in();
    assert_eq!((asked.password_length_min, asked.idle_minutes), (12, 30));
    assert_eq!(asked.password_days_max, None);
    assert!(asked.second_factor.is_empty());
}

#[test]
fn what_is_said_about_signing_in_is_taken() {
    let lines = "tablet_idle_minutes = 5\npassword_days_max = 180\nwebauthn_host = \"hokatsu\"\n\
                 [sign_in.second_factor]\nnurse = [\"terminal\", \"webauthn\"]\n";
    let asked = signing_in(lines).unwrap().sign_in();
    assert_eq!(asked.tablet_idle_minutes, 5);
    assert_eq!(asked.password_days_max, Some(180));
    let nurse = asked.second_factor.get("nurse").unwrap();
    assert_eq!(nurse, &[Factor::Terminal, Factor::Webauthn]);
}

#[test]
fn wrong_words_about_signing_in_are_told_with_what_to_write() {
    let said = |lines: &str| signing_in(lines).unwrap_err().to_string();
    assert!(said("password_length_min = 4").contains("8 から 64 まで"));
    assert!(said("idle_minutes = 0").contains("idle_minutes は 1 から"));
    assert!(said("idle = 30").contains("「idle」という項目はありません"));
    let keys = "[sign_in.second_factor]\nnurse = [\"webauthn\"]\n";
    assert!(said(keys).contains("webauthn_host にホスト名が必要です"));
    let none = "[sign_in.second_factor]\nnurse = []\n";
    assert!(said(none).contains("nurse に、terminal"));
}

#[test]
fn the_first_file_is_right_whatever_its_directory_is_called() {
    let data = Path::new("/srv/ほかつ \"x\"/data");
    let site = Site::parse(&first_site(data), Path::new("/etc/hokatsu/site.toml")).unwrap();
    assert_eq!(site.server.data.as_deref(), Some(data));
    let asked = site.sign_in();
    assert_eq!(asked.password_length_min, 12);
    assert!(
        asked
            .second_factor
            .values()
            .all(|factors| !factors.is_empty())
    );
}

#[test]
fn the_size_of_an_attachment_is_a_setting_within_reason() {
    let said = |lines: &str| parse(&format!("{GOOD}\n[attachments]\n{lines}"));
    let bytes = |lines: &str| said(lines).map(|site| site.attachments().file_bytes_max());
    assert_eq!(bytes("").unwrap(), 20 * 1024 * 1024);
    assert_eq!(bytes("file_mib_max = 1").unwrap(), 1024 * 1024);
    for wrong in ["file_mib_max = 0", "file_mib_max = 101"] {
        let told = said(wrong).unwrap_err().to_string();
        assert!(told.contains("file_mib_max は 1 から 100 まで"), "{told}");
    }
}

#[test]
fn how_backups_are_kept_has_defaults_and_each_number_its_bounds() {
    let backup = parse(GOOD).unwrap().backup;
    let kept = backup.retention();
    let counts = [
        kept.hourly,
        kept.daily,
        kept.weekly,
        kept.monthly,
        kept.yearly,
    ];
    assert_eq!(counts, [24, 7, 5, 12, 10]);
    assert_eq!(
        (backup.prune().grace_hours, backup.schedule().read_days),
        (48, 28)
    );
    let said = |lines: &str| parse(&format!("{GOOD}\n{lines}\n"));
    let few = said("[backup.retention]\nhourly = 2")
        .unwrap()
        .backup
        .retention();
    assert_eq!(
        (few.hourly, few.daily),
        (2, 7),
        "what is not said keeps its default"
    );
    for (lines, told) in [
        ("[backup.retention]\ndaily = 0", "daily は 1 から 1000 まで"),
        (
            "[backup.prune]\ngrace_hours = 0",
            "grace_hours は 24 から 720 まで",
        ),
        (
            "[backup.schedule]\nprune_weekday = 8",
            "prune_weekday は 1 から 7 まで",
        ),
        (
            "[backup.drill]\nyears_kept = 0",
            "years_kept は 1 から 30 まで",
        ),
        (
            "[backup.alarm]\nrun_hours_max = 0",
            "run_hours_max は 1 から 720 まで",
        ),
        (
            "[backup.alarm]\nrun_hours = 3",
            "「run_hours」という項目はありません",
        ),
    ] {
        let problem = said(lines).unwrap_err();
        assert!(problem.to_string().contains(told), "{lines}: {problem}");
        assert!(problem.line().is_some_and(|line| line > 15), "{lines}");
    }
}

#[test]
fn a_repository_lies_in_exactly_one_place_and_off_site_ones_bring_their_files() {
    let with = |lines: &str| {
        let text = GOOD.replacen("path = \"/media/a\"\n", "", 1);
        parse(&format!("{text}{lines}"))
    };
    let rest = "[backup.repositories.rest]\nurl = \"https://b.example/\"\nuser = \"w\"\n\
                login_file = \"rest.login\"\nappend_only = true";
    let site = with(rest).unwrap();
    let RepositoryPlace::Rest(place) = &site.backup.repositories[0].place else {
        panic!("not rest");
    };
    assert!(place.append_only);
    let login = place.login_file.as_deref();
    assert_eq!(login, Some(Path::new("/etc/hokatsu/rest.login")));
    let s3 = "[backup.repositories.s3]\nendpoint = \"https://s3.example\"\nregion = \"r\"\n\
              bucket = \"b\"\nlogin_file = \"s3.login\"";
    assert!(with(s3).unwrap().backup.repositories[0].place.is_offsite());
    let sftp = "[backup.repositories.sftp]\nhost = \"h\"\nuser = \"u\"\npath = \"/p\"\n\
                key_file = \"key\"\nknown_hosts_file = \"known\"";
    assert!(with(sftp).is_ok());
    for (lines, word) in [
        (String::new(), "どれか一つ"),
        (format!("{rest}\n{s3}"), "どれか一つ"),
        (rest.replace("https://", "http://"), "「https://」にして"),
        (rest.replace("https://", "https://w:p@"), "login_file"),
        (rest.replace("user = \"w\"\n", ""), "両方"),
        (sftp.replace("\"/p\"", "\"p\""), "path は「/」"),
        (sftp.replace("known_hosts_file", "known"), "使える項目"),
        (s3.replace("login_file = \"s3.login\"", ""), "login_file"),
    ] {
        let refusal = with(&lines).unwrap_err().to_string();
        assert!(refusal.contains(word), "{lines}: {refusal}");
    }
}

#[test]
fn supplies_have_defaults_and_limits_and_without_the_section_there_are_none() {
    let with = |lines: &str| parse(&format!("{GOOD}\n[ups]\n{lines}"));
    assert!(parse(GOOD).unwrap().ups().is_none());
    let site = with("").unwrap();
    let ups = site.ups().unwrap();
    assert_eq!(
        (ups.units.join(" "), ups.required),
        ("ups@localhost".to_owned(), 1)
    );
    assert_eq!(ups.stop, ["upsmon", "-c", "fsd"]);
    let two =
        "units = [\"a@localhost\", \"rack.b@10.0.0.7:3493\"]\nrequired = 2\nstate_dir = \"ups\"";
    let site = with(two).unwrap();
    assert_eq!(site.ups().unwrap().state_dir, Path::new("/etc/hokatsu/ups"));
    for (lines, word) in [
        ("units = []", "台まで"),
        ("units = [\"-c@localhost\"]", "名前@機器"),
        ("units = [\"ups\"]", "名前@機器"),
        ("units = [\"ups@host name\"]", "名前@機器"),
        ("units = [\"a@b\", \"a@b\"]", "二度"),
        ("required = 2", "台数"),
        ("required = 0", "台数"),
        ("charge_percent = 100", "charge_percent は 5 から 90"),
        ("runtime_seconds = 10", "runtime_seconds は"),
        ("on_battery_seconds = 5", "on_battery_seconds は"),
        ("flicker_seconds = 61", "flicker_seconds は"),
        ("on_battery_seconds = 30\nflicker_seconds = 30", "より短く"),
        ("stop = []", "stop に"),
    ] {
        let refusal = with(lines).unwrap_err().to_string();
        assert!(
            refusal.contains("18 行目") && refusal.contains(word),
            "{refusal}"
        );
    }
}

/// A file with these lines behind `[server]`.
fn standing(lines: &str) -> Result<Site, SettingsProblem> {
    let text = format!(
        "[server]\nlisten = \"0.0.0.0:443\"\n{lines}\n[organisation]\nname = \"市\"\ninsurer_no = \"112292\"\n"
    );
    parse(&text)
}

#[test]
fn an_address_of_its_own_is_one_that_a_server_can_have() {
    let with = |address: &str, more: &str| {
        standing(&format!(
            "[server.network]\naddress = \"{address}\"\n{more}"
        ))
    };
    let site = with("192.0.2.10/24", "gateway = \"192.0.2.1\"\ndns = []").unwrap();
    let network = site.server.network.unwrap();
    assert_eq!(network.address().to_string(), "192.0.2.10/24");
    assert_eq!(network.gateway().unwrap().to_string(), "192.0.2.1");
    for (address, more, line, word) in [
        ("192.0.2.0/24", "", 4, "ネットワーク自身"),
        ("192.0.2.255/24", "", 4, "全員あて"),
        ("192.0.2.10/31", "", 4, "8 から 30"),
        ("127.0.0.1/8", "", 4, "付けられない"),
        ("224.0.0.5/24", "", 4, "付けられない"),
        ("192.0.2.10", "", 4, "192.0.2.10/24"),
        ("192.0.2.300/24", "", 4, "192.0.2.10/24"),
        (
            "192.0.2.10/24",
            "gateway = \"198.51.100.1\"",
            5,
            "192.0.2.0/24 の外",
        ),
        (
            "192.0.2.10/24",
            "gateway = \"192.0.2.10\"",
            5,
            "自身のアドレス",
        ),
        ("192.0.2.10/24", "gateway = \"192.0.2.255\"", 5, "全員あて"),
        ("192.0.2.10/24", "gateway = \"192.0.2\"", 5, "192.0.2.10"),
        (
            "192.0.2.10/24",
            "dns = [\"192.0.2.2\", \"192.0.2.2\"]",
            5,
            "二度",
        ),
        (
            "192.0.2.10/24",
            "dns = [\"192.0.2.2\",\"192.0.2.3\",\"192.0.2.4\",\"192.0.2.5\"]",
            5,
            "3 件まで",
        ),
        (
            "192.0.2.10/24",
            "netmask = \"255.255.255.0\"",
            5,
            "「netmask」という項目はありません",
        ),
    ] {
        let said = with(address, more).unwrap_err().to_string();
        let place = format!("{line} 行目");
        assert!(
            said.contains(word) && said.contains(&place),
            "{address} {more}: {said}"
        );
    }
    let text = GOOD.replacen(
        "[server.tls]",
        "[server.network]\naddress = \"192.0.2.10/24\"\n[server.tls]",
        1,
    );
    let said = parse(&text).unwrap_err().to_string();
    assert!(said.contains("0.0.0.0 か 192.0.2.10"), "{said}");
}

#[test]
fn clocks_are_addresses_or_names_that_somebody_can_answer_for() {
    let with = |lines: &str| standing(&format!("[server.time]\n{lines}"));
    let site = with("sources = [\"192.0.2.1\"]\nserves = [\"192.0.2.0/24\"]").unwrap();
    assert_eq!(site.server.time.unwrap().sources().count(), 1);
    assert!(with("sources = []").is_ok());
    for (lines, line, word) in [
        ("sources = [\"ntp.example.jp\"]", 4, "dns が要ります"),
        ("sources = [\"192.0.2\"]", 4, "アドレスか、ホスト名"),
        ("sources = [\"a b\"]", 4, "アドレスか、ホスト名"),
        ("sources = [\"192.0.2.1\", \"192.0.2.1\"]", 4, "二度"),
        (
            "sources = []\nserves = [\"192.0.2.10/24\"]",
            5,
            "192.0.2.0/24",
        ),
        ("sources = []\nserves = [\"0.0.0.0/0\"]", 5, "192.0.2.0/24"),
        ("serves = []", 3, "「sources」がありません"),
    ] {
        let said = with(lines).unwrap_err().to_string();
        let place = format!("{line} 行目");
        assert!(
            said.contains(word) && said.contains(&place),
            "{lines}: {said}"
        );
    }
    let network =
        "[server.network]\naddress = \"192.0.2.10/24\"\ndns = [\"192.0.2.2\"]\n[server.time]\n";
    assert!(standing(&format!("{network}sources = [\"ntp.example.jp\"]")).is_ok());
    let said = standing(&format!("{network}sources = [\"192.0.2.10\"]"))
        .unwrap_err()
        .to_string();
    assert!(said.contains("このサーバ自身"), "{said}");
}

#[test]
fn disks_are_three_different_numbers_that_mean_nothing_else_to_udev() {
    let with = |lines: &str| standing(&format!("[server.disks]\n{lines}"));
    let site = with("data = [\"S1\", \"S-2.x_y\"]\ndisk_a = \"A\"").unwrap();
    assert_eq!(site.server.disks.unwrap().data(), ["S1", "S-2.x_y"]);
    for (lines, line, word) in [
        ("data = [\"S1\"]", 4, "2台"),
        ("data = [\"S1\", \"S1\"]", 4, "二度"),
        ("data = [\"S1\", \"S2\"]\ndisk_a = \"S2\"", 5, "二度"),
        ("data = [\"S1\", \"S*\"]", 4, "半角の英数字"),
        ("data = [\"S1\", \"\"]", 4, "半角の英数字"),
        (
            "data = [\"S1\", \"S2\"]\ndisk_a = 'x\", RUN+=\"y'",
            5,
            "半角の英数字",
        ),
    ] {
        let said = with(lines).unwrap_err().to_string();
        let place = format!("{line} 行目");
        assert!(
            said.contains(word) && said.contains(&place),
            "{lines}: {said}"
        );
    }
}

#[test]
fn without_a_section_nothing_is_scanned_and_with_an_empty_one_by_the_appliance() {
    let with = |lines: &str| parse(&format!("{GOOD}\n[antivirus]\n{lines}"));
    assert!(parse(GOOD).unwrap().antivirus().is_none());
    let site = with("").unwrap();
    let named = site.antivirus().unwrap();
    assert_eq!(named.socket, Path::new("/run/clamav/clamd.ctl"));
    assert_eq!(named.installed(), Path::new("/volume/signatures/now"));
    let site = with("socket = \"clamd.ctl\"\nsignatures = \"cvd\"").unwrap();
    let named = site.antivirus().unwrap();
    assert_eq!(named.socket, Path::new("/etc/hokatsu/clamd.ctl"));
    assert_eq!(named.installed(), Path::new("/etc/hokatsu/cvd/now"));
    assert!(with("restart = []").is_err());
    assert!(with("socet = \"a\"").is_err());
}
