//! The site file as an operator meets it: what is right is shown, what is wrong is told with its line, and what the
//! machine's own programs read lies where they look.

use std::fs;
use std::path::Path;

use base::paths::{MODE_PRIVATE, write_atomic};
use harness::process::ended;
use serde_json::Value;

const SITE: &str = r#"[server]
listen = "0.0.0.0:443"
[server.network]
address = "192.0.2.10/24"
gateway = "192.0.2.1"
[server.time]
sources = ["192.0.2.1"]
[server.disks]
data = ["S1", "S2"]
[organisation]
name = "和光市"
insurer_no = "112292"
"#;

fn asked(site: &Path, words: &[&str]) -> (i32, String, String) {
    let site = site.display().to_string();
    let all = ["--json", "--site", &site]
        .into_iter()
        .chain(words.iter().copied());
    ended(all.map(str::to_owned))
}

#[test]
fn a_right_file_is_shown_and_a_wrong_one_told_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("site.toml");
    write_atomic(&file, SITE.as_bytes(), MODE_PRIVATE).unwrap();
    let (code, out, errors) = asked(&file, &["site", "check"]);
    assert_eq!(code, 0, "{errors}");
    let said: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(said["address"], "192.0.2.10/24");
    assert_eq!(said["data_disks"][1], "S2");
    assert!(errors.contains("時刻を尋ねる先: 192.0.2.1"), "{errors}");

    let wrong = SITE.replacen("\"192.0.2.1\"", "\"198.51.100.1\"", 1);
    write_atomic(&file, wrong.as_bytes(), MODE_PRIVATE).unwrap();
    let (code, out, errors) = asked(&file, &["site", "check"]);
    assert_eq!((code, out.as_str()), (2, ""), "{errors}");
    assert!(errors.contains("5 行目: gateway 198.51.100.1"), "{errors}");
}

#[test]
fn the_machine_gets_its_files_and_no_half_of_them_from_a_wrong_site() {
    let dir = tempfile::tempdir().unwrap();
    let (file, root) = (dir.path().join("site.toml"), dir.path().join("run"));
    for below in ["systemd/network", "hokatsu-site/chrony", "udev/rules.d"] {
        fs::create_dir_all(root.join(below)).unwrap();
    }
    let at = root.display().to_string();
    let network = root.join("systemd/network/70-site.network");
    let wrong = SITE.replacen("S2", "S1", 1);
    write_atomic(&file, wrong.as_bytes(), MODE_PRIVATE).unwrap();
    let (code, _, errors) = asked(&file, &["site", "render", "--root", &at]);
    assert_eq!(code, 2, "{errors}");
    assert!(!network.exists());

    write_atomic(&file, SITE.as_bytes(), MODE_PRIVATE).unwrap();
    let (code, _, errors) = asked(&file, &["site", "render", "--root", &at]);
    assert_eq!(code, 0, "{errors}");
    let text = fs::read_to_string(network).unwrap();
    assert!(text.contains("Address=192.0.2.10/24"), "{text}");

    let nowhere = dir.path().join("nowhere").display().to_string();
    let (code, _, errors) = asked(&file, &["site", "render", "--root", &nowhere]);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("first-boot"), "{errors}");
}
