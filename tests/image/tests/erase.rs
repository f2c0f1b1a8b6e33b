//! The contract ends: a disk of the array is taken to a machine that does nothing else, erased by the plan that the
//! city agreed to, and read from its first byte to its last. What was on it in clear before is nowhere on it after.
//!
//! The machine that held it had no TPM, so that there is something in clear to be found.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once; its figures are what it is for"
)]

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use appliance::boot::{SITE, blank, prepare_as};
use appliance::disk_a::{PLAIN, times};
use appliance::room::Room;
use appliance::vm::Parts;
use appliance::{assemble, boot};
use machines::{ARCHIVE_BYTES, Guest, Town};
use serde_json::Value;

const ERASED_MAX: Duration = Duration::from_secs(30 * 60);
/// On the label of the disk.
const SERIAL: &str = "old-data-1";
/// What the city is asked to agree to.
const PLANS: &str = r#"
contract() { hokatsu --quiet --operator=石川 --reason=契約の終わり "$@"; }
plans() {
  mkdir -p /run/erase
  {
    echo 'addressee = "和光市長"'
    echo 'contractor = "試験の会社"'
    echo 'attendants = ["立会 花子"]'
    echo '[[devices]]'
    echo 'serial = "old-data-1"'
    echo 'medium = "内蔵ディスク1"'
    echo 'contents = "相談の記録、住民情報"'
  } >/run/erase/list.toml
  contract --json erase plan --list /run/erase/list.toml --to /run/erase 2>/dev/null
}
"#;

/// Whether every byte is none.
fn is_blank(disk: &Path) -> bool {
    let mut file = File::open(disk).unwrap();
    let mut piece = vec![0; 1024 * 1024];
    loop {
        let read = file.read(&mut piece).unwrap();
        if read == 0 {
            return true;
        }
        if piece.iter().take(read).any(|byte| *byte != 0) {
            return false;
        }
    }
}

#[test]
fn nothing_that_was_on_an_erased_disk_is_found_on_it() {
    let room = Room::here();
    let vm = room.dir("vm").unwrap();
    let town = Town::build();
    let made = assemble::latest(&room).expect("`cargo xtask image build` makes an image");
    let mut all = prepare_as(&room, &made.part("raw"), SITE).unwrap();
    all.parts.tpm = None;
    let all = town.moved_into(&room, all);
    let [disk, _] = all.parts.data.clone();
    let disk = disk.unwrap();
    let before = times(&disk, PLAIN).unwrap();
    println!("before: {before} databases in clear");
    assert!(before > 0);

    let out = vm.join("out.raw");
    blank(&out, ARCHIVE_BYTES).unwrap();
    let parts = Parts {
        data: [None, None],
        more: vec![(SERIAL, disk.clone()), ("out", out.clone())],
        log: vm.join("console-erase.log"),
        ..all.parts
    };
    let mut guest = Guest::start(&room, &parts, PLANS, true);
    let said = guest.must("plans", ERASED_MAX);
    let said: Value = serde_json::from_str(&said).expect("one JSON object");
    let word = |name: &str| said.get(name).and_then(Value::as_str).unwrap().to_owned();
    let items = said.get("items").and_then(Value::as_array).unwrap();
    let is_ours = |item: &&Value| item.to_string().contains(SERIAL);
    let item = items.iter().find(is_ours).expect("the disk is planned");
    let (plan, sha256) = (word("plan"), word("sha256"));
    let agreed = format!("--plan={plan} --item={}", item.get("number").unwrap());
    let run = |sha256: &str| {
        format!(
            "contract erase run {agreed} --sha256={sha256} --confirm={SERIAL} \
             --attendant='立会 花子' --yes"
        )
    };

    let refused = guest.does(&run("00000000"), ERASED_MAX);
    assert!(refused != "0" && !refused.starts_with("0 "), "{refused}");
    assert_eq!(times(&disk, PLAIN).unwrap(), before, "refused, and erased");

    let begun = guest.machine.second();
    let done = guest.must(&run(&sha256), ERASED_MAX);
    println!("{:.0} s: {done}", guest.machine.second() - begun);
    let papers = format!(
        "contract erase certificate {agreed} --records=/run/erase/records --to=/run/erase/papers &&
         tar -C /run/erase -cf /dev/disk/by-id/virtio-out . && sync"
    );
    guest.must(&papers, ERASED_MAX);
    guest.machine.power_off(boot::OFF_MAX).unwrap();

    assert_eq!(times(&disk, PLAIN).unwrap(), 0);
    assert!(is_blank(&disk), "something is left");
    let papers = room.empty_dir("vm/erased").unwrap();
    machines::unpacked(&out, &papers);
    let certificates = std::fs::read_dir(papers.join("papers")).unwrap();
    assert_eq!(certificates.count(), 1, "one certificate for one disk");
    println!("nothing is left; the papers are in {}", papers.display());
}
