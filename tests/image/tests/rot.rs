//! A bit of the running version's root turns, in a block that nothing reads: the reading of everything finds and
//! names it, and everybody who asks for the condition of the machine hears of it.

use std::time::Duration;

use appliance::boot::{SITE, prepare_as};
use appliance::room::Room;
use appliance::vm::Parts;
use appliance::{assemble, slots};
use machines::Guest;

/// Two gigabytes are hashed on emulated processors.
const READ_MAX: Duration = Duration::from_secs(30 * 60);
/// Among the fonts, as far as one can tell; a start reads nothing there.
const UNREAD: u64 = 300 * 1024 * 1024;
const READS: &str = r#"
reads() {
  sleep 2
  since=$(date '+%F %T')
  systemctl start slots-read.service 2>/dev/null
  echo $?
  journalctl --since="$since" --unit=slots-read.service --output=cat | grep '^システム領域'
}
"#;
/// What pages and console say is what `hokatsu status` says.
const TOLD: &str = "hokatsu status 2>&1 | grep の中身が壊れています";

#[test]
fn a_bit_that_no_start_reads_is_found() {
    let room = Room::here();
    let vm = room.dir("vm").unwrap();
    let made = assemble::latest(&room).expect("`cargo xtask image build` makes an image");
    let disk = slots::copy(&room, &made.part("raw")).unwrap();
    let all = prepare_as(&room, &disk, SITE).unwrap();
    let parts = Parts {
        log: vm.join("console-rot.log"),
        ..all.parts.clone()
    };
    let mut guest = Guest::start(&room, &parts, READS, false);
    let begun = guest.machine.second();
    let whole = guest.does("reads", READ_MAX);
    println!("{:.0} s: {whole}", guest.machine.second() - begun);
    let sound = format!("版 {} を全部読みました。壊れていません。", made.version());
    assert!(
        whole.starts_with("0 0 ") && whole.ends_with(&sound),
        "{whole}"
    );
    slots::bend(&room, &disk, made.version(), UNREAD).unwrap();
    let bent = guest.does("reads", READ_MAX);
    println!("{bent}");
    let named = format!("版 {} の中身が壊れています。", made.version());
    assert!(bent.starts_with("0 1 ") && bent.contains(&named), "{bent}");
    let told = guest.does(TOLD, READ_MAX);
    assert!(
        told.contains("［異常］") && told.contains("代わりに動かせる版がありません"),
        "{told}"
    );
    assert_eq!(guest.machine.times(slots::START), 1, "it did not restart");
    std::fs::remove_file(&disk).unwrap();
}
